/* SPDX-License-Identifier: GPL-2.0-only */
/* kreno - the kernel's own Reno, called from BPF: the run-time statistics of BPF then show what it costs, with the call. */
#include <mptcp_bpf/cc.bpf.h>

MPB_DESCRIBE(MPB_CC, kreno, "the kernel's Reno, to be measured");

SEC("struct_ops") __u32 BPF_PROG(kreno_ssthresh, struct sock *sk) { return tcp_reno_ssthresh(sk); }
SEC("struct_ops") __u32 BPF_PROG(kreno_undo_cwnd, struct sock *sk) { return tcp_reno_undo_cwnd(sk); }
SEC("struct_ops") void BPF_PROG(kreno_cong_avoid, struct sock *sk, __u32 ack, __u32 acked) { tcp_reno_cong_avoid(sk, ack, acked); }

SEC(".struct_ops") struct tcp_congestion_ops kreno = {
	.ssthresh = (void *)kreno_ssthresh, .undo_cwnd = (void *)kreno_undo_cwnd, .cong_avoid = (void *)kreno_cong_avoid,
	.flags = TCP_CONG_NON_RESTRICTED, .name = "kreno",
};
