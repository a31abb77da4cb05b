/* SPDX-License-Identifier: GPL-2.0-only */
/* What is seen of subflows besides their records: signals, round-trip times, how they ended, and events as they happen. */
#ifndef MPTCP_BPF_SIGHT_H
#define MPTCP_BPF_SIGHT_H

#include <mptcp_bpf/sched.h>
#include <mptcp_bpf/state.h>

#define MPB_PAST_MAX 4096 /* ended subflows that a namespace remembers; a power of two */
#define MPB_EVENTS_BYTES (1 << 18)
#define MPB_SIGNALS 9     /* subtypes 0..8 of RFC 8684 */

#define MPB_RTT_WINDOW_NS 10000000000ULL
#define MPB_RTT_BUCKETS 168
#define MPB_RTT_MAX_US ((1U << 23) - 1)

/* Round-trip times of one window, a sample a round trip. 0..15 us one by one, then eight buckets an octave: a percentile is right to 6 %. */
struct mpb_rtts {
	__u32 window; /* its number: CLOCK_MONOTONIC / MPB_RTT_WINDOW_NS */
	__u16 bucket[MPB_RTT_BUCKETS];
};

static inline __u32 mpb_rtt_bucket(__u32 us)
{
	__u32 e = 0, v;

	if (us > MPB_RTT_MAX_US)
		us = MPB_RTT_MAX_US;
	if (us < 16)
		return us;
	v = us;
	for (__u32 by = 16; by; by >>= 1) {
		if (v >> by) {
			v >>= by;
			e += by;
		}
	}
	return 16 + (e - 4) * 8 + (us >> (e - 3) & 7);
}

/* The middle of a bucket. */
static inline __u32 mpb_rtt_of_bucket(__u32 i)
{
	__u32 by = i < 16 ? 0 : (i - 16) / 8 + 1;

	return i < 16 ? i : ((8 + (i - 16) % 8) << by) + (1U << by) / 2;
}

/* Of a living subflow; keyed like mpb_subflow. */
struct mpb_sight {
	__u64 born_ns;
	__u64 turned_ns;   /* when its priority last changed, or when it was born; 0: nobody keeps account */
	__u64 active_ns;   /* spent so before turned_ns */
	__u64 backup_ns;
	__u64 announced_ns; /* of the last ADD_ADDR that was sent and not echoed; 0: none */
	__u32 echo_us;      /* from an ADD_ADDR to its echo, the last; 0: none seen */
	__u32 join_us;      /* from SYN to established; 0: not seen */
	__u32 signals[2][MPB_SIGNALS]; /* MPTCP options by enum mpb_dir and subtype, while the policy `sight` is loaded; DSS is not counted */
	__u8 backup;        /* its priority since turned_ns */
	__u8 why;           /* enum mpb_why of our last change */
	__u8 rst[2];        /* 1 + reason of the last MP_TCPRST, by direction; 0: none */
	__u32 flips;        /* by a scheduler of ours */
	struct mpb_rtts rtts[2]; /* windows of even and of odd number */
};
_Static_assert(sizeof(struct mpb_sight) == 808, "struct mpb_sight crosses a boundary");

/* Who waits: a connection, for the data before those that have come; or, by its ports, a stale subflow, for a sign of life. */
struct mpb_waiter {
	__u32 token;
	__be16 sport, dport; /* both 0: the connection */
};

/* Noted when segments arrive, while the policy `sight` is loaded. */
struct mpb_wait {
	__u64 looked_ns;  /* when the last one arrived; of a subflow, the last while it was stale */
	__u64 total_ns;   /* until then */
	__u64 began_ns;   /* of a connection from here on: when the present wait, or the last, began */
	__u64 longest_ns; /* of those that are over */
	__u32 times;
	__u32 waits;      /* 1: it does */
};
_Static_assert(sizeof(struct mpb_waiter) == 8 && sizeof(struct mpb_wait) == 40, "struct mpb_wait crosses a boundary");

/* A connection is looked at: what is found has been so since it was looked at before. */
static inline void mpb_wait_note(struct mpb_wait *w, int waits, __u64 now)
{
	if (now <= w->looked_ns) /* another processor was quicker */
		return;
	if (waits && !w->waits) {
		w->began_ns = w->looked_ns;
		w->times++;
	} else if (!waits && w->waits && w->looked_ns - w->began_ns > w->longest_ns) {
		w->longest_ns = w->looked_ns - w->began_ns;
	}
	if (waits)
		w->total_ns += now - w->looked_ns;
	w->looked_ns = now;
	w->waits = waits;
}

/* What became of a connection's bytes; as struct mptcp_info has them. */
struct mpb_totals {
	__u64 sent, acked, received, retrans;
};

/* A subflow that ended, or never came about; entry `number` modulo MPB_PAST_MAX of a table. */
struct mpb_past {
	__u64 number;      /* 1 + how many ended before; 0: the entry is empty, or being written */
	__u64 born_ns, ended_ns;
	__u64 bytes_sent, bytes_acked, bytes_retrans, bytes_received;
	struct mpb_tuple tuple;
	__u32 token;
	struct mpb_totals conn; /* of its connection, at that moment */
	__u32 srtt_us, min_rtt_us, lost, flips;
	__u32 error;       /* errno of the socket; 0: none */
	__u8 from;         /* TCP state before */
	__u8 reset_seen;   /* the peer sent MP_TCPRST */
	__u8 reset_reason; /* of either end's MP_TCPRST */
	__u8 transient;
	__u8 local_id, remote_id;
	__u8 fallback;     /* enum mpb_fallback, if the connection is plain TCP */
	__u8 unjoined;     /* we asked to join, and the peer never confirmed it: RFC 8684 section 3.2, the fourth packet */
	__u32 join_us;
	__u32 signals[2][MPB_SIGNALS];
	__u32 active_ms, backup_ms, stale_ms;
	__u32 hol_times;   /* of its connection, until then: struct mpb_wait */
	__u64 hol_ns, hol_longest_ns;
};
_Static_assert(sizeof(struct mpb_past) == 264, "struct mpb_past crosses a boundary");

/* Why a connection is plain TCP; X(enumerator, words). */
#define MPB_FALLBACKS(X)                                                        \
	X(MPB_FB_NONE, "")                                                      \
	X(MPB_FB_REFUSED, "the peer answered without MP_CAPABLE")               \
	X(MPB_FB_DROPPED, "SYNs with MP_CAPABLE went unanswered")               \
	X(MPB_FB_INFINITE, "infinite mapping after a DSS checksum failure")     \
	X(MPB_FB_DSS, "a path took the DSS option away")

enum mpb_fallback {
#define X(id, words) id,
	MPB_FALLBACKS(X)
#undef X
	MPB_FB_MAX
};

/* Who looks, and what came of it: a number each, of which user space writes the first two, and no other. */
enum mpb_watch {
	MPB_WATCH_EVENTS, /* CLOCK_MONOTONIC, ns: until then events are written; the reader puts it off again and again */
	MPB_WATCH_RTTS,   /* round-trip times are kept */
	MPB_WATCH_UNTOLD, /* events lost: nobody read them in time */
	MPB_WATCH_ENDED,  /* subflows that mpb_past was told of, ever */
	MPB_WATCH_FULL,   /* segments that found data waiting, or a subflow stale, and no room to note it in mpb_waits */
	MPB_WATCH_MAX
};

/* X(enumerator, word) */
#define MPB_EVENTS(X)                  \
	X(MPB_EV_DECISION, "decision") \
	X(MPB_EV_BORN, "born")         \
	X(MPB_EV_JOINED, "joined")     \
	X(MPB_EV_REFUSED, "refused")   \
	X(MPB_EV_CLOSED, "closed")     \
	X(MPB_EV_SIGNAL, "signal")     \
	X(MPB_EV_STALE, "stale")         /* these three by a reader that compares */ \
	X(MPB_EV_RECOVERED, "recovered") \
	X(MPB_EV_FALLBACK, "fallback")

enum mpb_event_kind {
#define X(id, word) id,
	MPB_EVENTS(X)
#undef X
	MPB_EV_MAX
};

/* One subflow's event; MPB_EV_CLOSED and MPB_EV_REFUSED are followed by its struct mpb_past. */
struct mpb_event {
	__u64 ns;
	__u32 token;
	__u16 kind;        /* enum mpb_event_kind */
	__u8 dir;          /* MPB_EV_SIGNAL: enum mpb_dir */
	__u8 subtype;      /* MPB_EV_SIGNAL */
	__u8 local_id, remote_id;
	__u8 value;        /* MPB_EV_SIGNAL: the flags' nibble; MPB_EV_FALLBACK: enum mpb_fallback */
	__u8 id;           /* MPB_EV_SIGNAL: an address ID, or the reason of MP_TCPRST */
	__u32 us;          /* join or echo latency; 0: none */
	struct mpb_tuple tuple;
	__u32 pad;
};
_Static_assert(sizeof(struct mpb_event) == 64, "struct mpb_event crosses a boundary");

struct mpb_ended {
	struct mpb_event event;
	struct mpb_past past;
};

/* A change of a set by a scheduler: MPB_EV_DECISION. */
struct mpb_decided {
	struct mpb_event event;
	__u32 slot;
	__u32 why; /* enum mpb_why */
	mpb_set before, after;
	mpb_set used, pad;
	struct mpb_tuple tuple[MPB_SUBFLOWS];
};
_Static_assert(sizeof(struct mpb_decided) == 376, "struct mpb_decided crosses a boundary");

#endif
