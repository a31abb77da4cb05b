/* SPDX-License-Identifier: GPL-2.0-only */
/* wvegas against the algorithm of Cao, Xu and Fu, ICNP 2012, round by round. */
#include "../../bpf/cc/wvegas.bpf.c"
#include "cc_view.h"

static struct mpb_cc_round round_random(uint64_t *state, uint32_t cwnd)
{
	struct mpb_cc_round r = { .cwnd = cwnd, .ssthresh = rnd(state) % 2 ? cwnd - 1 : cwnd + 1 + rnd(state) % 1000, .base_us = spread(state, 50, 2000000) };

	r.rtt_us = r.base_us * (1 + rnd(state) % 3 * (rnd(state) % 1000) / 1000.);
	r.burst = rnd(state) % 2 ? 0 : rnd(state) % 50;
	r.queue_us = rnd(state) % 2 ? 0 : (r.rtt_us - r.base_us) / (1 + rnd(state) % 4);
	return r;
}

/* Is x so near to a whole number that rounding decides? */
static bool unsure(double x)
{
	return fabs(x - round(x)) < 1e-6 * fmax(x, 1);
}

static void rounds(void **unused)
{
	uint64_t state = 5;
	unsigned int compared = 0, drained = 0, kept = 0;

	(void)unused;
	for (int n = 0; n < STATES; n++) {
		struct mpb_cc_view v = view_random(&state);
		struct mpb_cc_round r = round_random(&state, v.own.cwnd), was = r;
		double sum = 0, delay = r.rtt_us - r.base_us, queued = floor((double)r.cwnd * delay / r.rtt_us), share, alpha, cwnd = r.cwnd;
		double least = was.queue_us && was.queue_us < delay ? was.queue_us : delay;
		int slow_start = wvegas_round(&v, &r);

		assert_true(r.cwnd >= 2);
		for (unsigned int i = 0; i < MPB_GROUP_MAX; i++)
			sum += v.sf[i].cwnd ? rate(&v.sf[i]) : 0;
		share = total_alpha * rate(&v.own) / sum;
		if (unsure(share))
			continue;
		compared++;
		alpha = fmax(fmax(2, was.burst), floor(share));
		assert_int_equal(slow_start, was.cwnd < was.ssthresh && queued <= fmax(ss_gamma, was.burst - 1.));
		if (was.cwnd < was.ssthresh) {
			if (!slow_start)
				assert_true(r.cwnd == fmax(2, cwnd - queued + 1) && r.ssthresh < r.cwnd);
			continue;
		}
		cwnd += (queued < alpha) - (queued > alpha);
		kept += queued == alpha;
		assert_true(r.ssthresh > 0.75 * cwnd - 2 && r.ssthresh <= fmax(was.ssthresh, 0.75 * cwnd));
		if (queued >= alpha && delay >= 2 * fmax(least, floor(was.rtt_us * (double)was.burst / fmax(2, cwnd)))) {
			drained++;
			assert_true(fabs(r.cwnd - fmax(2, cwnd * r.base_us / (2. * r.rtt_us))) <= 1);
		} else {
			assert_true(r.cwnd == fmax(2, cwnd));
		}
	}
	print_message("# %u compared, %u drained, %u kept\n", compared, drained, kept);
	assert_true(compared > STATES / 2 && drained > STATES / 100 && kept > STATES / 1000);
}

UNIT_MAIN(cmocka_unit_test(rounds))
