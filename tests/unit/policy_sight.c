/* SPDX-License-Identifier: GPL-2.0-only */
/* sight: notes every MPTCP option but DSS, and MP_PRIO that a scheduler injected; changes nothing. */
#include "../../bpf/opt/sight.bpf.c"
#include "policy_run.h"

#define AREAS 100000

static unsigned int signals;
static int of_ours;

int mpb_wait(struct mpb_seg *s)
{
	assert_int_equal(s->subtype, MPTCP_DSS);
	assert_int_equal(s->dir, MPB_IN);
	return 1;
}

int mpb_signal(struct mpb_seg *s)
{
	assert_int_not_equal(s->subtype, MPTCP_DSS);
	signals++;
	return of_ours;
}

static void model(struct expectation *e)
{
	for (unsigned int i = 0; i < e->r.n; i++)
		if (e->r.opt[i].subtype != 2 && !(e->r.opt[i].subtype == 5 && e->seg->pkt.urg == 0x6d70))
			expected[of_ours ? noted : foreign]++;
}

static void random_areas(void **unused)
{
	uint64_t state = 7;
	struct mpb_seg s;
	struct area a;

	(void)unused;
	for (int i = 0; i < AREAS; i++) {
		area_random(&a, &state, rnd(&state) % 2 ? MPTCP_PRIO : -1);
		area_segment(&a, &state, &s);
		s.pkt.urg = rnd(&state) % 2 ? 0x6d70 : 0;
		of_ours = rnd(&state) % 2;
		signals = 0;
		run_policy(&s, model);
		assert_int_equal(signals, counted[noted] + counted[foreign]);
		assert_int_equal(s.changed, 0);
	}
}

UNIT_MAIN(cmocka_unit_test(random_areas))
