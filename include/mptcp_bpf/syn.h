/* SPDX-License-Identifier: GPL-2.0-only */
/* Connections whose first SYN is not answered yet: records that the agent and its program share. */
#ifndef MPTCP_BPF_SYN_H
#define MPTCP_BPF_SYN_H

#include <mptcp_bpf/state.h>

#define MPB_SYNS 256 /* at a time; further ones are not watched */

/* Keyed by the socket's address. */
struct mpb_syn {
	struct mpb_tuple tuple; /* as it was when last looked at */
	__u16 bound;            /* 1: the application chose the address or the device */
	__u16 fixed;            /* 1: the kernel does not change its address any more: a socket of the family AF_INET6 */
	__u64 sent_ns;          /* CLOCK_MONOTONIC, when the SYN left last; 0: not known yet */
};
_Static_assert(sizeof(struct mpb_syn) == 48, "struct mpb_syn crosses a boundary");

#endif
