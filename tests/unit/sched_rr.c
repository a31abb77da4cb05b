/* SPDX-License-Identifier: GPL-2.0-only */
/* rr: whoever is fed as it says gets an equal share, whatever the size of the bursts; a subflow that comes, goes or fails does not upset the others. */
#include "../../bpf/sched/rr.bpf.c"
#include "sched.h"

/* Feeds bursts of up to `most` bytes to the first allowed subflow. */
static void feed(struct mpb_view *v, uint64_t *state, unsigned int most, unsigned int bursts)
{
	while (bursts--) {
		mpb_set set = decide(v);

		assert_true(set && !(set & ~v->alive));
		v->sf[__builtin_ctz(set)].sent += 1 + rnd(state) % most;
	}
}

static void equal_shares(void **unused)
{
	static const unsigned int bursts[] = { 1400, 10000, 65536, 300000 };
	uint64_t state = 1;

	(void)unused;
	for (unsigned int n = 1; n <= MPB_SUBFLOWS; n++) {
		for (unsigned int b = 0; b < COUNT(bursts); b++) {
			struct mpb_view v = view_of(n);

			forget();
			feed(&v, &state, bursts[b], 40000);
			for (unsigned int i = 0; i < n; i++) {
				double off = share(&v, i) * n - 1;

				if (off < -0.01 || off > 0.01)
					print_error("%u subflows, bursts up to %u: %u has %+.2f %%\n", n, bursts[b], i, 100 * off);
				assert_true(off > -0.01 && off < 0.01);
			}
		}
	}
}

static void one_away(void **unused)
{
	struct mpb_view v = view_of(3);
	uint64_t state = 1, was[3];

	(void)unused;
	forget();
	feed(&v, &state, 5000, 10000);
	v.sf[1].flags = MPB_SF_LOSS;
	feed(&v, &state, 5000, 10000);
	v.sf[1].flags = 0;
	for (unsigned int i = 0; i < 3; i++)
		was[i] = v.sf[i].sent;
	feed(&v, &state, 5000, 10000);
	for (unsigned int i = 0; i < 3; i++)
		assert_in_range(v.sf[i].sent - was[i], 2500ULL * 10000 / 3 * 98 / 100, 2500ULL * 10000 / 3 * 102 / 100);
}

static void waiting_data_opens_all(void **unused)
{
	struct mpb_view v = view_of(3);

	(void)unused;
	forget();
	v.queued = 1;
	for (unsigned int i = 0; i < 3; i++)
		v.sf[i].inflight = v.sf[i].cwnd;
	assert_int_equal(decide(&v), 7);
}

UNIT_MAIN(cmocka_unit_test(equal_shares), cmocka_unit_test(one_away), cmocka_unit_test(waiting_data_opens_all))
