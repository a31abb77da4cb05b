/* SPDX-License-Identifier: GPL-2.0-only */
/* split - shares by bytes: each subflow gets its path's weight out of the sum of weights, such as 7:2:1.
 * While the application limits, one subflow has its turn until it is its share of `quantum` ahead of the one that is furthest behind. While data waits for
 * all of them, sets are too coarse, since what is queued on a subflow drains first: then all are used, the one furthest behind runs freely, and
 * the others are paced to its progress. So the path that binds sets the total, and no rate has to be known; one that the operator gave is not exceeded.
 * Good: contracts, data caps, paths whose ratio is known. Bad: delay of the slowest path, capacity that the ratio leaves idle. Cost: O(subflows) an ACK.
 * Source: deficit round robin (Shreedhar and Varghese, SIGCOMM 1995) for the turns. */
#include <mptcp_bpf/sched.bpf.h>
#include <mptcp_bpf/choose.h>

MPB_TUNE(__u32, quantum, 40960, 1448, 1048576, "bytes of a round of turns, while the application limits");
MPB_TUNE(__u32, settle_ms, 100, 10, 10000, "while data waits, a subflow that is ahead is back at its share after this time (ms)");

#define YOUNG (4U << 20)     /* bytes: a connection that sent less counts from its first byte */
#define AHEAD_MAX (1U << 19) /* bytes: no more is made good to a subflow that could not keep up */
#define IDLE_NS 100000000ULL
#define SLICE_NS 50000000ULL
#define PACE_MIN 4096ULL     /* bytes per second */

/* Progress is counted in bytes per unit of weight; that of the member furthest behind is 0 after each decision. */
struct split {
	__u32 base[MPB_SUBFLOWS]; /* low half of the mpb_sf.sent at which the progress is 0 */
	__u64 queued_ns;          /* when data last waited */
	__u64 slice_ns;           /* begin of the slice of time that is measured; 0: none */
	__u32 gained;             /* progress of the member furthest behind in it */
	__u32 pace;               /* the same a second, as a mean of slices; 0: not known yet */
	mpb_set members;
	__u32 turn;               /* index of the one whose turn it is */
};

/* Who shares: a weight of 0 means only where there is no other. */
static mpb_set split_members(const struct mpb_view *v)
{
	mpb_set usable = mpb_usable(v), weighed = 0;

	for (__u32 i = 0; i < MPB_SUBFLOWS; i++)
		weighed |= mpb_nonzero(v->sf[i].weight) << i;
	return usable & weighed ? usable & weighed : usable;
}

static __u32 split_weight(const struct mpb_sf *sf)
{
	return sf->weight + 1 - mpb_nonzero(sf->weight);
}

/* Others share than before: what was before is forgotten, but for a young connection, whose second subflow has just come. */
static void split_enter(const struct mpb_view *v, struct split *priv, mpb_set members)
{
	__u64 sent = 0;

	for (__u32 i = 0; i < MPB_SUBFLOWS; i++)
		sent += v->sf[i].sent;
	for (__u32 i = 0; i < MPB_SUBFLOWS; i++)
		priv->base[i] = sent < YOUNG ? 0 : (__u32)v->sf[i].sent;
	priv->members = members;
	priv->slice_ns = 0;
	priv->pace = 0;
}

/* Bytes that each subflow is ahead of the member furthest behind, which is returned. on_wire: what waits in a subflow's queue does not count yet. */
static __u32 split_settle(const struct mpb_view *v, struct split *priv, bool on_wire, __u32 *ahead)
{
	__u64 progress[MPB_SUBFLOWS], least;
	__u32 last;

	for (__u32 i = 0; i < MPB_SUBFLOWS; i++) {
		__u32 bytes = (__u32)v->sf[i].sent - (on_wire ? v->sf[i].unsent : 0) - priv->base[i];

		ahead[i] = bytes & ((bytes >> 31) - 1); /* below 0: 0 */
		progress[i] = ahead[i] / split_weight(&v->sf[i]);
	}
	last = mpb_least(priv->members, progress);
	least = progress[last];
	for (__u32 i = 0; i < MPB_SUBFLOWS; i++) {
		__u64 share = least * split_weight(&v->sf[i]);
		__u64 left = mpb_minus(ahead[i], share);

		ahead[i] = mpb_min(left, AHEAD_MAX);
		priv->base[i] += share + (left - ahead[i]);
	}
	priv->gained += least;
	return last;
}

static void split_measure(struct split *priv, __u64 now_ns)
{
	__u64 took = now_ns - priv->slice_ns, pace;

	if (priv->slice_ns && took < SLICE_NS)
		return;
	if (priv->slice_ns && took < 20 * SLICE_NS) {
		pace = priv->gained * 1000000000ULL / took;
		if (priv->pace)
			pace = (3ULL * priv->pace + pace) / 4;
		priv->pace = pace < ~0U ? pace : ~0U;
	}
	priv->slice_ns = now_ns;
	priv->gained = 0;
}

/* Bytes per second for a subflow that is so many bytes ahead. A little above its share, so that it does not fall behind by chance. */
static __u64 split_rate(const struct mpb_sf *sf, __u32 pace, __u32 ahead)
{
	__u64 share = (__u64)pace * split_weight(sf), back = ahead * 1000ULL / settle_ms;

	return PACE_MIN + share / 8 + mpb_minus(share - share / 16, back);
}

/* All members run; 0 is as fast as the congestion control lets it. */
static void split_pace(const struct mpb_view *v, const struct split *priv, __u32 last, const __u32 *ahead, struct mpb_ask *ask)
{
	for (__u32 i = 0; i < MPB_SUBFLOWS; i++) {
		__u64 known = v->sf[i].rate & MPB_KEY_MAX, most = known | MPB_KEY_MAX * (1 - mpb_nonzero(known));
		__u64 paced = -(__u64)(mpb_nonzero(i ^ last) & mpb_nonzero(priv->pace)), rate;

		rate = mpb_min(most, split_rate(&v->sf[i], priv->pace, ahead[i]));
		rate = most ^ ((most ^ rate) & paced);
		ask->rate[i] = rate & mpb_less(rate, MPB_KEY_MAX);
	}
}

static mpb_set split_pick(const struct mpb_view *v, struct split *priv, struct mpb_ask *ask)
{
	mpb_set members = split_members(v);
	__u32 ahead[MPB_SUBFLOWS], last, weights = 0, turn = priv->turn & (MPB_SUBFLOWS - 1);
	bool waits;

	if (members != priv->members)
		split_enter(v, priv, members);
	if (v->queued)
		priv->queued_ns = v->now_ns;
	waits = priv->queued_ns && v->now_ns - priv->queued_ns < IDLE_NS;
	last = split_settle(v, priv, waits, ahead);
	ask->why = MPB_WHY_SHARE;
	if (waits) {
		split_measure(priv, v->now_ns);
		split_pace(v, priv, last, ahead, ask);
		return members;
	}
	priv->slice_ns = 0;
	for (__u32 i = 0; i < MPB_SUBFLOWS; i++)
		weights += split_weight(&v->sf[i]) & -(members >> i & 1);
	if (!(members & mpb_bit(turn)) || (__u64)ahead[turn] * weights >= (__u64)quantum * split_weight(&v->sf[turn]))
		turn = last;
	priv->turn = turn;
	return mpb_bit(turn);
}

MPB_SCHED(split, "shares of the bytes by the paths' weights", split, MPB_PACES);
