/* SPDX-License-Identifier: GPL-2.0-only */
/* split - shares by bytes: each subflow gets its path's weight out of the sum of weights, such as 7:2:1.
 * While the application limits, one subflow has its turn until it is its share of `quantum` ahead of the one that is furthest behind. While data waits for
 * all of them, sets are too coarse, since what is queued on a subflow drains first: then one subflow, the one whose path binds the total, runs freely, and
 * the others are paced to its progress. One that cannot keep up with it becomes the one that binds. So no rate has to be known. Those that the operator
 * gave are filled to `load` percent, so that no queue builds up and no loss disturbs the shares.
 * Good: contracts, data caps, paths whose ratio is known. Bad: delay of the slowest path, capacity that the ratio leaves idle. Cost: O(subflows) an ACK.
 * Source: deficit round robin (Shreedhar and Varghese, SIGCOMM 1995) for the turns. */
#include <mptcp_bpf/sched.bpf.h>
#include <mptcp_bpf/choose.h>

MPB_TUNE(__u32, quantum, 40960, 1448, 1048576, "bytes of a round of turns, while the application limits");
MPB_TUNE(__u32, settle_ms, 100, 10, 10000, "while data waits, a subflow that is ahead is back at its share after this time (ms)");
MPB_TUNE(__u32, load, 93, 10, 100, "how much of the rate that was given for a path is used; headers and repairs need the rest (percent)");

#define YOUNG (4U << 20)    /* bytes: a connection that sent less counts from its first byte */
#define AHEAD (4U << 20)    /* bytes: no more is made good, to either side, nor more than a second's; an error e is kept as e + AHEAD */
#define LAG_US 300000ULL    /* a subflow that is so far behind binds */
#define LAG_MIN 65536U      /* bytes */
#define WAITING 131072      /* bytes in the queues: more is no burst of the application any more */
#define IDLE_NS 100000000ULL
#define BURST_NS 200000000ULL
#define SLICE_NS 100000000ULL
#define PACE_MIN 4096ULL    /* bytes per second */

struct split {
	__u32 base[MPB_SUBFLOWS]; /* low half of the mpb_sf.sent at which the error is 0 */
	__u64 queued_ns;          /* when data last waited */
	__u64 slice_ns;           /* in bulk, begin of the slice of time that is measured; else data waits since; 0: none, it does not */
	__u32 gained;             /* bytes per unit of weight by which the one that binds progressed in it */
	__u32 pace;               /* the same a second, as a mean of slices; 0: not known yet */
	mpb_set members;
	__u8 turn;                /* index of the one whose turn it is */
	__u8 binds;               /* index of the one whose path binds */
	__u8 bulk;                /* data waited lately */
	__u8 pad;
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

/* Bytes of each subflow since its base. In bulk what waits in its queue does not count yet. */
static void split_bytes(const struct mpb_view *v, struct split *priv, __u32 bulk, __u32 *bytes)
{
	__u32 enters = -(__u32)mpb_nonzero(bulk & ~priv->bulk), leaves = -(__u32)mpb_nonzero(priv->bulk & ~bulk);

	for (__u32 i = 0; i < MPB_SUBFLOWS; i++) {
		priv->base[i] += (v->sf[i].unsent & leaves) - (v->sf[i].unsent & enters);
		bytes[i] = (__u32)v->sf[i].sent - (v->sf[i].unsent & -bulk) - priv->base[i];
	}
	priv->bulk = bulk;
}

/* Bulk: data has waited for longer than a burst of the application does, and did until a moment ago. */
static bool split_waits(const struct mpb_view *v, struct split *priv)
{
	__u64 unsent = 0, since = priv->slice_ns;
	bool waits, bulk;

	for (__u32 i = 0; i < MPB_SUBFLOWS; i++)
		unsent += v->sf[i].unsent;
	waits = v->queued || unsent > WAITING;
	if (waits)
		priv->queued_ns = v->now_ns;
	if (priv->bulk) {
		bulk = v->now_ns - priv->queued_ns < IDLE_NS;
	} else {
		since = since ? since : v->now_ns;
		bulk = waits && v->now_ns - since >= BURST_NS;
	}
	if (bulk != priv->bulk || !waits)
		since = bulk & priv->bulk ? since : 0;
	priv->slice_ns = since;
	return bulk;
}

/* The errors of all shares by the progress of the subflow `by`, whose own becomes 0: from bytes to e + AHEAD. Returns the progress, bytes per unit of
 * weight. */
static __u32 split_settle(const struct mpb_view *v, struct split *priv, __u32 by, __u32 *bytes)
{
	__u32 own = bytes[by & (MPB_SUBFLOWS - 1)], progress;
	__u64 sent = 0;

	for (__u32 i = 0; i < MPB_SUBFLOWS; i++)
		sent += v->sf[i].sent;
	own &= (own >> 31) - 1; /* below 0: 0 */
	progress = own / split_weight(&v->sf[by & (MPB_SUBFLOWS - 1)]);
	for (__u32 i = 0; i < MPB_SUBFLOWS; i++) {
		__u32 share = progress * split_weight(&v->sf[i]);
		__u64 error = (__s64)(__s32)(bytes[i] - share) + (1ULL << 32), second = (__u64)priv->pace * split_weight(&v->sf[i]);
		__u64 most = mpb_min(AHEAD, LAG_MIN + second + AHEAD * (1 - mpb_nonzero(second)) + (AHEAD & mpb_less(sent, YOUNG)));
		__u64 kept = mpb_min(mpb_minus(error, (1ULL << 32) - most), 2 * most) + AHEAD - most;

		priv->base[i] += share + (__u32)(error - (1ULL << 32) + AHEAD - kept);
		bytes[i] = kept;
	}
	return progress;
}

/* The subflow that is furthest behind. */
static __u32 split_last(const struct mpb_view *v, mpb_set members, const __u32 *bytes)
{
	__u64 progress[MPB_SUBFLOWS];

	for (__u32 i = 0; i < MPB_SUBFLOWS; i++)
		progress[i] = (bytes[i] & ((bytes[i] >> 31) - 1)) / split_weight(&v->sf[i]);
	return mpb_least(members, progress);
}

/* A subflow with data to send that lags too far behind binds from now on. */
static void split_bind(const struct mpb_view *v, struct split *priv, const __u32 *error)
{
	__u64 key[MPB_SUBFLOWS];
	__u32 last, lag;

	for (__u32 i = 0; i < MPB_SUBFLOWS; i++) {
		__u64 late = mpb_time_us(mpb_minus(AHEAD, error[i]), (__u64)priv->pace * split_weight(&v->sf[i]));

		key[i] = MPB_LATE_US - (late & -(__u64)mpb_nonzero(v->sf[i].unsent));
	}
	last = mpb_least(priv->members, key) & (MPB_SUBFLOWS - 1);
	lag = mpb_minus(AHEAD, error[last]);
	if (last == priv->binds || lag < LAG_MIN || (MPB_LATE_US - key[last] < LAG_US && lag < AHEAD / 2))
		return;
	lag /= split_weight(&v->sf[last]);
	for (__u32 i = 0; i < MPB_SUBFLOWS; i++)
		priv->base[i] -= lag * split_weight(&v->sf[i]);
	priv->binds = last;
	priv->slice_ns = 0;
}

/* Bytes per second that may be put on a path whose rate was given; else MPB_KEY_MAX. */
static __u64 split_most(const struct mpb_sf *sf)
{
	__u64 given = mpb_waiting(sf->rate);

	return (given * load / 100 + 2 * mpb_nonzero(given) - 1) & MPB_KEY_MAX;
}

/* The pace at which no path is given more than that. */
static __u64 split_top(const struct mpb_view *v, mpb_set members)
{
	__u64 top = MPB_KEY_MAX;

	for (__u32 i = 0; i < MPB_SUBFLOWS; i++) {
		__u64 most = split_most(&v->sf[i]) / split_weight(&v->sf[i]), counts = mpb_nonzero(v->sf[i].rate) & members >> i;

		top = mpb_min(top, most | (MPB_KEY_MAX & (counts - 1)));
	}
	return top;
}

/* The pace follows a better progress faster than a worse one: a path may pause (as BBR does, to probe). Where the one that binds has nothing to send, it
 * is not its path that binds: what others were given fills the peer's window or the send buffer, and the pace is too low. */
static void split_measure(const struct mpb_view *v, struct split *priv)
{
	__u64 took = v->now_ns - priv->slice_ns, progress, pace = priv->pace, top = split_top(v, priv->members);

	if (priv->slice_ns && took < SLICE_NS)
		return;
	if (!pace && top < MPB_KEY_MAX) {
		priv->pace = mpb_min(top, ~0U);
	} else if (priv->slice_ns && took < 20 * SLICE_NS) {
		progress = priv->gained * 1000000000ULL / took;
		if (!v->sf[priv->binds & (MPB_SUBFLOWS - 1)].unsent)
			progress = pace + pace / 4;
		else if (pace)
			progress = progress > pace ? (3 * pace + progress) / 4 : (7 * pace + progress) / 8;
		priv->pace = mpb_min(mpb_min(progress, top), ~0U);
	}
	priv->slice_ns = v->now_ns;
	priv->gained = 0;
}

/* Bytes per second for a subflow that is off its share by e = error - AHEAD bytes. At least half its share, since what waits in its queue may be what the
 * peer waits for. */
static __u64 split_rate(const struct mpb_sf *sf, __u32 pace, __u32 error)
{
	__u64 share = (__u64)pace * split_weight(sf);
	__u64 more = mpb_minus(AHEAD, error) * 1000ULL / settle_ms, less = mpb_minus(error, AHEAD) * 1000ULL / settle_ms;

	return PACE_MIN + share / 2 + mpb_minus(share / 2 + mpb_min(more, share / 4), less);
}

/* None runs faster than its path's rate allows; 0: as fast as the congestion control lets it. */
static void split_pace(const struct mpb_view *v, const struct split *priv, const __u32 *error, struct mpb_ask *ask)
{
	__u64 known = mpb_nonzero(priv->pace);

	for (__u32 i = 0; i < MPB_SUBFLOWS; i++) {
		__u64 most = split_most(&v->sf[i]);
		__u64 paced = -(__u64)(known & mpb_nonzero(i ^ priv->binds)), rate = mpb_min(most, split_rate(&v->sf[i], priv->pace, error[i]));

		rate = most ^ ((most ^ rate) & paced);
		ask->rate[i] = rate & mpb_less(rate, MPB_KEY_MAX);
	}
}

static mpb_set split_bulk(const struct mpb_view *v, struct split *priv, __u32 *bytes, struct mpb_ask *ask)
{
	if (!(priv->members & mpb_bit(priv->binds)))
		priv->binds = split_last(v, priv->members, bytes);
	priv->gained += split_settle(v, priv, priv->binds, bytes);
	split_measure(v, priv);
	split_bind(v, priv, bytes);
	split_pace(v, priv, bytes, ask);
	return priv->members; /* among them the kernel evens out how long their queues last */
}

static mpb_set split_turns(const struct mpb_view *v, struct split *priv, __u32 *bytes)
{
	__u32 weights = 0, turn = priv->turn & (MPB_SUBFLOWS - 1), last = split_last(v, priv->members, bytes);

	split_settle(v, priv, last, bytes);
	for (__u32 i = 0; i < MPB_SUBFLOWS; i++)
		weights += split_weight(&v->sf[i]) & -(priv->members >> i & 1);
	if (!(priv->members & mpb_bit(turn)) || mpb_minus(bytes[turn], AHEAD) * weights >= (__u64)quantum * split_weight(&v->sf[turn]))
		turn = last;
	priv->turn = turn;
	return mpb_bit(turn);
}

static mpb_set split_pick(const struct mpb_view *v, struct split *priv, struct mpb_ask *ask)
{
	mpb_set members = split_members(v);
	__u32 bytes[MPB_SUBFLOWS];
	bool bulk;

	if (members != priv->members)
		split_enter(v, priv, members);
	bulk = split_waits(v, priv);
	split_bytes(v, priv, bulk, bytes);
	ask->why = MPB_WHY_SHARE;
	return bulk ? split_bulk(v, priv, bytes, ask) : split_turns(v, priv, bytes);
}

MPB_SCHED(split, "shares of the bytes by the paths' weights", split, MPB_PACES);
