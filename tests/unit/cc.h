/* SPDX-License-Identifier: GPL-2.0-only */
/* For the unit tests of congestion controls that go by loss: their increases against formulas in double precision. The policy is included before. */
#ifndef MPB_TEST_CC_H
#define MPB_TEST_CC_H

#include "cc_view.h"

#define CHUNKS 64 /* a round trip's ACKs */

static inline double value(mpb_num a)
{
	return ldexp(mpb_mantissa(a), mpb_exponent(a));
}

static inline double off_by(double got, double want)
{
	return want ? fabs(got / want - 1) : got ? INFINITY : 0;
}

/* A round trip of ACKs: the window that the account arrives at, with its fraction, against change * cwnd. */
static inline void compare_round(const struct mpb_cc_change *c, uint32_t cwnd)
{
	double want = (value(c->up) - value(c->down)) * cwnd, got;
	uint32_t now = cwnd, left = cwnd, part;
	__s64 credit = 0;

	for (unsigned int i = 0; i < CHUNKS && left; i++) {
		part = i == CHUNKS - 1 ? left : left / (CHUNKS - i);
		now = mpb_cc_step(c, part, now, &credit);
		left -= part;
		assert_true(credit >= 0 && credit < 1LL << MPB_CREDIT_BITS);
	}
	got = (int32_t)(now - cwnd) + ldexp(credit, -MPB_CREDIT_BITS);
	if (fabs(want) > 1e-15)
		assert_true(fabs(got - want) <= 0.01 * fabs(want) || fabs(got - want) < 1e-9);
	if (c->up && !c->down)
		assert_true(got > 0);
}

/* reference(): packets for one acknowledged packet, up and down; false where it cannot tell, because of a tie that rounding decides. */
static inline void compare_increases(bool (*reference)(const struct mpb_cc_view *v, double *up, double *down))
{
	unsigned int compared = 0;
	uint64_t state = 1;
	double worst = 0;

	for (int n = 0; n < STATES; n++) {
		struct mpb_cc_view v = view_random(&state);
		struct mpb_cc_change c = {};
		double up, down, off;

		mpb_cc_under_test.increase(&v, &c);
		if (!reference(&v, &up, &down))
			continue;
		compared++;
		off = fmax(off_by(value(c.up), up), off_by(value(c.down), down));
		worst = fmax(worst, off);
		if (off > 0.01)
			print_error("state %d: got +%g -%g, want +%g -%g\n", n, value(c.up), value(c.down), up, down);
		assert_true(off <= 0.01);
		if (n % 16 == 0)
			compare_round(&c, v.own.cwnd);
	}
	print_message("# %u compared, off by %.2g at the most\n", compared, worst);
	assert_true(compared > STATES * 9 / 10);
}

/* A connection whose round-trip times differ by no more than a factor of ten. */
static inline struct mpb_cc_view view_alike(uint64_t *state)
{
	struct mpb_cc_view v = view_random(state);
	double least = spread(state, 50, 200000);

	for (unsigned int i = 0; i < MPB_GROUP_MAX; i++) {
		bool own = !memcmp(&v.sf[i], &v.own, sizeof(v.own));

		v.sf[i].srtt_us = spread(state, least, 10 * least);
		if (own)
			v.own = v.sf[i];
	}
	return v;
}

/* Over a round trip in which all windows grow, each by a packet in its own round trip: the growth by increases that are kept until they are due, against that
 * by the formula at each ACK. Off by how much, of all that goes up and down. */
static inline double kept_is_off(struct mpb_cc_view v, bool (*reference)(const struct mpb_cc_view *v, double *up, double *down))
{
	const struct mpb_cc_view start = v;
	double want = 0, got = 0, all = 0, up, down, part = (double)v.own.cwnd / CHUNKS;
	struct mpb_cc_change c = {};
	uint64_t at = 0, now;
	uint32_t cwnd = 0;

	for (unsigned int i = 0; i < CHUNKS; i++) {
		now = (uint64_t)v.own.srtt_us * i / CHUNKS;
		for (unsigned int j = 0; j < MPB_GROUP_MAX; j++)
			if (v.sf[j].cwnd)
				v.sf[j].cwnd = start.sf[j].cwnd + now / v.sf[j].srtt_us;
		v.own.cwnd = start.own.cwnd + now / v.own.srtt_us;
		if (!i || mpb_cc_is_due(now - at, v.own.srtt_us, v.own.cwnd != cwnd)) {
			c = (struct mpb_cc_change){};
			mpb_cc_under_test.increase(&v, &c);
			at = now;
			cwnd = v.own.cwnd;
		}
		if (!reference(&v, &up, &down))
			return 0;
		want += (up - down) * part;
		all += (up + down) * part;
		got += (value(c.up) - value(c.down)) * part;
	}
	return fabs(got - want) / all;
}

static inline void compare_kept(bool (*reference)(const struct mpb_cc_view *v, double *up, double *down), double worst_allowed)
{
	uint64_t state = 3;
	double worst = 0, sum = 0, off;
	int n, above = 0;

	for (n = 0; n < STATES / 50; n++) {
		off = kept_is_off(view_alike(&state), reference);
		worst = fmax(worst, off);
		above += off > 0.01;
		sum += off;
	}
	print_message("# kept for a part of a round trip: off by %.2g at the most, %.2g in the mean, over 0.01 in %g of the states\n", worst, sum / n, (double)above / n);
	assert_true(worst <= worst_allowed && sum / n <= 0.001 && above <= n / 50);
}

/* A subflow without siblings grows as Reno's: 1 / cwnd. */
static inline void alone_is_reno(void **unused)
{
	uint64_t state = 2;

	(void)unused;
	for (int n = 0; n < 100000; n++) {
		struct mpb_cc_view v = { .n = 1 };
		struct mpb_cc_change c = {};

		v.own = v.sf[n % MPB_GROUP_MAX] = sf_random(&state);
		mpb_cc_under_test.increase(&v, &c);
		assert_true(off_by(value(c.up), 1. / v.own.cwnd) < 1e-7 && !c.down);
	}
}

#endif
