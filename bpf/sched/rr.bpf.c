/* SPDX-License-Identifier: GPL-2.0-only */
/* rr - round robin: each subflow in turn takes `quantum` bytes, whatever it is like.
 * What a subflow took beyond its turn (a burst of the application goes where it is allowed to when it comes) is owed to the others: deficit round robin.
 * While data waits because the one whose turn it is takes no more, all are used.
 * Good: measuring, equal paths. Bad: paths of unlike delay or rate. Cost: O(subflows) an ACK.
 * Source: Shreedhar and Varghese, SIGCOMM 1995. */
#include <mptcp_bpf/sched.bpf.h>
#include <mptcp_bpf/choose.h>

MPB_TUNE(__u32, quantum, 16384, 1448, 1048576, "bytes of a turn");

#define DEBT_MAX 64 /* turns that a subflow may owe: no more is remembered of a time when the others could not send */

struct rr {
	__u32 end[MPB_SUBFLOWS]; /* low half of mpb_sf.sent at which the turn is over */
	mpb_set known;           /* who has had a turn */
	__u32 turn;              /* index */
};

/* Bytes that are left of the turn of subflow i; at most 0: it is over. */
static __s32 rr_left(const struct mpb_view *v, const struct rr *priv, __u32 i)
{
	return priv->end[i] - (__u32)v->sf[i].sent;
}

static void rr_begin(const struct mpb_view *v, struct rr *priv, __u32 i)
{
	__s32 left = rr_left(v, priv, i), debt = DEBT_MAX * quantum;

	if (!(priv->known & mpb_bit(i)) || left > 0)
		left = 0;
	if (left < -debt)
		left = -debt;
	priv->end[i] = (__u32)v->sf[i].sent + left + quantum;
	priv->known |= mpb_bit(i);
}

/* The next one with something left of its turn; if all owe more than that, the one that owes least. */
static __u32 rr_next(const struct mpb_view *v, struct rr *priv, mpb_set usable)
{
	__u32 turn = priv->turn & (MPB_SUBFLOWS - 1);
	__u64 debt[MPB_SUBFLOWS];

	for (__u32 n = 0; n < MPB_SUBFLOWS; n++) {
		turn = (turn + 1) & (MPB_SUBFLOWS - 1);
		if (usable & mpb_bit(turn)) {
			rr_begin(v, priv, turn);
			if (rr_left(v, priv, turn) > 0)
				return turn;
		}
	}
	for (__u32 i = 0; i < MPB_SUBFLOWS; i++)
		debt[i] = (__u32)v->sf[i].sent - priv->end[i];
	return mpb_least(usable, debt);
}

static mpb_set rr_pick(const struct mpb_view *v, struct rr *priv, struct mpb_ask *ask)
{
	__u32 turn = priv->turn & (MPB_SUBFLOWS - 1);
	mpb_set usable = mpb_usable(v);

	priv->known &= usable;
	if (!(priv->known & mpb_bit(turn)) || rr_left(v, priv, turn) <= 0)
		turn = rr_next(v, priv, usable);
	priv->turn = turn;
	if (v->queued && mpb_full(&v->sf[turn])) {
		ask->why = MPB_WHY_FULL;
		return usable;
	}
	ask->why = MPB_WHY_SHARE;
	return mpb_bit(turn);
}

MPB_SCHED(rr, "every subflow in turn, by bytes", rr);
