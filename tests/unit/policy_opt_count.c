/* SPDX-License-Identifier: GPL-2.0-only */
/* opt_count: counts every MPTCP option under its subtype, and the reason of every MP_TCPRST of length 4; changes nothing. */
#include "../../bpf/opt/opt_count.bpf.c"
#include "policy_run.h"

#define AREAS 300000

/* IANA "MPTCP Option Subtypes" and "MPTCP MP_TCPRST Reason Codes", in the registries' order. */
static const unsigned int subtypes[16] = { mp_capable, mp_join, dss, add_addr, remove_addr, mp_prio, mp_fail, mp_fastclose, mp_tcprst, subtype_9,
					   subtype_10, subtype_11, subtype_12, subtype_13, subtype_14, mp_experimental };
static const unsigned int reasons[7] = { rst_unspecified, rst_mptcp, rst_resources, rst_prohibited, rst_outstanding_data, rst_performance,
					 rst_middlebox };

static void model(struct expectation *e)
{
	for (unsigned int i = 0; i < e->r.n; i++) {
		const struct found *o = &e->r.opt[i];

		expected[subtypes[o->subtype]]++;
		if (o->subtype == 8 && o->len == 4) {
			uint8_t reason = e->seg->opts[o->off + 3];

			expected[reason < COUNT(reasons) ? reasons[reason] : (unsigned int)rst_unknown]++;
		}
	}
}

static void random_areas(void **unused)
{
	unsigned int total[MPB_COUNTERS_END] = { 0 };
	uint64_t state = 30;
	struct mpb_seg s;
	struct area a;

	(void)unused;
	for (int i = 0; i < AREAS; i++) {
		area_random(&a, &state, rnd(&state) % 2 ? MPTCP_TCPRST : -1);
		for (unsigned int j = 3; j < a.len; j++) /* reasons there are */
			if (a.b[j - 3] == 30 && a.b[j - 2] == 4 && rnd(&state) % 2)
				a.b[j] %= 9;
		area_segment(&a, &state, &s);
		run_policy(&s, model);
		assert_int_equal(s.changed, 0);
		for (int c = 0; c < MPB_COUNTERS_END; c++)
			total[c] += counted[c];
	}
	for (int c = mp_capable; c < MPB_COUNTERS_END; c++)
		if (total[c] < 1000)
			fail_msg("counter %d was hardly exercised", c);
	print_message("# %d areas, %u MP_TCPRST\n", AREAS, total[mp_tcprst]);
}

static void crafted(void **unused)
{
	(void)unused;
	for (unsigned int subtype = 0; subtype < 16; subtype++) {
		for (unsigned int reason = 0; reason < 256; reason++) {
			struct mpb_seg s = { .pkt.optlen = 8, .opts = { 1, 1, 1, 1, 30, 4, subtype << 4, reason } };
			unsigned int sum = 0;

			run_policy(&s, model);
			assert_int_equal(counted[subtypes[subtype]], 1);
			for (unsigned int c = rst_unspecified; c <= rst_unknown; c++)
				sum += counted[c];
			assert_int_equal(sum, subtype == MPTCP_TCPRST);
			assert_int_equal(counted[rst_unknown], subtype == MPTCP_TCPRST && reason > 6);
		}
	}
}

UNIT_MAIN(cmocka_unit_test(crafted), cmocka_unit_test(random_areas))
