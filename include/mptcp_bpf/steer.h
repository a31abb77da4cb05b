/* SPDX-License-Identifier: GPL-2.0-only */
/* The scheduler runtime's record of a connection that a policy of ours steers; keyed by token. */
#ifndef MPTCP_BPF_STEER_H
#define MPTCP_BPF_STEER_H

#include <mptcp_bpf/sched.h>
#include <mptcp_bpf/state.h>

/* Slots of policies; 0 stands for none: the stock scheduler. */
#define MPB_SLOTS 64

struct mpb_steer {
	__u32 busy;    /* a CPU decides on it */
	__u32 slot;    /* of its policy */
	__u32 layout;  /* of priv; 0: none yet */
	__u32 backup;  /* bit i: the kernel's flag of sf[i], as last read or set */
	__u32 wish;    /* bit i: what the peer wants it to be */
	__u32 flips;
	struct mpb_view view;
	struct mpb_ask ask;
	__u8 priv[MPB_PRIV_SIZE] __attribute__((aligned(8)));
	struct mpb_tuple tuple[MPB_SUBFLOWS]; /* of sf[i]; sport 0: unused */
	__u64 flipped_ns[MPB_SUBFLOWS];       /* when the flag of sf[i] was last changed by us */
	__u64 read_ns[MPB_SUBFLOWS];          /* when sf[i] was read from its socket */
};

#endif
