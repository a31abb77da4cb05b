# SPDX-License-Identifier: GPL-2.0-only
# How tests are built and run. Every test is found by wildcard and speaks TAP through prove. ONLY=PATTERN runs those whose path matches.

T := $(B)/tests
SAN_FLAGS := -fsanitize=address -fsanitize=undefined -fno-omit-frame-pointer
TEST_CFLAGS := -std=gnu11 -g -O1 $(WARN) -Wno-unused-parameter $(MAP) $(CPPFLAGS) -Ibpf/lib
TEST_LIBS = $(shell pkg-config --libs $(LINK))

# Unit tests: plain C under ASan and UBSan, with the controller's own code, but main.
UNIT := $(patsubst %.c,$(B)/%,$(sort $(wildcard tests/unit/*.c)))
UNIT_USER := $(filter-out user/main.c,$(USER))
$(T)/user-san.o: $(UNIT_USER) $(wildcard user/*.h user/convert/*.h include/mptcp_bpf/*.h) $(B)/.deps
	$(Q)mkdir -p $(@D)/user-san
	$(Q)for f in $(UNIT_USER); do $(CC) $(TEST_CFLAGS) $(SAN_FLAGS) -c $$f -o $(@D)/user-san/$$(basename $$f .c).o || exit 1; done
	$(Q)$(LD) -r -o $@ $(@D)/user-san/*.o
$(T)/unit/%: tests/unit/%.c $(T)/user-san.o $(B)/catalog.o $(wildcard tests/unit/*.h bpf/opt/*.c bpf/sched/*.c bpf/cc/*.c bpf/lib/mptcp_bpf/*.h include/mptcp_bpf/*.h)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(TEST_CFLAGS) $(SAN_FLAGS) -o $@ $< $(T)/user-san.o $(B)/catalog.o $(TEST_LIBS) -lcmocka -lm

# Programs in the kernel by BPF_PROG_TEST_RUN: a file with main() is a test, the others serve all of them.
PROG_MAINS := $(sort $(shell grep -l '^int main' tests/prog/*.c 2>/dev/null))
PROG_LIB := $(filter-out $(PROG_MAINS),$(sort $(wildcard tests/prog/*.c)))
PROG := $(PROG_MAINS:%.c=$(B)/%)
$(T)/prog/%: tests/prog/%.c $(PROG_LIB) $(wildcard tests/prog/*.h tests/lib/*.h) $(B)/.deps
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(TEST_CFLAGS) -O2 -o $@ $< $(PROG_LIB) $(TEST_LIBS)

# Policies with one thing wrong.
REJECT := $(patsubst %.bpf.c,$(B)/%.bpf.o,$(sort $(wildcard tests/reject/*.bpf.c)))

# Schedulers that a test needs and nobody else.
TEST_POLICIES := $(patsubst %.bpf.c,$(B)/%.bpf.o,$(sort $(wildcard tests/policies/*.bpf.c)))

# Fuzzers: libFuzzer with ASan and UBSan. fuzz_option and fuzz_sched link every policy of their kind, each compiled with names of its own.
FUZZ := $(T)/fuzz/fuzz_args $(T)/fuzz/fuzz_convert $(T)/fuzz/fuzz_object $(T)/fuzz/fuzz_option $(T)/fuzz/fuzz_sched $(T)/fuzz/fuzz_translate
FUZZ_SEEDS := $(patsubst %.bpf.c,$(B)/%.bpf.o,$(sort $(wildcard tests/fuzz/seed/*.bpf.c)))
FUZZ_CC := $(CLANG) $(TEST_CFLAGS) -fsanitize=fuzzer -fsanitize=address -fsanitize=undefined -fno-sanitize-recover=undefined
$(T)/fuzz/fuzz_args: tests/fuzz/fuzz_args.c user/args.c user/err.c
$(T)/fuzz/fuzz_object: tests/fuzz/fuzz_object.c user/policy.c user/voice.c user/desc.c user/args.c user/err.c $(wildcard user/elf*.c)
$(T)/fuzz/fuzz_convert: tests/fuzz/fuzz_convert.c include/mptcp_bpf/convert.h
$(T)/fuzz/fuzz_translate: tests/fuzz/fuzz_translate.c include/mptcp_bpf/translate.h include/mptcp_bpf/option.h
$(T)/fuzz/fuzz_args $(T)/fuzz/fuzz_convert $(T)/fuzz/fuzz_object $(T)/fuzz/fuzz_translate: $(wildcard tests/fuzz/*.h user/*.h)
	$(Q)mkdir -p $(@D)
	$(Q)$(FUZZ_CC) -o $@ $(filter %.c,$^) $(TEST_LIBS)
FUZZ_POLICIES := $(sort $(wildcard bpf/opt/*.bpf.c))
$(T)/fuzz/fuzz_option: tests/fuzz/fuzz_option.c tests/fuzz/opt_policy.c $(FUZZ_POLICIES) $(wildcard tests/fuzz/*.h tests/unit/*.h include/mptcp_bpf/*.h)
	$(Q)mkdir -p $(@D)
	$(Q)for p in $(FUZZ_POLICIES); do n=$$(basename $$p .bpf.c); $(FUZZ_CC) -c -o $@.$$n.o -DPOLICY="\"$(CURDIR)/$$p\"" \
		-Dmpb_opt_under_test=$${n}_table -Dmpb_policy=$${n}_policy -Dmpb_ncounters=$${n}_ncounters -D_license=$${n}_license \
		tests/fuzz/opt_policy.c || exit 1; done
	$(Q)$(FUZZ_CC) -o $@ tests/fuzz/fuzz_option.c $(@).*.o

# Packet schedulers as plain C, for the fuzzer and the simulator: $(call scheds,COMPILER,PREFIX).
SCHEDS := $(sort $(wildcard bpf/sched/*.bpf.c))
SCHED_DEPS := $(SCHEDS) $(wildcard tests/sim/policy.[ch] include/mptcp_bpf/*.h bpf/lib/mptcp_bpf/sched.bpf.h bpf/lib/mptcp_bpf/policy.bpf.h)
scheds = for p in $(SCHEDS); do n=$$(basename $$p .bpf.c); $(1) -c -o $(2).$$n.o -DPOLICY="\"$(CURDIR)/$$p\"" \
	-Dmpb_sched_under_test=$${n}_ops -Dmpb_policy=$${n}_policy -D_license=$${n}_license tests/sim/policy.c || exit 1; done
$(T)/fuzz/fuzz_sched: tests/fuzz/fuzz_sched.c tests/fuzz/fuzz.h $(SCHED_DEPS)
	$(Q)mkdir -p $(@D)
	$(Q)$(call scheds,$(FUZZ_CC),$@)
	$(Q)$(FUZZ_CC) -o $@ $< $@.*.o

# The simulator: tests/sim/.
SIM := $(T)/sim/sim
SIM_CC := $(CC) $(TEST_CFLAGS) -O2
$(SIM): $(sort $(wildcard tests/sim/*.c)) tests/sim/sim.h $(SCHED_DEPS)
	$(Q)mkdir -p $(@D)
	$(Q)$(call scheds,$(SIM_CC),$@)
	$(Q)$(SIM_CC) -o $@ $(filter-out tests/sim/policy.c,$(filter tests/sim/%.c,$^)) $@.*.o -lm

NET := $(sort $(wildcard tests/net/*.t))
TESTS := $(UNIT) $(PROG) $(wildcard tests/reject/reject.t tests/fuzz/fuzz.t) $(sort $(wildcard tests/build/*.t tests/kernel/*.t tests/sim/*.t)) $(NET)
ONLY ?= .

tests: all tools $(UNIT) $(PROG) $(REJECT) $(TEST_POLICIES) $(FUZZ) $(FUZZ_SEEDS) $(SIM)

# What the objects cost, next to the baselines; SAVE=1 makes it the baselines.
cost: all $(T)/prog/cost
	$(Q)$(T)/prog/cost $(if $(SAVE),--update,--table)

# The tests that meet the kernel, on stock kernels under QEMU and on this one; a table, and TAP in build/vm/KERNEL/.
KERNELS ?= 6.1 6.12 newest host
VM_TESTS = $(filter-out $(shell sed 's,^,%/,; s, .*,,' tests/vm/left-out),$(PROG) tests/reject/reject.t tests/kernel/kernel.t $(NET))
test-kernels:
	$(Q)scripts/setup vm
	$(Q)$(MAKE) all tools $(PROG) $(REJECT) $(TEST_POLICIES)
	$(Q)scripts/kernels "$(KERNELS)" $(shell printf '%s\n' $(VM_TESTS) | grep -E '$(ONLY)')

test-package:
	$(Q)scripts/fresh --suite trixie --worktree -- scripts/package

lint:
	$(Q)! find tests -name '*.t' ! -perm -u+x | grep . # each is run as a program
	$(Q)shellcheck -S warning .ci/run scripts/setup scripts/lab scripts/demo scripts/fresh scripts/vm scripts/kernels scripts/package tests/vm/run tests/tools/apart completion/*.bash tests/lib/*.sh tests/*/*.t tests/kernel/run
	$(Q)shellcheck -S warning -x -P SCRIPTDIR tests/kernel/*.sh
	$(Q)shellcheck -S warning -x -P SCRIPTDIR tests/bench/*.bench

test: setup
	$(Q)$(MAKE) tests
	$(Q)CMOCKA_MESSAGE_OUTPUT=TAP tests/tools/apart prove --timer --failures --comments --exec '' $(shell printf '%s\n' $(TESTS) | grep -E '$(ONLY)')
