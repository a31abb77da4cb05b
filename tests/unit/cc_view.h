/* SPDX-License-Identifier: GPL-2.0-only */
/* For the unit tests of congestion controls: connections made at random. The policy is included before. */
#ifndef MPB_TEST_CC_VIEW_H
#define MPB_TEST_CC_VIEW_H

#include <math.h>
#include "unit.h"
#include "area.h" /* rnd() */

#define STATES 1000000

/* A figure between low and high, each order of magnitude as likely. */
static inline double spread(uint64_t *state, double low, double high)
{
	return low * pow(high / low, rnd(state) % 1000001 / 1e6);
}

static inline struct mpb_cc_sf sf_random(uint64_t *state)
{
	return (struct mpb_cc_sf){ .cwnd = spread(state, 2, 100000), .mss = rnd(state) % 4 ? 1448 : 536 + rnd(state) % 8464,
				   .srtt_us = spread(state, 50, 2000000), .interval = rnd(state) % 8 ? spread(state, 1, 1e12) : 0 };
}

/* One to eight subflows with gaps between them; some are twins. */
static inline struct mpb_cc_view view_random(uint64_t *state)
{
	unsigned int who = 1 + rnd(state) % 255, own;
	struct mpb_cc_view v = {};

	for (unsigned int i = 0; i < MPB_GROUP_MAX; i++) {
		if (!(who >> i & 1))
			continue;
		v.sf[i] = i && v.sf[i - 1].cwnd && rnd(state) % 4 == 0 ? v.sf[i - 1] : sf_random(state);
		v.n++;
	}
	do
		own = rnd(state) % MPB_GROUP_MAX;
	while (!(who >> own & 1));
	v.own = v.sf[own];
	return v;
}

static inline double window(const struct mpb_cc_sf *s)
{
	return (double)s->cwnd * s->mss;
}

static inline double rate(const struct mpb_cc_sf *s)
{
	return window(s) / s->srtt_us;
}

#endif
