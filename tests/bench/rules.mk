# SPDX-License-Identifier: GPL-2.0-only
# Benchmarks: tests/bench/NAME.bench, or NAME.c with a main(), found by wildcard and run by scripts/bench. ONLY=PATTERN runs those whose name
# matches; SAVE=1 keeps the results in tests/bench/results.

BENCH_C := $(patsubst %.c,$(B)/%,$(filter-out %.bpf.c,$(sort $(wildcard tests/bench/*.c))))
BENCH_OBJS := $(patsubst %.bpf.c,$(B)/%.bpf.o,$(sort $(wildcard tests/bench/*.bpf.c)))
$(T)/bench/%: tests/bench/%.c $(PROG_LIB) $(wildcard tests/bench/*.h tests/prog/*.h tests/lib/*.h) $(B)/.deps
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(TEST_CFLAGS) -O2 -o $@ $< $(PROG_LIB) $(TEST_LIBS)

bench: setup
	$(Q)$(MAKE) all tools $(BENCH_C) $(BENCH_OBJS)
	$(Q)tests/tools/apart scripts/bench $(if $(SAVE),--save) '$(ONLY)'

.PHONY: bench
