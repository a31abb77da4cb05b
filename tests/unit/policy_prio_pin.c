/* SPDX-License-Identifier: GPL-2.0-only */
/* prio_pin: MP_PRIO passes, is dropped, or has its backup bit forced on or off, as the tunable `action` says. Nothing else is touched. */
#include "../../bpf/opt/prio_pin.bpf.c"
#include "policy_run.h"

#define AREAS 300000

static void model(struct expectation *e)
{
	for (unsigned int i = 0; i < e->r.n; i++) {
		const struct found *o = &e->r.opt[i];
		uint8_t *bits = e->want + o->off + 2, was = *bits;

		if (o->subtype != 5)
			continue;
		switch (action) {
		case 0:
			expected[passed]++;
			break;
		case 1:
			expect_nops(e, o);
			expected[removed]++;
			break;
		case 2:
			*bits = was / 2 * 2 + 1;
			expected[was % 2 ? passed : forced]++;
			break;
		case 3:
			*bits = was / 2 * 2;
			expected[was % 2 ? forced : passed]++;
			break;
		}
	}
}

static void random_areas(void **unused)
{
	unsigned int total[MPB_COUNTERS_END] = { 0 };
	uint64_t state = 20;
	struct mpb_seg s;
	struct area a;

	(void)unused;
	for (int i = 0; i < AREAS; i++) {
		area_random(&a, &state, MPTCP_PRIO);
		area_segment(&a, &state, &s);
		s.dir = rnd(&state) % 2;
		action = i % 4;
		run_policy(&s, model);
		for (int c = 0; c < MPB_COUNTERS_END; c++)
			total[c] += counted[c];
		run_again(&s);
	}
	print_message("# %d areas: %u removed, %u forced, %u passed\n", AREAS, total[removed], total[forced], total[passed]);
	assert_true(total[removed] > 1000 && total[forced] > 1000 && total[passed] > 1000);
}

static const struct {
	const char *what;
	uint8_t act, in[8], out[8];
} cases[] = {
	{ "pass", 0, { 30, 3, 0x51, 30, 3, 0x50, 1, 0 }, { 30, 3, 0x51, 30, 3, 0x50, 1, 0 } },
	{ "drop, with and without ID", 1, { 30, 3, 0x51, 30, 4, 0x50, 9, 0 }, { 1, 1, 1, 1, 1, 1, 1, 0 } },
	{ "backup", 2, { 30, 3, 0x51, 30, 4, 0x50, 9, 0 }, { 30, 3, 0x51, 30, 4, 0x51, 9, 0 } },
	{ "active", 3, { 30, 3, 0x51, 30, 4, 0x50, 9, 0 }, { 30, 3, 0x50, 30, 4, 0x50, 9, 0 } },
	{ "reserved bits stay", 2, { 30, 3, 0x5e, 0, 0 }, { 30, 3, 0x5f, 0, 0 } },
	{ "reserved bits stay", 3, { 30, 3, 0x5f, 0, 0 }, { 30, 3, 0x5e, 0, 0 } },
	{ "other subtypes pass", 1, { 30, 3, 0x41, 30, 4, 0x61, 9, 0 }, { 30, 3, 0x41, 30, 4, 0x61, 9, 0 } },
	{ "other kinds pass", 1, { 31, 3, 0x51, 29, 4, 0x51, 9, 0 }, { 31, 3, 0x51, 29, 4, 0x51, 9, 0 } },
};

static void crafted(void **unused)
{
	(void)unused;
	assert_int_equal(action, 1); /* the default: drop */
	for (unsigned int i = 0; i < COUNT(cases); i++) {
		struct mpb_seg s = { .pkt.optlen = sizeof(cases[i].in) };

		memcpy(s.opts, cases[i].in, sizeof(cases[i].in));
		action = cases[i].act;
		run_policy(&s, model);
		if (memcmp(s.opts, cases[i].out, sizeof(cases[i].out)))
			fail_msg("%s", cases[i].what);
		assert_int_equal(s.changed, !!memcmp(cases[i].in, cases[i].out, sizeof(cases[i].out)));
	}
}

UNIT_MAIN(cmocka_unit_test(crafted), cmocka_unit_test(random_areas))
