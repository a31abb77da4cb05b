/* SPDX-License-Identifier: GPL-2.0-only */
/* Connections and subflows: the vocabulary that the data path, the controller and the tests share. */
#ifndef MPTCP_BPF_STATE_H
#define MPTCP_BPF_STATE_H

#include <linux/types.h>

#define MPB_SUBFLOWS_DEFAULT 65536
#define MPB_SUBFLOWS_MAX (1 << 24)
#define MPB_NAMESPACES_MAX 4096

/* Addresses and ports, network order; IPv4 as IPv4-mapped IPv6. In a packet: from source to destination. As the key of `subflows`: source is the
 * local end. */
struct mpb_tuple {
	__be32 saddr[4];
	__be32 daddr[4];
	__be16 sport;
	__be16 dport;
};
_Static_assert(sizeof(struct mpb_tuple) == 36, "struct mpb_tuple crosses a boundary");

/* A connection, keyed by its local token. */
enum mpb_demand {
	MPB_DEMAND_UNSAID, /* as yes */
	MPB_DEMAND_YES,    /* when its paths are poor, costly ones are opened (mptcp-bpf run demand=1), and it joins those that are open */
	MPB_DEMAND_NO,
};

struct mpb_conn {
	__u64 born_ns;  /* CLOCK_MONOTONIC; when first seen */
	__u32 subflows; /* alive */
	__u32 joined;   /* ever */
	char cc[16];    /* the congestion control that a rule chose; "": none did */
	__u32 demand;   /* enum mpb_demand, as a rule said when it began */
	__u32 pad;
};
_Static_assert(sizeof(struct mpb_conn) == 40, "struct mpb_conn crosses a boundary");

enum mpb_side { MPB_ACTIVE, MPB_PASSIVE, MPB_ADOPTED };

/* A subflow, keyed by its tuple. */
struct mpb_subflow {
	__u64 born_ns;
	__u32 token;
	__u32 flips;       /* priority changes that a scheduler of ours made */
	__u8 local_id;     /* address IDs of RFC 8684 section 2.2 */
	__u8 remote_id;
	__u8 side;         /* enum mpb_side */
	__u8 peer_backup;  /* the peer's own wish at MP_JOIN */
	__u8 index;        /* 1 + its number in the scheduler's view; 0: none yet */
	__u8 cc_checks;    /* times that the congestion control of the rule is still to be looked at */
	__u8 pad[2];
	__u64 sk;          /* the socket: an address for reading that may fault or mislead, so what is read is checked */
	__u64 rate;        /* at which a scheduler wants it paced, bytes per second; 0: it does not */
	__u64 rate_set;    /* what the socket was told of that */
	__u64 rate_own;    /* the socket's own limit before; 0: not known yet */
	__u64 asked;       /* the peer's limit, which is obeyed: bytes per second; 0: none */
};
_Static_assert(sizeof(struct mpb_subflow) == 64, "struct mpb_subflow crosses a boundary");

/* What the observer counts for a namespace; X(name, help). */
#define MPB_NS_COUNTERS(X)                                                   \
	X(born, "subflows seen to be established")                           \
	X(gone, "subflows seen to close")                                    \
	X(subflows_full, "subflows not recorded: the table is full")         \
	X(conns_full, "connections not recorded: the table is full")         \
	X(unreadable, "MPTCP sockets whose state could not be read")         \
	X(cc_refused, "congestion controls of rules that a socket refused")  \
	X(cc_reverted, "congestion controls of rules set again")             \
	X(paced, "pacing rates set for schedulers")

struct mpb_ns {
#define X(name, help) __u64 name;
	MPB_NS_COUNTERS(X)
#undef X
};

/* One subflow, and its connection, as the kernel has them at this moment: what the snapshot iterator writes. Sequence spaces in bytes, windows of subflows in
 * packets. */
struct mpb_snap {
	struct mpb_tuple tuple;
	__u32 token;
	__u64 msk;             /* identity of the connection's socket in this snapshot */
	__u64 sk;              /* and of the subflow's */
	__u64 bytes_sent;      /* tcpi_bytes_sent */
	__u64 bytes_acked;
	__u64 bytes_retrans;
	__u64 bytes_received;
	__u64 pacing_bps;      /* bytes per second */
	__u64 delivery_bps;    /* bytes per second; 0: no sample yet */
	__u64 conn_sent;       /* of the connection: without what was sent again; 0: this kernel does not count it */
	__u64 conn_received;   /* of the connection: in order, without duplicates */
	__u64 conn_queued;     /* written by the application, given to no subflow */
	__u64 conn_inflight;   /* given to subflows, DATA_ACK outstanding */
	__u64 conn_window;     /* that the peer's window still takes */
	__u64 conn_ahead;      /* from the next byte in order to the last that has arrived; 0: nothing is missing */
	__u64 dsn_sent;        /* next to send, next to be acknowledged, next to arrive: 64-bit DSN */
	__u64 dsn_acked;
	__u64 dsn_received;
	__u32 ifindex;
	__u32 srtt_us;
	__u32 rttvar_us;
	__u32 min_rtt_us;      /* 0: no sample yet */
	__u32 mss;
	__u32 cwnd;
	__u32 ssthresh;
	__u32 inflight;        /* packets */
	__u32 unsent;          /* bytes queued and not yet sent */
	__u32 peer_window;     /* bytes that the peer's window still takes on this subflow */
	__u32 lost;            /* packets marked lost, ever */
	__u32 dsack_dups;      /* duplicates that the peer reported */
	__u32 subflow_id;      /* 0: this kernel has none */
	__u32 path_bound;      /* ifindex that the socket is bound to; 0: none */
	__s16 local_id;
	__u8 remote_id;
	__u8 state;            /* TCP state */
	__u8 backup;           /* set by a received MP_PRIO or by the peer's JOIN */
	__u8 request_bkup;     /* set by the own endpoint */
	__u8 stale;
	__u8 family;           /* of the addresses on the wire: 4 or 6 */
	__u8 established;      /* fully, in the sense of RFC 8684 section 3.1 */
	__u8 joined;           /* by MP_JOIN */
	__u8 paced;            /* the kernel keeps segments back until it is their time */
	__u8 ca_state;         /* enum tcp_ca_state */
	__u8 backoff;          /* expiries of the retransmission timer in a row */
	__u8 fallback;         /* enum mpb_fallback, if the connection is plain TCP */
	__u8 pad[2];
	char cc[16];
	char sched[16];        /* the kernel's packet scheduler of the connection; "" where it has but one */
	__u64 delivered_ns;    /* CLOCK_MONOTONIC, when something was acknowledged last */
	__u64 stock_bps;       /* bytes per second by which the stock scheduler reckons; 0: this kernel's does not */
	__u32 stock_queued;    /* bytes that it takes for queued */
	__u32 mark;
};
_Static_assert(sizeof(struct mpb_snap) == 304, "struct mpb_snap crosses a boundary");

#endif
