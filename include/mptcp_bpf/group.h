/* SPDX-License-Identifier: GPL-2.0-only */
/* What a coupled congestion control sees of a connection, and the arithmetic that all of them share. Plain C: the same text runs in the kernel and in the
 * unit tests. */
#ifndef MPTCP_BPF_GROUP_H
#define MPTCP_BPF_GROUP_H

#include <mptcp_bpf/num.h>

#define MPB_GROUP_MAX 8     /* subflows of a connection that are coupled; one beyond them is like TCP Reno */
#define MPB_CREDIT_BITS 60  /* a window's fraction of a packet is counted in 2^-60 */
#define MPB_LOOKS 16        /* a round trip: how often at least a subflow speaks, looks at its siblings and reckons its increase */
#define MPB_QUIET_US 200000 /* and four round trips: a subflow that was silent for longer is not counted until it speaks again */

/* One subflow. cwnd 0: there is none, or it does not count now. */
struct mpb_cc_sf {
	__u32 cwnd;     /* packets; during recovery, what it will be after it */
	__u32 mss;      /* bytes */
	__u32 srtt_us;  /* above 0 */
	__u32 pad;
	__u64 interval; /* bytes acknowledged since the last loss or between the last two, whichever is more */
};

/* The subflows that count, and which of them is asked for. */
struct mpb_cc_view {
	__u32 n;
	__u32 pad;
	struct mpb_cc_sf own; /* the one asked for; it is among sf[] too */
	struct mpb_cc_sf sf[MPB_GROUP_MAX];
};

/* Change of the window by one acknowledged packet, in packets: up - down. */
struct mpb_cc_change {
	mpb_num up, down;
};

/* One round trip of a subflow, for a congestion control that goes by delay. */
struct mpb_cc_round {
	__u32 cwnd;
	__u32 ssthresh;
	__u32 rtt_us;   /* least of the round, above 0 */
	__u32 base_us;  /* least ever, above 0 */
	__u32 burst;    /* packets that the sender puts out in one go: they wait behind each other, but in no queue of the path */
	__u32 queue_us; /* the policy's own to remember; 0 at first */
};

/* The verifier follows a number through a loop, not the pointer that clang would make of it. */
static inline const struct mpb_cc_sf *mpb_cc_sf(const struct mpb_cc_view *v, __u32 i)
{
	asm volatile("" : "+r"(i));
	return &v->sf[i];
}

#define mpb_each_sf(_s, _v)                                        \
	for (__u32 _i = 0; _i < MPB_GROUP_MAX; _i++)               \
		for (const struct mpb_cc_sf *_s = mpb_cc_sf(_v, _i); _s && _s->cwnd; _s = 0)

MPB_GLOBAL __u32 mpb_cc_count(const struct mpb_cc_view *v)
{
	__u32 n = 0;

	if (!v)
		return 0;
	mpb_each_sf(s, v)
		n++;
	return n;
}

/* Window in bytes; rate in bytes per us; window / rtt^2. */
static inline mpb_num mpb_cc_window(const struct mpb_cc_sf *s)
{
	return mpb_number((__u64)s->cwnd * s->mss);
}

static inline mpb_num mpb_cc_rate(const struct mpb_cc_sf *s)
{
	return mpb_div(mpb_cc_window(s), mpb_number(s->srtt_us));
}

static inline mpb_num mpb_cc_urge(const struct mpb_cc_sf *s)
{
	return mpb_div(mpb_cc_rate(s), mpb_number(s->srtt_us));
}

/* The sum of the rates, squared: what all coupled increases divide by. */
static inline mpb_num mpb_cc_rates_squared(const struct mpb_cc_view *v)
{
	mpb_num sum = 0;

	mpb_each_sf(s, v)
		sum = mpb_add(sum, mpb_cc_rate(s));
	return mpb_mul(sum, sum);
}

/* Is the increase to be reckoned anew, `since_us` after the last time? Windows grow by a packet a round trip or so; of a loss, siblings are told at once.
 * RFC 6356 section 4.1 asks for no more than once a window. */
static inline int mpb_cc_is_due(__u64 since_us, __u32 srtt_us, int cwnd_changed)
{
	return cwnd_changed || since_us >= srtt_us / MPB_LOOKS;
}

/* The window after `acked` packets. What is below one packet stays in *credit, 0..2^MPB_CREDIT_BITS. At most two packets a call. */
static inline __u32 mpb_cc_step(const struct mpb_cc_change *c, __u32 acked, __u32 cwnd, __s64 *credit)
{
	const __u64 one = 1ULL << MPB_CREDIT_BITS;
	mpb_num n = mpb_number(acked);
	__s64 now = *credit + (__s64)mpb_fixed(mpb_mul(c->up, n), MPB_CREDIT_BITS, 2 * one) -
		    (__s64)mpb_fixed(mpb_mul(c->down, n), MPB_CREDIT_BITS, 2 * one);

	*credit = now & (one - 1);
	return cwnd + (__u32)(now >> MPB_CREDIT_BITS);
}

#endif
