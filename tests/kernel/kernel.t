#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The kselftests of this directory, as one of the project's own tests.
cd "$(dirname "$0")/../.." || exit 1
tests=()
for test in tests/kernel/*.sh; do [ "$test" = tests/kernel/lib.sh ] || tests+=("${test##*/}"); done
exec env OUTPUT="$PWD/build/tests/kernel" tests/kernel/run "${tests[@]}"
