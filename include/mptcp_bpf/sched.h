/* SPDX-License-Identifier: GPL-2.0-only */
/* What a packet-scheduling policy sees of a connection, and what it answers. Pure: no helper, no packet, no map; the same text runs in the kernel, in
 * the unit tests, under the fuzzer and in the simulator. */
#ifndef MPTCP_BPF_SCHED_H
#define MPTCP_BPF_SCHED_H

#include <linux/types.h>

#define MPB_SUBFLOWS 8    /* of one connection that a policy sees; a power of two */
#define MPB_PRIV_SIZE 64  /* bytes of private memory a connection */
#define MPB_IDLE_NS 1000000000ULL

/* Subflows of a view: bit i stands for sf[i]. */
typedef __u32 mpb_set;

/* What a subflow is; bits of mpb_sf.flags. */
enum {
	MPB_SF_LOCKED = 1 << 0,      /* its own endpoint is configured backup: the kernel uses it when there is no other, whatever a policy says */
	MPB_SF_PEER_BACKUP = 1 << 1, /* the peer asked for it to be backup (MP_JOIN or MP_PRIO) */
	MPB_SF_LOSS = 1 << 2,        /* its retransmission timer has expired, and nothing was acknowledged since */
	MPB_SF_RECOVERY = 1 << 3,    /* it repairs a loss (fast recovery) */
};

/* One subflow, as its last acknowledgement left it. */
struct mpb_sf {
	__u64 sent;        /* bytes that it was given, ever: sent once or waiting in its queue */
	__u64 acked;       /* bytes acknowledged, ever */
	__u64 delivery;    /* bytes per second that arrived lately; 0: not known yet */
	__u64 pacing;      /* bytes per second, the kernel's own pacing rate */
	__u64 rate;        /* bytes per second that the operator says the path has; 0: not said */
	__u64 acked_ns;    /* when something on it was last acknowledged */
	__u32 srtt_us;     /* 0: no sample yet; min_rtt_us after MPB_IDLE_NS with nothing under way: the queue that was measured is gone */
	__u32 rttvar_us;
	__u32 min_rtt_us;  /* of the kernel's window (5 min); 0: no sample yet */
	__u32 cwnd;        /* packets */
	__u32 inflight;    /* packets sent, not acknowledged and not taken for lost */
	__u32 mss;         /* bytes of payload in a packet */
	__u32 unsent;      /* bytes waiting in its queue */
	__u32 lost;        /* packets marked lost, ever */
	__u32 weight;      /* the operator's, 0..1000; 1 unless said */
	__u32 cost;        /* the operator's, 0..1000: lower is preferred; 0 unless said */
	__u32 ifindex;     /* device that it leaves by */
	__u8 local_id;     /* address IDs (RFC 8684 section 2.2) */
	__u8 remote_id;
	__u8 flags;        /* MPB_SF_* */
	__u8 backoff;      /* expiries of the retransmission timer in a row */
};
_Static_assert(sizeof(struct mpb_sf) == 96, "struct mpb_sf crosses a boundary");

/* One connection. An unused sf[i] is all zeros. */
struct mpb_view {
	__u64 now_ns;    /* CLOCK_MONOTONIC */
	__u64 queued;    /* bytes that the application wrote and no subflow was given */
	__u64 inflight;  /* bytes given to subflows, DATA_ACK outstanding */
	__u64 window;    /* bytes that the peer's window still takes at the data level */
	__u32 token;
	mpb_set alive;   /* established and not given up: the ones to choose from */
	mpb_set set;     /* in force now: those of alive that are not backup */
	__u32 pad;
	struct mpb_sf sf[MPB_SUBFLOWS];
};
_Static_assert(sizeof(struct mpb_view) == 816, "struct mpb_view crosses a boundary");

/* Why a policy chose what it chose; X(enumerator, word). For `monitor` and `explain`; it steers nothing. */
#define MPB_REASONS(X)                                                     \
	X(MPB_WHY_NONE, "unsaid")                                          \
	X(MPB_WHY_ALL, "all paths")                                        \
	X(MPB_WHY_ONLY, "no other")                                        \
	X(MPB_WHY_FASTER, "faster")                                        \
	X(MPB_WHY_FULL, "preferred path full")                             \
	X(MPB_WHY_ROOM, "preferred path has room again")                   \
	X(MPB_WHY_SHARE, "behind its share")                               \
	X(MPB_WHY_FAILED, "path failed")                                   \
	X(MPB_WHY_RETURNED, "path returned")                               \
	X(MPB_WHY_COST, "cheaper")                                         \
	X(MPB_WHY_WAIT, "waiting beats the slower path")

enum mpb_why {
#define X(id, word) id,
	MPB_REASONS(X)
#undef X
	MPB_WHY_MAX
};

/* What a policy asks for besides the set. Zeroed before each decision. */
struct mpb_ask {
	__u64 rate[MPB_SUBFLOWS]; /* bytes per second at which subflow i is paced at the most; 0: as the congestion control does */
	__u32 why;                /* enum mpb_why */
	__u32 pad;
};
_Static_assert(sizeof(struct mpb_ask) == 72, "struct mpb_ask crosses a boundary");

static inline mpb_set mpb_bit(__u32 i)
{
	return 1U << (i & (MPB_SUBFLOWS - 1));
}

/* Whoever neither end asked to be backup; all that are alive if there is no such. Without a branch a subflow: the verifier follows each of them. */
static inline mpb_set mpb_preferred(const struct mpb_view *v)
{
	mpb_set backup = 0;

	_Static_assert(MPB_SF_LOCKED == 1 && MPB_SF_PEER_BACKUP == 2, "the two lowest bits");
	for (__u32 i = 0; i < MPB_SUBFLOWS; i++)
		backup |= ((v->sf[i].flags | v->sf[i].flags >> 1) & 1U) << i;
	return v->alive & ~backup ? v->alive & ~backup : v->alive;
}

/* Bytes per second that the subflow can be expected to carry: the operator's word, else what it delivered, else a window a round trip. */
static inline __u64 mpb_rate(const struct mpb_sf *sf)
{
	if (sf->rate)
		return sf->rate;
	if (sf->delivery)
		return sf->delivery;
	return sf->srtt_us ? (__u64)sf->cwnd * sf->mss * 1000000 / sf->srtt_us : 0;
}

#endif
