/* SPDX-License-Identifier: GPL-2.0-only */
/* split: the shares that the weights ask for, by turns while the application limits, by rates in bulk, where the total is what the path that binds allows:
 * min(capacity / weight) times the sum of weights. */
#include "../../bpf/sched/split.bpf.c"
#include "sched.h"

static const struct {
	unsigned int n, weight[MPB_SUBFLOWS];
} splits[] = {
	{ 2, { 1, 1 } }, { 2, { 3, 1 } }, { 3, { 7, 2, 1 } }, { 2, { 1, 1000 } }, { 4, { 400, 300, 200, 100 } }, { 3, { 1, 0, 1 } },
	{ 8, { 1, 2, 3, 4, 5, 6, 7, 8 } }, { 1, { 5 } },
};

static double wanted(unsigned int s, unsigned int i)
{
	double sum = 0;

	for (unsigned int j = 0; j < splits[s].n; j++)
		sum += splits[s].weight[j];
	return splits[s].weight[i] / sum;
}

static struct mpb_view view_weighed(unsigned int s)
{
	struct mpb_view v = view_of(splits[s].n);

	for (unsigned int i = 0; i < splits[s].n; i++)
		v.sf[i].weight = splits[s].weight[i];
	return v;
}

static void by_turns(void **unused)
{
	uint64_t state = 1;

	(void)unused;
	for (unsigned int s = 0; s < COUNT(splits); s++) {
		struct mpb_view v = view_weighed(s);

		forget();
		for (int burst = 0; burst < 20000; burst++) {
			mpb_set set = decide(&v);

			assert_true(set && !(set & (set - 1)));
			v.sf[__builtin_ctz(set)].sent += 1 + rnd(&state) % 8192;
			v.now_ns += MS;
		}
		for (unsigned int i = 0; i < splits[s].n; i++) {
			double off = share(&v, i) - wanted(s, i);

			if (off < -0.005 || off > 0.005)
				print_error("split %u: %u has %.4f, wanted %.4f\n", s, i, share(&v, i), wanted(s, i));
			assert_true(off > -0.005 && off < 0.005);
		}
	}
}

/* Paths of these capacities, always backlogged, each as fast as it can or as it is asked to; an ACK a millisecond. Capacities change; the last 10 of 40 s count. */
static void in_bulk(void **unused)
{
	static const double capacity[][MPB_SUBFLOWS] = {
		{ 6e6, 6e6, 6e6, 6e6, 6e6, 6e6, 6e6, 6e6 }, { 12e6, 1e6, 3e6, 2e6, 5e6, 4e6, 4e6, 8e6 }, { 1e5, 6e7, 1e6, 1e7, 1e6, 1e7, 1e6, 1e7 },
	};

	(void)unused;
	for (unsigned int s = 0; s < COUNT(splits); s++) {
		struct mpb_view v = view_weighed(s);

		forget();
		v.queued = v.window = 1 << 20;
		for (unsigned int i = 0; i < MPB_SUBFLOWS; i++)
			v.sf[i].sent = v.sf[i].unsent = 10000; /* always something in each queue */
		for (unsigned int c = 0; c < COUNT(capacity); c++) {
			double allowed = 1e18, before[MPB_SUBFLOWS], all = 0;

			for (unsigned int i = 0; i < splits[s].n; i++)
				if (splits[s].weight[i] && capacity[c][i] / wanted(s, i) < allowed)
					allowed = capacity[c][i] / wanted(s, i);
			for (int ms = 0; ms < 40000; ms++) {
				mpb_set set = decide(&v);

				if (ms == 30000)
					for (unsigned int i = 0; i < splits[s].n; i++)
						before[i] = v.sf[i].sent;
				for (unsigned int i = 0; i < splits[s].n; i++) {
					double rate = capacity[c][i];

					assert_true(ms <= 200 || !(set >> i & 1) == !splits[s].weight[i]);
					if (decided.ask.rate[i] && decided.ask.rate[i] < rate)
						rate = decided.ask.rate[i];
					v.sf[i].sent += set >> i & 1 ? rate / 1000 : 0;
				}
				v.now_ns += MS;
			}
			for (unsigned int i = 0; i < splits[s].n; i++)
				all += v.sf[i].sent - before[i];
			for (unsigned int i = 0; i < splits[s].n; i++) {
				double off = (v.sf[i].sent - before[i]) / all - wanted(s, i);

				if (off < -0.005 || off > 0.005)
					print_error("split %u, capacities %u: %u is off by %+.4f\n", s, c, i, off);
				assert_true(off > -0.005 && off < 0.005);
			}
			if (all / 10 < 0.96 * allowed)
				print_error("split %u, capacities %u: %.0f of %.0f bytes per second\n", s, c, all / 10, allowed);
			assert_true(all / 10 >= 0.96 * allowed);
		}
	}
}

static void given_rate(void **unused)
{
	struct mpb_view v = view_of(2);

	(void)unused;
	forget();
	v.queued = 1;
	v.sf[0].weight = 3;
	v.sf[0].rate = 1000000;
	decide(&v);
	v.now_ns += 200 * MS;
	assert_int_equal(decide(&v), 3);
	assert_in_range(decided.ask.rate[0], 930000, 930001);
	assert_in_range(decided.ask.rate[1], 310000, 315000);
	forget();
	v.sf[0].rate = 0;
	decide(&v);
	v.now_ns += 200 * MS;
	assert_int_equal(decide(&v), 3);
	assert_int_equal(decided.ask.rate[0], 0);
}

UNIT_MAIN(cmocka_unit_test(by_turns), cmocka_unit_test(in_bulk), cmocka_unit_test(given_rate))
