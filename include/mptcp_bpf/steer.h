/* SPDX-License-Identifier: GPL-2.0-only */
/* The scheduler runtime's records. */
#ifndef MPTCP_BPF_STEER_H
#define MPTCP_BPF_STEER_H

#include <mptcp_bpf/sched.h>
#include <mptcp_bpf/state.h>

#define MPB_INJECTED_URG 0x6d70 /* the urgent pointer, without its flag, tells a segment that the runtime injected */

/* Slots of policies; 0 stands for none: the stock scheduler. */
#define MPB_SLOTS 64

/* A connection that a rule gives to a policy of ours; keyed by token. Whoever changes it but `slot` holds `busy`. */
struct mpb_steer {
	__u32 busy;       /* a CPU decides on it */
	__u32 slot;       /* of its policy */
	__u32 layout;     /* of priv; 0: none yet */
	__u32 paths;      /* generation of the paths that the view has */
	mpb_set backup;   /* the kernel's flag of each subflow, as last read or set */
	mpb_set wish;     /* what the peer wants it to be */
	mpb_set meant;    /* what we last set it to */
	mpb_set used;     /* sf[i] and tuple[i] stand for a subflow */
	__u32 flips;
	mpb_set woken;    /* looked at again right after a segment that found it unfinished */
	struct mpb_view view;
	struct mpb_ask ask;
	__u8 priv[MPB_PRIV_SIZE] __attribute__((aligned(8)));
	__u64 sk[MPB_SUBFLOWS];               /* mpb_subflow.sk of sf[i] */
	__u64 paced[MPB_SUBFLOWS];            /* rate that was last asked for it */
	__u64 flipped_ns[MPB_SUBFLOWS];       /* when we last changed its flag */
	__u64 read_ns[MPB_SUBFLOWS];          /* when it was read from its socket */
	struct mpb_tuple tuple[MPB_SUBFLOWS];
};
_Static_assert(sizeof(struct mpb_steer) == 1536, "struct mpb_steer crosses a boundary");

/* What the runtime counts, a namespace. Each says why it let the stock choice stand; X(name, help). */
#define MPB_STEER_COUNTERS(X)                                                                 \
	X(acks, "segments of steered connections")                                            \
	X(timeouts, "retransmissions after a timeout")                                        \
	X(decisions, "policies asked")                                                        \
	X(flips, "priorities changed")                                                        \
	X(own, "injected segments seen again")                                                \
	X(wishes, "MP_PRIO of peers")                                                         \
	X(busy, "skipped: another CPU was deciding on the connection")                        \
	X(unread, "skipped: the subflow's socket was not found")                              \
	X(many, "subflows beyond the eighth of a connection, left alone")                     \
	X(empty, "policy slot empty: stock choice")                                           \
	X(nothing, "policy picked nothing that is alive and can be enabled: stock choice")    \
	X(carrier, "changes put off: the segment cannot carry them")                          \
	X(failed, "changes that could not be delivered")                                      \
	X(unheeded, "changes that the kernel did not take, made again")                       \
	X(dropped, "segments dropped: could not be restored")

struct mpb_steer_counts {
#define X(name, help) __u64 name;
	MPB_STEER_COUNTERS(X)
#undef X
};

/* What the controller tells the runtime; one entry. */
struct mpb_steer_conf {
	__u32 paths; /* generation of the paths */
	__u32 pad;
};

/* What the controller asks of the runtime for one subflow, by a test run of its program: a frame that ends in this. It returns 0, or enum mpb_kicked. */
enum mpb_kick_op { MPB_KICK_DECIDE, MPB_KICK_RULES, MPB_KICK_RELEASE };
enum mpb_kicked { MPB_KICKED, MPB_KICK_BUSY, MPB_KICK_UNKNOWN, MPB_KICK_FULL, MPB_KICK_FAILED };

struct mpb_kick {
	__u32 op;
	__u32 pad;
	struct mpb_tuple key;
};
#define MPB_KICK_AT 64     /* its place in the frame */
#define MPB_KICK_FRAME 128 /* bytes of the frame */

#endif
