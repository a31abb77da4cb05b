#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# docs/benchmarks.md shows the results that are kept, and nothing else.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
is "$(scripts/bench --render | diff docs/benchmarks.md - 2>&1)" "" "the page is what the results render to"
is "$(grep -c '^## ' docs/benchmarks.md)" "$(find tests/bench/results -name '*.json' 2>/dev/null | wc -l)" "a section for each result"
done_testing
