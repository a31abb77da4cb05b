/* SPDX-License-Identifier: GPL-2.0-only */
/* The scheduler's view of a connection, read from the kernel's sockets: for programs at tc. */
#ifndef MPTCP_BPF_VIEW_BPF_H
#define MPTCP_BPF_VIEW_BPF_H

#include <mptcp_bpf/rule.h>
#include <mptcp_bpf/steer.h>
#include <mptcp_bpf/subflow.bpf.h>

#define MPB_HEED_NS 5000000   /* an injected MP_PRIO has been taken by then */
#define MPB_USEC_PER_SEC 1000000ULL
#define MPB_CA_RECOVERY 3     /* enum tcp_ca_state */
#define MPB_CA_LOSS 4

/* What the operator said of the path of sf[i]: the last that matches. */
static __always_inline void mpb_view_path(struct mpb_sf *sf, const struct mpb_tuple *t, const struct mpb_paths *paths)
{
	sf->weight = 1;
	sf->cost = 0;
	sf->rate = 0;
	for (__u32 k = 0; k < MPB_PATHS_MAX && k < paths->n; k++) {
		const struct mpb_path *p = &paths->path[k];

		if (p->by == MPB_PATH_DEV ? p->ifindex != sf->ifindex :
		    p->by == MPB_PATH_ID  ? p->id != sf->local_id :
					    !mpb_prefix_match(t->saddr, p->from, p->from_bits))
			continue;
		sf->weight = p->weight;
		sf->cost = p->cost;
		sf->rate = p->rate;
	}
}

/* Is what lies at tp still the socket of subflow t of connection `token`? Its slab holds nothing but TCP sockets, one after the other. */
static __always_inline struct mptcp_subflow_context *mpb_socket_check(struct tcp_sock *tp, const struct mpb_tuple *t, __u32 token)
{
	struct sock_common *skc = (struct sock_common *)tp;
	struct mptcp_subflow_context *sub;

	if (BPF_CORE_READ(skc, skc_dport) != t->dport || BPF_CORE_READ(skc, skc_num) != bpf_ntohs(t->sport))
		return NULL;
	sub = mpb_subflow_ctx(tp);
	return sub && BPF_CORE_READ(sub, token) == token ? sub : NULL;
}

/* Read sf[i] from its socket, and with it what the connection has. The kernel's backup flag counts from MPB_HEED_NS after we changed it. Returns 0, or -1
 * when this is not a living subflow of the connection any more. */
static __always_inline int mpb_view_read(struct mpb_steer *c, __u32 i, __u64 now)
{
	struct tcp_sock *tp = (struct tcp_sock *)c->sk[i & (MPB_SUBFLOWS - 1)];
	struct mptcp_subflow_context *sub = mpb_socket_check(tp, &c->tuple[i & (MPB_SUBFLOWS - 1)], c->view.token);
	__u32 state = BPF_CORE_READ((struct sock_common *)tp, skc_state), bit = mpb_bit(i), ca, interval, rtt;
	struct mpb_sf *sf = &c->view.sf[i & (MPB_SUBFLOWS - 1)];
	struct sock *sk = (struct sock *)tp;
	struct mptcp_sock *msk;
	__u64 acked;

	if (!sub || state == BPF_TCP_CLOSE)
		return -1;
	acked = BPF_CORE_READ(tp, bytes_acked);
	if (acked != sf->acked)
		sf->acked_ns = now;
	sf->acked = acked;
	sf->unsent = BPF_CORE_READ(tp, write_seq) - BPF_CORE_READ(tp, snd_nxt);
	sf->sent = BPF_CORE_READ(tp, bytes_sent) - BPF_CORE_READ(tp, bytes_retrans) + sf->unsent;
	sf->mss = BPF_CORE_READ(tp, mss_cache);
	interval = BPF_CORE_READ(tp, rate_interval_us);
	if (interval)
		sf->delivery = (__u64)BPF_CORE_READ(tp, rate_delivered) * sf->mss * MPB_USEC_PER_SEC / interval;
	sf->pacing = BPF_CORE_READ(sk, sk_pacing_rate);
	sf->srtt_us = BPF_CORE_READ(tp, srtt_us) >> 3;
	sf->rttvar_us = BPF_CORE_READ(tp, rttvar_us) >> 2;
	rtt = BPF_CORE_READ(tp, rtt_min.s[0].v);
	sf->min_rtt_us = rtt == ~0U ? 0 : rtt;
	sf->cwnd = BPF_CORE_READ(tp, snd_cwnd);
	sf->inflight = BPF_CORE_READ(tp, packets_out) - BPF_CORE_READ(tp, sacked_out) - BPF_CORE_READ(tp, lost_out) + BPF_CORE_READ(tp, retrans_out);
	if (!sf->inflight && !sf->unsent && now - sf->acked_ns > MPB_IDLE_NS && sf->min_rtt_us)
		sf->srtt_us = sf->min_rtt_us;
	sf->lost = BPF_CORE_READ(tp, lost);
	sf->backoff = BPF_CORE_READ(tp, inet_conn.icsk_retransmits);
	ca = BPF_CORE_READ_BITFIELD_PROBED(tp, inet_conn.icsk_ca_state);
	sf->flags = (ca == MPB_CA_LOSS ? MPB_SF_LOSS : ca == MPB_CA_RECOVERY ? MPB_SF_RECOVERY : 0) |
		    (BPF_CORE_READ_BITFIELD_PROBED(sub, request_bkup) ? MPB_SF_LOCKED : 0) | (c->wish & bit ? MPB_SF_PEER_BACKUP : 0);
	sf->ifindex = BPF_CORE_READ(sk, sk_dst_cache, dev, ifindex);
	if (now - c->flipped_ns[i & (MPB_SUBFLOWS - 1)] > MPB_HEED_NS)
		c->backup = (c->backup & ~bit) | (BPF_CORE_READ_BITFIELD_PROBED(sub, backup) ? bit : 0);
	c->view.alive &= ~bit;
	if ((state == BPF_TCP_ESTABLISHED || state == BPF_TCP_CLOSE_WAIT) && BPF_CORE_READ_BITFIELD_PROBED(sub, fully_established) &&
	    !BPF_CORE_READ_BITFIELD_PROBED(sub, stale))
		c->view.alive |= bit;
	c->read_ns[i & (MPB_SUBFLOWS - 1)] = now;

	msk = (struct mptcp_sock *)BPF_CORE_READ(sub, conn);
	c->view.now_ns = now;
	c->view.queued = BPF_CORE_READ(msk, write_seq) - BPF_CORE_READ(msk, snd_nxt);
	c->view.inflight = BPF_CORE_READ(msk, snd_nxt) - BPF_CORE_READ(msk, snd_una);
	c->view.window = BPF_CORE_READ(msk, wnd_end) - BPF_CORE_READ(msk, snd_nxt);
	return 0;
}

#endif
