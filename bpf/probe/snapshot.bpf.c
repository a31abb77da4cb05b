/* SPDX-License-Identifier: GPL-2.0-only */
/* snapshot - one struct mpb_snap for every live subflow of the reader's network namespace. Read-only, but for `adopt`: then each subflow is asked to tell
 * the observer when it closes, as those born under the observer's eyes do. A walk costs 1-2 ms (it scans the whole hash), so it is for commands, not for
 * polling. */
#include <mptcp_bpf/policy.bpf.h>
#include <mptcp_bpf/subflow.bpf.h>

MPB_DESCRIBE(MPB_PROBE, snapshot, "reads every live MPTCP subflow of a namespace");

#define SOL_TCP 6
#define TCP_BPF_SOCK_OPS_CB_FLAGS 1008
#define USEC_PER_SEC 1000000ULL

const volatile bool adopt = false;

SEC("iter/tcp")
int snapshot(struct bpf_iter__tcp *ctx)
{
	struct sock_common *skc = ctx->sk_common;
	struct mptcp_subflow_context *sub;
	struct mpb_snap snap = {};
	struct mptcp_sock *msk;
	struct tcp_sock *tp;
	struct sock *sk;
	__u32 interval;

	if (!skc || BPF_CORE_READ(skc, skc_state) == BPF_TCP_LISTEN)
		return 0;
	tp = bpf_skc_to_tcp_sock(skc);
	sub = tp ? mpb_subflow_ctx(tp) : NULL;
	if (!sub)
		return 0;
	sk = (struct sock *)tp;
	snap.token = BPF_CORE_READ(sub, token);
	snap.state = BPF_CORE_READ(skc, skc_state);
	if (!snap.token)
		return 0;
	snap.family = mpb_sock_tuple(skc, &snap.tuple);
	msk = (struct mptcp_sock *)BPF_CORE_READ(sub, conn);
	snap.msk = (__u64)msk;
	snap.sk = (__u64)sk;
	if (bpf_core_field_exists(msk->sched))
		BPF_CORE_READ_STR_INTO(&snap.sched, msk, sched, name);
	snap.bytes_sent = BPF_CORE_READ(tp, bytes_sent);
	snap.bytes_acked = BPF_CORE_READ(tp, bytes_acked);
	snap.bytes_retrans = BPF_CORE_READ(tp, bytes_retrans);
	snap.pacing_bps = BPF_CORE_READ(sk, sk_pacing_rate);
	interval = BPF_CORE_READ(tp, rate_interval_us);
	if (interval)
		snap.delivery_bps = (__u64)BPF_CORE_READ(tp, rate_delivered) * BPF_CORE_READ(tp, mss_cache) * USEC_PER_SEC / interval;
	snap.ifindex = BPF_CORE_READ(sk, sk_dst_cache, dev, ifindex);
	snap.srtt_us = BPF_CORE_READ(tp, srtt_us) >> 3;
	snap.cwnd = BPF_CORE_READ(tp, snd_cwnd);
	snap.inflight = BPF_CORE_READ(tp, packets_out) - BPF_CORE_READ(tp, sacked_out) - BPF_CORE_READ(tp, lost_out) + BPF_CORE_READ(tp, retrans_out);
	snap.unsent = BPF_CORE_READ(tp, write_seq) - BPF_CORE_READ(tp, snd_nxt);
	snap.lost = BPF_CORE_READ(tp, lost);
	if (bpf_core_field_exists(sub->subflow_id))
		snap.subflow_id = BPF_CORE_READ(sub, subflow_id);
	snap.local_id = mpb_local_id(sub);
	snap.remote_id = BPF_CORE_READ(sub, remote_id);
	snap.backup = BPF_CORE_READ_BITFIELD_PROBED(sub, backup);
	snap.request_bkup = BPF_CORE_READ_BITFIELD_PROBED(sub, request_bkup);
	snap.stale = BPF_CORE_READ_BITFIELD_PROBED(sub, stale);
	BPF_CORE_READ_STR_INTO(&snap.cc, tp, inet_conn.icsk_ca_ops, name);
	bpf_seq_write(ctx->meta->seq, &snap, sizeof(snap));
	if (adopt) {
		int flags = BPF_SOCK_OPS_STATE_CB_FLAG;

		bpf_setsockopt(skc, SOL_TCP, TCP_BPF_SOCK_OPS_CB_FLAGS, &flags, sizeof(flags));
	}
	return 0;
}
