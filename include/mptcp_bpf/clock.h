/* SPDX-License-Identifier: GPL-2.0-only */
/* What each subflow's acknowledgements tell of its path: records that the agent and its program share. */
#ifndef MPTCP_BPF_CLOCK_H
#define MPTCP_BPF_CLOCK_H

#include <mptcp_bpf/state.h>

#define MPB_CLOCKS 4096 /* subflows that are watched; further ones are not. A walk costs their room, not their number */

/* A subflow, keyed by its tuple. */
struct mpb_clock {
	__u64 heard_ns;     /* when something last came in */
	__u64 first_ask_ns; /* since it last did; 0: nothing was asked */
	__u64 last_ask_ns;
	__u64 sk;           /* as in struct mpb_subflow */
	__u32 asks;
	__u32 segs_in;
	__u32 token;
	__u32 ifindex;      /* of the device that it last left by */
	__u8 local_id;
	__u8 remote_id;
	__u8 open;          /* it carries data, or is about to */
	__u8 pad[3];
	__u16 loss;         /* of the data that was sent in the second before: sent again (1/10 %) */
	__u64 poor_ns;      /* when that was told last */
	__u64 counted_ns;   /* when that was counted last; 0: it was not */
	__u64 sent, resent; /* then: tcp_sock's bytes_sent and bytes_retrans */
	__u32 srtt_us;      /* when something last came in; 0: nothing has, or the kernel has none */
	__u32 pad2;
};
_Static_assert(sizeof(struct mpb_clock) == 96, "struct mpb_clock crosses a boundary");

enum mpb_clock_what {
	MPB_CLOCK_ASK,        /* an acknowledgement is overdue, or the subflow was idle for long: send a probe */
	MPB_CLOCK_UNANSWERED, /* nor were the probes answered; told again and again */
	MPB_CLOCK_POOR,       /* a round-trip time, a rate or a loss is beyond its bound; told again and again */
};

struct mpb_clock_event {
	struct mpb_clock clock;
	struct mpb_tuple tuple;
	__u32 seq;       /* of a probe: the last byte that was acknowledged */
	__u32 ack;
	__u16 window;    /* as on the wire */
	__u16 what;      /* enum mpb_clock_what */
	__u32 srtt_us;
	__u64 silent_ns; /* since something last came in */
	__u32 inflight;  /* packets */
	__u32 rate;      /* of delivery: bytes per second; no more than 32 bits hold */
};
_Static_assert(sizeof(struct mpb_clock_event) == 168, "struct mpb_clock_event crosses a boundary");

/* The contexts of its programs. clock_stand: where a subflow stands, for a segment of it. */
struct mpb_stand {
	struct mpb_tuple tuple; /* in */
	__u32 seq, ack;
	__u16 window;           /* as on the wire */
	__u16 alive;            /* 0: there is no such subflow any more */
};
_Static_assert(sizeof(struct mpb_stand) == 48, "struct mpb_stand crosses a boundary");

/* clock_tick */
struct mpb_tick {
	__u32 discover; /* in: find new subflows first, and forget those that are gone */
	__u32 subflows; /* out: alive */
	__u32 waiting;  /* out: of these, with something in flight or asked */
	__u32 asked;    /* out: of these, asked and not heard since */
	__u32 untold;   /* out: events that found no room */
};
_Static_assert(sizeof(struct mpb_tick) == 20, "struct mpb_tick crosses a boundary");

#endif
