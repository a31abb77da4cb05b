/* SPDX-License-Identifier: GPL-2.0-only */
/* kcubic - the kernel's own CUBIC (net/ipv4/tcp_cubic.c), called from BPF: the run-time statistics of BPF then show what it costs, with the calls. */
#include <mptcp_bpf/cc.bpf.h>

MPB_DESCRIBE(MPB_CC, kcubic, "the kernel's CUBIC, to be measured");

extern void cubictcp_init(struct sock *sk) __ksym;
extern __u32 cubictcp_recalc_ssthresh(struct sock *sk) __ksym;
extern void cubictcp_cong_avoid(struct sock *sk, __u32 ack, __u32 acked) __ksym;
extern void cubictcp_state(struct sock *sk, __u8 state) __ksym;
extern void cubictcp_acked(struct sock *sk, const struct ack_sample *sample) __ksym;

SEC("struct_ops") void BPF_PROG(kcubic_init, struct sock *sk) { cubictcp_init(sk); }
SEC("struct_ops") __u32 BPF_PROG(kcubic_ssthresh, struct sock *sk) { return cubictcp_recalc_ssthresh(sk); }
SEC("struct_ops") __u32 BPF_PROG(kcubic_undo_cwnd, struct sock *sk) { return tcp_reno_undo_cwnd(sk); }
SEC("struct_ops") void BPF_PROG(kcubic_set_state, struct sock *sk, __u8 state) { cubictcp_state(sk, state); }
SEC("struct_ops") void BPF_PROG(kcubic_cong_avoid, struct sock *sk, __u32 ack, __u32 acked) { cubictcp_cong_avoid(sk, ack, acked); }
SEC("struct_ops") void BPF_PROG(kcubic_pkts_acked, struct sock *sk, const struct ack_sample *sample) { cubictcp_acked(sk, sample); }

SEC(".struct_ops") struct tcp_congestion_ops kcubic = {
	.init = (void *)kcubic_init, .ssthresh = (void *)kcubic_ssthresh, .undo_cwnd = (void *)kcubic_undo_cwnd,
	.set_state = (void *)kcubic_set_state, .cong_avoid = (void *)kcubic_cong_avoid, .pkts_acked = (void *)kcubic_pkts_acked,
	.flags = TCP_CONG_NON_RESTRICTED, .name = "kcubic",
};
