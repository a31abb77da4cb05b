/* SPDX-License-Identifier: GPL-2.0-only */
/* What scheduling policies have in common: who may be used, who comes first, how long something takes. A loop over subflows that branches, and keeps
 * which way it went, costs the verifier 2^8 paths; so these compute instead of branching. */
#ifndef MPTCP_BPF_CHOOSE_H
#define MPTCP_BPF_CHOOSE_H

#include <stdbool.h>
#include <mptcp_bpf/sched.h>

#define MPB_UNKNOWN_US 1000000ULL /* taken for a delay that was never measured: behind those that were */
#define MPB_LATE_US (1ULL << 40) /* longer than anything that is waited for */
#define MPB_MUCH (1ULL << 40)    /* bytes: no more wait, and no window is larger */
#define MPB_KEY_MAX (~0ULL >> 1)
#define MPB_RTT_MAX ((1ULL << 22) - 1) /* us; longer ones are alike */

/* Keeps the compiler from making a branch of what is computed from _x. */
#define MPB_OPAQUE(_x) __asm__ volatile("" : "+r"(_x))

/* All ones if a < b, else 0; both at most MPB_KEY_MAX. */
static inline __u64 mpb_less(__u64 a, __u64 b)
{
	__u64 less = -((a - b) >> 63);

	MPB_OPAQUE(less);
	return less;
}

/* The smaller; both at most MPB_KEY_MAX. */
static inline __u64 mpb_min(__u64 a, __u64 b)
{
	return b ^ ((a ^ b) & mpb_less(a, b));
}

/* a - b, but not below 0; both at most MPB_KEY_MAX. */
static inline __u64 mpb_minus(__u64 a, __u64 b)
{
	return (a - b) & ~mpb_less(a, b);
}

/* 1 if x is not 0, else 0. */
static inline __u32 mpb_nonzero(__u64 x)
{
	__u64 sign = x | -x;

	MPB_OPAQUE(sign);
	return sign >> 63;
}

/* The member of the set with the least key (at most MPB_KEY_MAX), the first of equals; 0 for an empty set. */
static inline __u32 mpb_least(mpb_set set, const __u64 *key)
{
	__u64 least = MPB_KEY_MAX, best = 0;

	for (__u32 i = 0; i < MPB_SUBFLOWS; i++) {
		__u64 better = mpb_less(key[i], least) & -(__u64)(set >> i & 1);

		least ^= (least ^ key[i]) & better;
		best ^= (best ^ i) & better;
	}
	return best & (MPB_SUBFLOWS - 1);
}

/* Members of the set whose key is below the bound. */
static inline mpb_set mpb_below(mpb_set set, const __u64 *key, __u64 bound)
{
	mpb_set below = 0;

	for (__u32 i = 0; i < MPB_SUBFLOWS; i++)
		below |= (mpb_less(key[i], bound) & 1) << i;
	return below & set;
}

/* The ones to choose from: preferred, and without an expired retransmission timer; where there is none, backups that work, and then whatever is alive. */
static inline mpb_set mpb_usable(const struct mpb_view *v)
{
	mpb_set failed = 0, preferred = mpb_preferred(v);

	for (__u32 i = 0; i < MPB_SUBFLOWS; i++)
		failed |= ((__u32)v->sf[i].flags / MPB_SF_LOSS & 1) << i;
	if (preferred & ~failed)
		return preferred & ~failed;
	return v->alive & ~failed ? v->alive & ~failed : preferred;
}

static inline __u64 mpb_rtt(const struct mpb_sf *sf)
{
	return mpb_min(sf->srtt_us ? sf->srtt_us : MPB_UNKNOWN_US, MPB_RTT_MAX);
}

/* Microseconds until data sent now arrives: what queues on the path is on the way there, and half of the rest. */
static inline __u64 mpb_oneway(const struct mpb_sf *sf)
{
	return mpb_rtt(sf) - mpb_min(mpb_rtt(sf), sf->min_rtt_us) / 2;
}

static inline __u64 mpb_waiting(__u64 bytes)
{
	return mpb_min(bytes & MPB_KEY_MAX, MPB_MUCH);
}

/* Microseconds that so many bytes take at so many a second; an unknown rate is 1. */
static inline __u64 mpb_time_us(__u64 bytes, __u64 rate)
{
	return mpb_min(mpb_waiting(bytes) * 1000000 / (rate + 1 - mpb_nonzero(rate)), MPB_LATE_US);
}

/* Bytes of a congestion window, at least 1. */
static inline __u64 mpb_window(const struct mpb_sf *sf)
{
	__u64 bytes = (__u64)sf->cwnd * sf->mss;

	return mpb_min(bytes + 1 - mpb_nonzero(bytes), MPB_MUCH);
}

/* Bytes that its congestion window does not take now. */
static inline __u64 mpb_beyond(const struct mpb_sf *sf, __u64 waiting)
{
	return mpb_minus(waiting, mpb_minus(sf->cwnd, sf->inflight) * sf->mss & MPB_KEY_MAX);
}

/* Nothing more would leave at once. */
static inline bool mpb_full(const struct mpb_sf *sf)
{
	return mpb_beyond(sf, (__u64)sf->unsent + 1);
}

/* What it is given now would wait: nothing would leave at once, or it has filled a queue on its path that doubles its round-trip time. */
static inline bool mpb_busy(const struct mpb_sf *sf)
{
	return mpb_full(sf) || (sf->min_rtt_us && sf->srtt_us / 2 >= sf->min_rtt_us);
}

#endif
