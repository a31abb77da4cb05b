/* SPDX-License-Identifier: GPL-2.0-only */
/* snapshot - one struct mpb_snap for every live subflow of the reader's network namespace. Read-only, but for `adopt`: then each subflow is asked to tell
 * the observer when it closes, as those born under the observer's eyes do. A walk costs 1-2 ms (it scans the whole hash), so it is for commands, not for
 * polling. */
#include <mptcp_bpf/policy.bpf.h>
#include <mptcp_bpf/sight.bpf.h>
#include <mptcp_bpf/subflow.bpf.h>

MPB_DESCRIBE(MPB_PROBE, snapshot, "reads every live MPTCP subflow of a namespace");

#define SOL_TCP 6
#define TCP_BPF_SOCK_OPS_CB_FLAGS 1008
#define USEC_PER_SEC 1000000ULL

const volatile bool adopt = false;

static __always_inline void read_conn(struct mpb_snap *snap, struct mptcp_sock *msk)
{
	__u64 write_seq = BPF_CORE_READ(msk, write_seq), snd_nxt = BPF_CORE_READ(msk, snd_nxt), snd_una = BPF_CORE_READ(msk, snd_una);
	__u64 wnd_end = BPF_CORE_READ(msk, wnd_end), ack_seq = BPF_CORE_READ(msk, ack_seq), ahead;

	if (bpf_core_field_exists(msk->sched) && bpf_core_field_exists(struct mptcp_sched_ops, name))
		BPF_CORE_READ_STR_INTO(&snap->sched, msk, sched, name);
	if (bpf_core_field_exists(msk->bytes_sent))
		snap->conn_sent = BPF_CORE_READ(msk, bytes_sent);
	if (bpf_core_field_exists(msk->bytes_received))
		snap->conn_received = BPF_CORE_READ(msk, bytes_received);
	snap->conn_queued = write_seq - snd_nxt;
	snap->conn_inflight = snd_nxt - snd_una;
	snap->conn_window = (__s64)(wnd_end - snd_nxt) > 0 ? wnd_end - snd_nxt : 0;
	snap->dsn_sent = snd_nxt;
	snap->dsn_acked = snd_una;
	snap->dsn_received = ack_seq;
	if (!BPF_CORE_READ(msk, out_of_order_queue.rb_node))
		return;
	ahead = mpb_skb_end_seq(BPF_CORE_READ(msk, ooo_last_skb)) - ack_seq;
	snap->conn_ahead = ahead < MPB_AHEAD_MAX ? ahead : 0; /* taken out of the queue while we read */
}

SEC("iter/tcp")
int snapshot(struct bpf_iter__tcp *ctx)
{
	struct sock_common *skc = ctx->sk_common;
	struct mptcp_subflow_context *sub;
	struct mpb_snap snap = {};
	struct mptcp_sock *msk;
	struct tcp_sock *tp;
	struct sock *sk;
	__u32 interval, window;

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
	read_conn(&snap, msk);
	snap.bytes_sent = BPF_CORE_READ(tp, bytes_sent);
	snap.bytes_acked = BPF_CORE_READ(tp, bytes_acked);
	snap.bytes_retrans = BPF_CORE_READ(tp, bytes_retrans);
	snap.bytes_received = BPF_CORE_READ(tp, bytes_received);
	snap.pacing_bps = BPF_CORE_READ(sk, sk_pacing_rate);
	interval = BPF_CORE_READ(tp, rate_interval_us);
	if (interval)
		snap.delivery_bps = (__u64)BPF_CORE_READ(tp, rate_delivered) * BPF_CORE_READ(tp, mss_cache) * USEC_PER_SEC / interval;
	snap.ifindex = BPF_CORE_READ(sk, sk_dst_cache, dev, ifindex);
	snap.srtt_us = BPF_CORE_READ(tp, srtt_us) >> 3;
	snap.rttvar_us = BPF_CORE_READ(tp, rttvar_us) >> 2;
	snap.min_rtt_us = mpb_min_rtt(tp);
	snap.mss = BPF_CORE_READ(tp, mss_cache);
	snap.ssthresh = BPF_CORE_READ(tp, snd_ssthresh);
	window = BPF_CORE_READ(tp, snd_una) + BPF_CORE_READ(tp, snd_wnd) - BPF_CORE_READ(tp, snd_nxt);
	snap.peer_window = (__s32)window > 0 ? window : 0;
	snap.dsack_dups = BPF_CORE_READ(tp, dsack_dups);
	snap.path_bound = BPF_CORE_READ(skc, skc_bound_dev_if);
	snap.paced = BPF_CORE_READ(sk, sk_pacing_status) != 0;
	snap.ca_state = BPF_CORE_READ_BITFIELD_PROBED(tp, inet_conn.icsk_ca_state);
	snap.backoff = BPF_CORE_READ(tp, inet_conn.icsk_retransmits);
	snap.established = BPF_CORE_READ_BITFIELD_PROBED(sub, fully_established);
	snap.joined = BPF_CORE_READ_BITFIELD_PROBED(sub, mp_join);
	snap.fallback = mpb_fallback_cause(sub, msk);
	snap.cwnd = BPF_CORE_READ(tp, snd_cwnd);
	snap.inflight = BPF_CORE_READ(tp, packets_out) - BPF_CORE_READ(tp, sacked_out) - BPF_CORE_READ(tp, lost_out) + BPF_CORE_READ(tp, retrans_out);
	snap.unsent = BPF_CORE_READ(tp, write_seq) - BPF_CORE_READ(tp, snd_nxt);
	snap.delivered_ns = BPF_CORE_READ(tp, delivered_mstamp) * 1000;
	snap.lost = BPF_CORE_READ(tp, lost);
	if (bpf_core_field_exists(sub->subflow_id))
		snap.subflow_id = BPF_CORE_READ(sub, subflow_id);
	snap.local_id = mpb_local_id(sub);
	snap.remote_id = BPF_CORE_READ(sub, remote_id);
	snap.backup = BPF_CORE_READ_BITFIELD_PROBED(sub, backup);
	snap.request_bkup = BPF_CORE_READ_BITFIELD_PROBED(sub, request_bkup);
	snap.stale = BPF_CORE_READ_BITFIELD_PROBED(sub, stale);
	if (bpf_core_field_exists(sub->avg_pacing_rate)) {
		snap.stock_bps = BPF_CORE_READ(sub, avg_pacing_rate);
		if (!snap.stock_bps) /* the scheduler has not looked at it yet, and will begin so */
			snap.stock_bps = snap.pacing_bps;
	}
	snap.stock_queued = BPF_CORE_READ(sk, sk_wmem_queued);
	snap.mark = BPF_CORE_READ(sk, sk_mark);
	BPF_CORE_READ_STR_INTO(&snap.cc, tp, inet_conn.icsk_ca_ops, name);
	bpf_seq_write(ctx->meta->seq, &snap, sizeof(snap));
	if (adopt) {
		int flags = BPF_SOCK_OPS_STATE_CB_FLAG;

		bpf_setsockopt(skc, SOL_TCP, TCP_BPF_SOCK_OPS_CB_FLAGS, &flags, sizeof(flags));
	}
	return 0;
}
