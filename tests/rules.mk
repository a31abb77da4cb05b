# SPDX-License-Identifier: GPL-2.0-only
# How tests are built and run. Every test is found by wildcard and speaks TAP through prove. ONLY=PATTERN runs those whose path matches.

NETS := $(sort $(wildcard tests/net/*.t))
TESTS := $(NETS)
ONLY ?= .

tests: all tools

test: setup
	$(Q)$(MAKE) tests
	$(Q)prove --timer --exec '' $(shell printf '%s\n' $(TESTS) | grep -E '$(ONLY)')
