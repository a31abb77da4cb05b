/* SPDX-License-Identifier: GPL-2.0-only */
/* What is read out of verifier logs, as kernels before and after 6.9 write them. */
#include "unit.h"
#include "verifier.h"

static const char dated[] = "0: R1=ctx() R10=fp0\n"
			    "; int in(struct __sk_buff *skb) @ mine.bpf.c:40\n"
			    "0: (b7) r2 = 14                       ; R2=14\n"
			    "; c->n[seen]++; @ mine.bpf.c:8\n"
			    "14: (79) r1 = *(u64 *)(r0 +0)\n"
			    "R0 invalid mem access 'map_value_or_null'\n"
			    "processed 15 insns (limit 1000000) max_states_per_insn 0 total_states 1 peak_states 1 mark_read 1\n";

static void line_and_rule(void **unused)
{
	struct complaint c;

	(void)unused;
	verifier_read("dir/mine.bpf.c", dated, &c);
	assert_string_equal(c.place, "mine.bpf.c:8");
	assert_string_equal(c.text, "c->n[seen]++;");
	assert_string_equal(c.caller, "");
	assert_string_equal(c.rule, "a pointer that may be NULL is used: compare the result of the lookup with NULL first "
				    "(verifier: R0 invalid mem access 'map_value_or_null')");
}

static void fault_in_a_header(void **unused)
{
	struct complaint c;

	(void)unused;
	verifier_read("mine.bpf.c",
		      "; mpb_count(s, seen); @ mine.bpf.c:9\n1: (bf) r1 = r6\n; c->n[i]++; @ opt.bpf.h:39\n2: (0f) r0 += r1\n"
		      "R0 unbounded memory access, make sure to bounds check any such access\n",
		      &c);
	assert_string_equal(c.place, "opt.bpf.h:39");
	assert_string_equal(c.caller, "mine.bpf.c:9");
}

static void without_line_numbers(void **unused)
{
	struct complaint c;

	(void)unused;
	verifier_read("mine.bpf.c", "; c->n[seen]++;\n14: (79) r1 = *(u64 *)(r0 +0)\nR0 invalid mem access 'map_value_or_null'\n", &c);
	assert_string_equal(c.place, "");
	assert_string_equal(c.text, "c->n[seen]++;");
}

static void line_of_a_reference(void **unused)
{
	struct complaint c;

	(void)unused;
	verifier_read("mine.bpf.c",
		      "; sk = bpf_sk_lookup_tcp(skb); @ mine.bpf.c:8\n7: (85) call bpf_sk_lookup_tcp#84\n; return 0; @ mine.bpf.c:10\n"
		      "9: (95) exit\nUnreleased reference id=2 alloc_insn=7\n",
		      &c);
	assert_string_equal(c.place, "mine.bpf.c:8");
}

static void unknown_complaint(void **unused)
{
	struct complaint c;

	(void)unused;
	verifier_read("mine.bpf.c", "; x(); @ mine.bpf.c:3\n1: (85) call pc+1\nsomething new under the sun\nprocessed 2 insns\n", &c);
	assert_string_equal(c.rule, "something new under the sun");
	assert_string_equal(c.place, "mine.bpf.c:3");
}

static void odd_logs(void **unused)
{
	static const char *const logs[] = { "", "\n\n", ";", "; ", "; \n", "; @ ", ";  @ \n", "Unreleased reference alloc_insn=", " @ x:1" };
	struct complaint c;

	(void)unused;
	for (size_t i = 0; i < sizeof(logs) / sizeof(logs[0]); i++)
		verifier_read("mine.bpf.c", logs[i], &c);
}

UNIT_MAIN(cmocka_unit_test(line_and_rule), cmocka_unit_test(fault_in_a_header), cmocka_unit_test(without_line_numbers),
	  cmocka_unit_test(line_of_a_reference), cmocka_unit_test(unknown_complaint), cmocka_unit_test(odd_logs))
