/* SPDX-License-Identifier: GPL-2.0-only */
/* For the unit tests of packet-scheduling policies: connections made at random, one decision, and a connection that is fed. The policy is included before. */
#ifndef MPB_TEST_SCHED_H
#define MPB_TEST_SCHED_H

#include "unit.h"
#include "area.h" /* rnd() */

#define MS 1000000ULL
#define VIEWS 200000

static struct {
	_Alignas(8) uint8_t priv[MPB_PRIV_SIZE];
	struct mpb_ask ask;
} decided;

static inline void forget(void)
{
	memset(&decided, 0, sizeof(decided));
}

static inline mpb_set decide(const struct mpb_view *v)
{
	memset(&decided.ask, 0, sizeof(decided.ask));
	return mpb_sched_under_test.pick(v, decided.priv, &decided.ask);
}

/* n plain subflows, all alike. */
static inline struct mpb_view view_of(unsigned int n)
{
	struct mpb_view v = { .now_ns = 1000 * MS, .window = 1 << 20, .alive = (1 << n) - 1, .set = (1 << n) - 1 };

	for (unsigned int i = 0; i < n; i++)
		v.sf[i] = (struct mpb_sf){ .srtt_us = 20000, .min_rtt_us = 20000, .cwnd = 10, .mss = 1400, .weight = 1 };
	return v;
}

/* A view of what may be seen: figures of real size, ties, unknowns, gaps among the living. */
static inline struct mpb_view view_random(uint64_t *state)
{
	struct mpb_view v = { .now_ns = 3000 * MS, .queued = rnd(state) % 2 * (rnd(state) % 2000000), .inflight = rnd(state) % 1000000,
			      .window = rnd(state) % 4000000, .alive = rnd(state) % 4 ? 3 : rnd(state) & 255 };

	v.set = v.alive;
	for (unsigned int i = 0; i < MPB_SUBFLOWS; i++) {
		struct mpb_sf *s = &v.sf[i];

		s->srtt_us = rnd(state) % 8 ? 1000 * (1 + rnd(state) % 100) : 0;
		s->rttvar_us = rnd(state) % 10000;
		s->min_rtt_us = s->srtt_us * (rnd(state) % 4) / 4;
		s->cwnd = 1 + rnd(state) % 200;
		s->inflight = rnd(state) % 2 ? s->cwnd : rnd(state) % 200;
		s->mss = rnd(state) % 2 ? 1400 : 536;
		s->unsent = rnd(state) % 2 * (rnd(state) % 200000);
		s->delivery = rnd(state) % 2 * (rnd(state) % 10000000);
		s->rate = rnd(state) % 4 ? 0 : 1 + rnd(state) % 10000000;
		s->sent = rnd(state);
		s->weight = rnd(state) % 4;
		s->cost = rnd(state) % 3;
		s->flags = rnd(state) % 4 ? 0 : rnd(state) % 16;
	}
	return v;
}

/* mpb_usable() in plain words. */
static inline mpb_set ref_usable(const struct mpb_view *v)
{
	for (int pass = 0; pass < 3; pass++) {
		static const unsigned int shunned[] = { MPB_SF_LOCKED | MPB_SF_PEER_BACKUP | MPB_SF_LOSS, MPB_SF_LOSS, MPB_SF_LOCKED | MPB_SF_PEER_BACKUP };
		mpb_set set = 0;

		for (unsigned int i = 0; i < MPB_SUBFLOWS; i++)
			if (v->alive >> i & 1 && !(v->sf[i].flags & shunned[pass]))
				set |= 1 << i;
		if (set)
			return set;
	}
	return v->alive;
}

/* The first member with the least value. */
static inline int ref_least(mpb_set set, const double *value)
{
	int best = -1;

	for (int i = 0; i < MPB_SUBFLOWS; i++)
		if (set >> i & 1 && (best < 0 || value[i] < value[best]))
			best = i;
	return best;
}

/* Times in microseconds, rates in bytes per second. */
static inline double ref_rtt(const struct mpb_sf *s)
{
	return s->srtt_us ? s->srtt_us : 1e6;
}

static inline double ref_oneway(const struct mpb_sf *s)
{
	return ref_rtt(s) - s->min_rtt_us / 2.0;
}

static inline double ref_rate(const struct mpb_sf *s)
{
	return s->rate ? s->rate : s->delivery ? s->delivery : s->srtt_us ? (double)s->cwnd * s->mss / (s->srtt_us / 1e6) : 0;
}

static inline double ref_window(const struct mpb_sf *s)
{
	return (double)s->cwnd * s->mss;
}

static inline double ref_room(const struct mpb_sf *s)
{
	double room = ((double)s->cwnd - s->inflight) * s->mss - s->unsent;

	return room > 0 ? room : 0;
}

static inline bool ref_busy(const struct mpb_sf *s)
{
	return ref_room(s) == 0 || (s->min_rtt_us && s->srtt_us >= 2 * s->min_rtt_us);
}

static inline double ref_time(double bytes, double rate)
{
	return bytes / (rate > 0 ? rate : 1) * 1e6;
}

/* Whether the two differ by so little that rounding may decide; such views are left out. */
static inline bool close_to(double a, double b)
{
	return a - b < 3 && b - a < 3;
}

static inline void ref_rtts(const struct mpb_view *v, double *rtt)
{
	for (int i = 0; i < MPB_SUBFLOWS; i++)
		rtt[i] = ref_rtt(&v->sf[i]);
}

/* Compares decisions on random views with a reference, which may be unsure; `before` puts something into the private memory. */
static inline void compare_sets(mpb_set (*reference)(const struct mpb_view *v, bool *unsure), void (*before)(uint64_t *state))
{
	unsigned int more = 0, compared = 0;
	uint64_t state = 1;

	for (int n = 0; n < VIEWS; n++) {
		struct mpb_view v = view_random(&state);
		bool unsure = false;
		mpb_set want, got;

		if (!v.alive)
			continue;
		forget();
		if (before)
			before(&state);
		want = reference(&v, &unsure);
		got = decide(&v);
		if (unsure)
			continue;
		if (got != want)
			print_error("view %d\n", n);
		assert_int_equal(got, want);
		more += !!(got & (got - 1));
		compared++;
	}
	print_message("# %u compared, %u with more than one\n", compared, more);
	assert_true(compared > VIEWS / 2 && more > VIEWS / 100);
}

static inline double share(const struct mpb_view *v, unsigned int i)
{
	double all = 0;

	for (unsigned int j = 0; j < MPB_SUBFLOWS; j++)
		all += v->sf[j].sent;
	return v->sf[i].sent / all;
}

#endif
