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

		if (!mpb_path_match(p, sf->ifindex, t->saddr, sf->local_id))
			continue;
		sf->weight = p->weight;
		sf->cost = p->cost;
		sf->rate = p->rate;
	}
}

/* Reads of the kernel's memory, none of which can fault: plain loads where the kernel lets a program cast (bpf_rdonly_cast(), 6.2), else by helper, at
 * some fifteen times the cost. `_cast` is known at compile time; with it _p must have come from mpb_cast(). */
#define mpb_get(_cast, _p, _field) ((_cast) ? (_p)->_field : BPF_CORE_READ(_p, _field))
#define mpb_get_bit(_cast, _p, _field) ((_cast) ? BPF_CORE_READ_BITFIELD(_p, _field) : BPF_CORE_READ_BITFIELD_PROBED(_p, _field))
#define mpb_cast(_cast, _p, _type) ((_cast) ? bpf_core_cast((const void *)(_p), _type) : (_type *)(_p))

/* Is what lies at tp still the socket of subflow t of connection `token`? Its slab holds nothing but TCP sockets, one after the other. */
static __always_inline struct mptcp_subflow_context *mpb_socket_check(struct tcp_sock *tp, const struct mpb_tuple *t, __u32 token, const bool cast)
{
	struct sock_common *skc = (struct sock_common *)tp;
	struct mptcp_subflow_context *sub;

	if (mpb_get(cast, skc, skc_dport) != t->dport || mpb_get(cast, skc, skc_num) != bpf_ntohs(t->sport) || !mpb_get(cast, tp, is_mptcp))
		return NULL;
	sub = mpb_cast(cast, mpb_get(cast, tp, inet_conn.icsk_ulp_data), struct mptcp_subflow_context);
	return mpb_get(cast, sub, token) == token ? sub : NULL;
}

static __always_inline int mpb_view_read_by(struct mpb_steer *c, __u32 i, __u64 now, const bool cast)
{
	struct tcp_sock *tp = mpb_cast(cast, c->sk[i & (MPB_SUBFLOWS - 1)], struct tcp_sock);
	struct mptcp_subflow_context *sub = mpb_socket_check(tp, &c->tuple[i & (MPB_SUBFLOWS - 1)], c->view.token, cast);
	__u32 state = mpb_get(cast, (struct sock_common *)tp, skc_state), bit = mpb_bit(i), ca, interval, rtt;
	struct mpb_sf *sf = &c->view.sf[i & (MPB_SUBFLOWS - 1)];
	struct sock *sk = (struct sock *)tp;
	struct mptcp_sock *msk;
	__u64 acked;

	if (!sub || state == BPF_TCP_CLOSE)
		return -1;
	acked = mpb_get(cast, tp, bytes_acked);
	if (acked != sf->acked)
		sf->acked_ns = now;
	sf->acked = acked;
	sf->unsent = mpb_get(cast, tp, write_seq) - mpb_get(cast, tp, snd_nxt);
	sf->sent = mpb_get(cast, tp, bytes_sent) - mpb_get(cast, tp, bytes_retrans) + sf->unsent;
	sf->mss = mpb_get(cast, tp, mss_cache);
	interval = mpb_get(cast, tp, rate_interval_us);
	if (interval)
		sf->delivery = (__u64)mpb_get(cast, tp, rate_delivered) * sf->mss * MPB_USEC_PER_SEC / interval;
	sf->pacing = mpb_get(cast, sk, sk_pacing_rate);
	sf->srtt_us = mpb_get(cast, tp, srtt_us) >> 3;
	sf->rttvar_us = mpb_get(cast, tp, rttvar_us) >> 2;
	rtt = mpb_get(cast, tp, rtt_min.s[0].v);
	sf->min_rtt_us = rtt == ~0U ? 0 : rtt;
	sf->cwnd = mpb_get(cast, tp, snd_cwnd);
	sf->inflight = mpb_get(cast, tp, packets_out) - mpb_get(cast, tp, sacked_out) - mpb_get(cast, tp, lost_out) + mpb_get(cast, tp, retrans_out);
	if (!sf->inflight && !sf->unsent && now - sf->acked_ns > MPB_IDLE_NS && sf->min_rtt_us)
		sf->srtt_us = sf->min_rtt_us;
	sf->lost = mpb_get(cast, tp, lost);
	sf->backoff = mpb_get(cast, tp, inet_conn.icsk_retransmits);
	ca = mpb_get_bit(cast, tp, inet_conn.icsk_ca_state);
	sf->flags = (ca == MPB_CA_LOSS ? MPB_SF_LOSS : ca == MPB_CA_RECOVERY ? MPB_SF_RECOVERY : 0) |
		    (mpb_get_bit(cast, sub, request_bkup) ? MPB_SF_LOCKED : 0) | (c->wish & bit ? MPB_SF_PEER_BACKUP : 0);
	sf->ifindex = cast ? sk->sk_dst_cache->dev->ifindex : BPF_CORE_READ(sk, sk_dst_cache, dev, ifindex);
	if (now - c->flipped_ns[i & (MPB_SUBFLOWS - 1)] > MPB_HEED_NS)
		c->backup = (c->backup & ~bit) | (mpb_get_bit(cast, sub, backup) ? bit : 0);
	c->view.alive &= ~bit;
	if ((state == BPF_TCP_ESTABLISHED || state == BPF_TCP_CLOSE_WAIT) && mpb_get_bit(cast, sub, fully_established) &&
	    !mpb_get_bit(cast, sub, stale))
		c->view.alive |= bit;
	c->read_ns[i & (MPB_SUBFLOWS - 1)] = now;

	msk = mpb_cast(cast, mpb_get(cast, sub, conn), struct mptcp_sock);
	c->view.now_ns = now;
	c->view.queued = mpb_get(cast, msk, write_seq) - mpb_get(cast, msk, snd_nxt);
	c->view.inflight = mpb_get(cast, msk, snd_nxt) - mpb_get(cast, msk, snd_una);
	c->view.window = mpb_get(cast, msk, wnd_end) - mpb_get(cast, msk, snd_nxt);
	return 0;
}

/* Read sf[i] from its socket, and with it what the connection has. The kernel's backup flag counts from MPB_HEED_NS after we changed it. Returns 0, or -1
 * when this is not a living subflow of the connection any more. */
static __always_inline int mpb_view_read(struct mpb_steer *c, __u32 i, __u64 now)
{
	return bpf_ksym_exists(bpf_rdonly_cast) ? mpb_view_read_by(c, i, now, true) : mpb_view_read_by(c, i, now, false);
}

#endif
