/* SPDX-License-Identifier: GPL-2.0-only */
/* A coupled congestion control: pure functions of the subflows of a connection (include/mptcp_bpf/group.h), run by the kernel as tcp_congestion_ops.
 * Slow start, recovery (PRR), ECN, undo, RTO, idle restart and pacing remain the kernel's own: there is no .cong_control here. A subflow without siblings,
 * and plain TCP, get the kernel's Reno, call for call (RFC 6356 section 3). */
#ifndef MPTCP_BPF_CC_BPF_H
#define MPTCP_BPF_CC_BPF_H

#include <mptcp_bpf/policy.bpf.h>
#include <mptcp_bpf/group.h>

struct mpb_cc_ops {
	/* In congestion avoidance, by each acknowledged packet, until it is asked again; *c is zero before. */
	void (*increase)(const struct mpb_cc_view *v, struct mpb_cc_change *c);
	/* The window that remains after a loss; without it, half. */
	__u32 (*remain)(const struct mpb_cc_view *v);
	/* The least window that remains, where there are siblings; without it, 2 packets. */
	__u32 least;
};

struct mpb_cc_delay_ops {
	/* Once a round trip that had more than two samples: changes r->cwnd, r->ssthresh and r->queue_us, or returns 1: slow start goes on. Other rounds,
	 * and those with loss, are Reno's. */
	int (*round)(const struct mpb_cc_view *v, struct mpb_cc_round *r);
};

#ifdef __bpf__

#include <bpf/bpf_tracing.h>
#include <mptcp_bpf/group.bpf.h>

#define MPB_CC_HOOK SEC("struct_ops")

#define MPB_CC_COMMON(_name)                                                                                            \
	MPB_CC_HOOK void BPF_PROG(_name##_init, struct sock *sk) { mpb_cc_init(sk); }                                   \
	MPB_CC_HOOK void BPF_PROG(_name##_release, struct sock *sk) { mpb_cc_release(sk); }                             \
	MPB_CC_HOOK void BPF_PROG(_name##_set_state, struct sock *sk, __u8 state) { mpb_cc_state(sk, state); }              \
	MPB_CC_HOOK __u32 BPF_PROG(_name##_undo_cwnd, struct sock *sk) { return tcp_reno_undo_cwnd(sk); }

#define MPB_CC_TABLE(_name, ...)                                                                                        \
	SEC(".struct_ops") struct tcp_congestion_ops _name = {                                                          \
		.init = (void *)_name##_init, .release = (void *)_name##_release, .set_state = (void *)_name##_set_state,   \
		.ssthresh = (void *)_name##_ssthresh, .cong_avoid = (void *)_name##_cong_avoid,                                \
		.undo_cwnd = (void *)_name##_undo_cwnd, .flags = TCP_CONG_NON_RESTRICTED, .name = #_name, __VA_ARGS__        \
	}

#define MPB_CC(_name, _summary, ...)                                                                                    \
	MPB_DESCRIBE(MPB_CC, _name, _summary);                                                                          \
	static const struct mpb_cc_ops _name##_ops = { __VA_ARGS__ };                                                   \
	MPB_CC_COMMON(_name)                                                                                            \
	MPB_CC_HOOK __u32 BPF_PROG(_name##_ssthresh, struct sock *sk) { return mpb_cc_remain(sk, &_name##_ops); }         \
	MPB_CC_HOOK void BPF_PROG(_name##_cong_avoid, struct sock *sk, __u32 ack, __u32 acked)                               \
	{                                                                                                               \
		mpb_cc_avoid(sk, ack, acked, &_name##_ops);                                                             \
	}                                                                                                               \
	MPB_CC_TABLE(_name, )

#define MPB_CC_DELAY(_name, _summary, ...)                                                                              \
	MPB_DESCRIBE(MPB_CC, _name, _summary);                                                                          \
	static const struct mpb_cc_delay_ops _name##_ops = { __VA_ARGS__ };                                             \
	MPB_CC_COMMON(_name)                                                                                            \
	MPB_CC_HOOK __u32 BPF_PROG(_name##_ssthresh, struct sock *sk) { return tcp_reno_ssthresh(sk); }                   \
	MPB_CC_HOOK void BPF_PROG(_name##_cong_avoid, struct sock *sk, __u32 ack, __u32 acked)                               \
	{                                                                                                               \
		mpb_cc_delay_avoid(sk, ack, acked, &_name##_ops);                                                       \
	}                                                                                                               \
	MPB_CC_HOOK void BPF_PROG(_name##_pkts_acked, struct sock *sk, const struct ack_sample *sample)                      \
	{                                                                                                               \
		mpb_cc_sample(sk, sample->rtt_us);                                                                      \
	}                                                                                                               \
	MPB_CC_TABLE(_name, .pkts_acked = (void *)_name##_pkts_acked)

#else /* plain C: tests call the policy through this */

#define MPB_CC(_name, _summary, ...)                   \
	MPB_DESCRIBE(MPB_CC, _name, _summary);         \
	const struct mpb_cc_ops mpb_cc_under_test = { __VA_ARGS__ }

#define MPB_CC_DELAY(_name, _summary, ...)             \
	MPB_DESCRIBE(MPB_CC, _name, _summary);         \
	const struct mpb_cc_delay_ops mpb_cc_under_test = { __VA_ARGS__ }

#endif
#endif
