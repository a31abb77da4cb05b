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
