/* SPDX-License-Identifier: GPL-2.0-only */
/* The siblings of a connection: each subflow writes what the others need into its own place of the connection's group and reads theirs, without a lock. What
 * it reads may be of different moments; each word is whole.
 * A group is keyed by the address of the MPTCP socket. That is unique on the machine, all namespaces and both ends included, as long as a member lives:
 * each subflow holds a reference on it until its ULP is released, which the kernel does after the congestion control's (tcp_v4_destroy_sock). */
#ifndef MPTCP_BPF_GROUP_BPF_H
#define MPTCP_BPF_GROUP_BPF_H

#include <mptcp_bpf/group.h>
#include <mptcp_bpf/kernel.bpf.h>

#define MPB_GROUPS_MAX 65536 /* connections; those beyond are like TCP Reno */
#define TCP_CONG_NON_RESTRICTED 1
#define TCP_CA_CWR 2
#define TCP_CA_RECOVERY 3
#define TSO_RTT_LOG 9        /* the default of net.ipv4.tcp_tso_rtt_log */

extern __u32 tcp_reno_ssthresh(struct sock *sk) __ksym;
extern __u32 tcp_reno_undo_cwnd(struct sock *sk) __ksym;
extern void tcp_reno_cong_avoid(struct sock *sk, __u32 ack, __u32 acked) __ksym;
extern __u32 tcp_slow_start(struct tcp_sock *tp, __u32 acked) __ksym;

/* A place in a group. owner: the socket, 0 where it is free. */
struct mpb_member {
	__u64 owner;
	__u64 seen_us; /* tcp_mstamp when it last wrote */
	struct mpb_cc_sf sf;
	__u64 pad[3];
};

struct mpb_group {
	struct mpb_member member[MPB_GROUP_MAX];
};

MPB_HASH(mpb_groups, MPB_GROUPS_MAX, __u64, struct mpb_group);

/* What a subflow remembers in its socket (icsk_ca_priv, 104 bytes). */
struct mpb_cc_priv {
	__u64 group;      /* 0: it has joined none */
	__u64 loss_at;    /* bytes_acked at the last loss */
	__u64 loss_gap;   /* bytes between the last two */
	__s64 credit;     /* see mpb_cc_step() */
	struct mpb_cc_change change;
	__u64 reckoned_us;  /* tcp_mstamp when it reckoned `change` */
	__u32 reckoned_for; /* which window */
	__u32 place;      /* in the group */
	__u32 coupled;    /* had siblings when it last looked */
	__u32 round_end;  /* snd_nxt when this round trip began */
	__u32 samples;    /* of the round trip */
	__u32 rtt_us;     /* the least of them */
	__u32 base_us;    /* the least ever */
	__u32 queue_us;
};
_Static_assert(sizeof(struct mpb_cc_priv) <= 104, "a congestion control's memory in its socket");

static const struct mpb_group mpb_group_none;

static __always_inline struct mpb_cc_priv *mpb_cc_priv(struct sock *sk)
{
	return (struct mpb_cc_priv *)((struct inet_connection_sock *)sk)->icsk_ca_priv;
}

static __always_inline struct tcp_sock *mpb_tcp(struct sock *sk)
{
	return (struct tcp_sock *)sk;
}

static __always_inline __u64 mpb_group_key(struct sock *sk)
{
	struct mptcp_subflow_context *ctx;

	if (!mpb_tcp(sk)->is_mptcp)
		return 0;
	ctx = ((struct inet_connection_sock *)sk)->icsk_ulp_data;
	return ctx ? (__u64)BPF_CORE_READ(ctx, conn) : 0;
}

/* The connection's group with a place of our own in it; NULL: none to be had, or no MPTCP. */
static __noinline struct mpb_group *mpb_group_join(struct sock *sk)
{
	struct mpb_cc_priv *p = mpb_cc_priv(sk);
	__u64 key = mpb_group_key(sk);
	struct mpb_group *g;

	if (!key)
		return NULL;
	g = bpf_map_lookup_elem(&mpb_groups, &key);
	if (!g) {
		bpf_map_update_elem(&mpb_groups, &key, &mpb_group_none, BPF_NOEXIST);
		g = bpf_map_lookup_elem(&mpb_groups, &key);
	}
	if (!g)
		return NULL;
	for (__u32 i = 0; i < MPB_GROUP_MAX; i++) {
		if (__sync_val_compare_and_swap(&g->member[i].owner, 0, (__u64)sk))
			continue;
		p->group = key;
		p->place = i;
		return g;
	}
	return NULL;
}

/* Our group; joined anew where the last of the others took it away while we joined. */
static __always_inline struct mpb_group *mpb_group(struct sock *sk)
{
	struct mpb_cc_priv *p = mpb_cc_priv(sk);
	__u64 key = p->group;
	struct mpb_group *g = key ? bpf_map_lookup_elem(&mpb_groups, &key) : NULL;

	return g && g->member[p->place & (MPB_GROUP_MAX - 1)].owner == (__u64)sk ? g : mpb_group_join(sk);
}

static __always_inline void mpb_cc_release(struct sock *sk)
{
	struct mpb_cc_priv *p = mpb_cc_priv(sk);
	__u64 key = p->group;
	struct mpb_group *g = key ? bpf_map_lookup_elem(&mpb_groups, &key) : NULL;
	struct mpb_member *m;

	if (!g)
		return;
	m = &g->member[p->place & (MPB_GROUP_MAX - 1)];
	if (m->owner != (__u64)sk)
		return;
	m->sf.cwnd = 0;
	__sync_lock_test_and_set(&m->owner, 0);
	for (__u32 i = 0; i < MPB_GROUP_MAX; i++)
		if (g->member[i].owner)
			return;
	bpf_map_delete_elem(&mpb_groups, &key);
}

static __always_inline void mpb_cc_init(struct sock *sk)
{
	struct mpb_cc_priv *p = mpb_cc_priv(sk);

	p->group = 0;
	p->place = 0;
	p->coupled = 0;
	p->credit = 0;
	p->reckoned_us = 0;
	p->reckoned_for = 0;
	p->loss_gap = 0;
	p->loss_at = mpb_tcp(sk)->bytes_acked;
	p->round_end = mpb_tcp(sk)->snd_nxt;
	p->samples = 0;
	p->queue_us = 0;
	p->rtt_us = ~0U;
	p->base_us = ~0U;
}

/* Tell the siblings how we are; returns the group. In recovery the window is on its way to ssthresh, which then speaks for it (OLIA draft, section 2). */
static __always_inline struct mpb_group *mpb_cc_publish(struct sock *sk, __u8 state)
{
	struct mpb_group *g = mpb_group(sk);
	struct mpb_cc_priv *p = mpb_cc_priv(sk);
	struct tcp_sock *tp = mpb_tcp(sk);
	struct mpb_member *m;
	__u64 since;

	if (!g)
		return NULL;
	m = &g->member[p->place & (MPB_GROUP_MAX - 1)];
	since = tp->bytes_acked - p->loss_at;
	m->sf.interval = since > p->loss_gap ? since : p->loss_gap;
	m->sf.mss = tp->mss_cache;
	m->sf.srtt_us = tp->srtt_us >> 3;
	m->sf.cwnd = state == TCP_CA_CWR || state == TCP_CA_RECOVERY ? tp->snd_ssthresh : tp->snd_cwnd;
	m->seen_us = tp->tcp_mstamp;
	return g;
}

static __always_inline __u8 mpb_ca_state(struct sock *sk)
{
	return BPF_CORE_READ_BITFIELD((struct inet_connection_sock *)sk, icsk_ca_state);
}

static __always_inline void mpb_cc_state(struct sock *sk, __u8 state)
{
	struct mpb_cc_priv *p = mpb_cc_priv(sk);
	__u64 acked = mpb_tcp(sk)->bytes_acked;

	if (state >= TCP_CA_RECOVERY && mpb_ca_state(sk) < TCP_CA_RECOVERY) {
		p->loss_gap = acked - p->loss_at;
		p->loss_at = acked;
	}
	mpb_cc_publish(sk, state);
}

/* The window of a member that counts now, else 0. */
__attribute__((noinline)) __u32 mpb_member_cwnd(const struct mpb_member *m, __u64 now)
{
	if (!m || !m->owner || !m->sf.srtt_us || (__s64)(now - m->seen_us) > MPB_QUIET_US + 4LL * m->sf.srtt_us)
		return 0;
	return m->sf.cwnd;
}

/* Who counts now. Returns how many; 0 where we have no round-trip time yet. */
static __always_inline __u32 mpb_cc_look(struct sock *sk, const struct mpb_group *g, struct mpb_cc_view *v)
{
	struct mpb_cc_priv *p = mpb_cc_priv(sk);
	__u64 now = mpb_tcp(sk)->tcp_mstamp;

	v->own = g->member[p->place & (MPB_GROUP_MAX - 1)].sf;
	for (__u32 i = 0; i < MPB_GROUP_MAX; i++) {
		const struct mpb_member *m = &g->member[i];

		v->sf[i].cwnd = mpb_member_cwnd(m, now);
		v->sf[i].mss = m->sf.mss;
		v->sf[i].srtt_us = m->sf.srtt_us;
		v->sf[i].interval = m->sf.interval;
	}
	v->n = mpb_cc_count(v);
	return v->own.srtt_us ? v->n : 0;
}

/* include/net/tcp.h: tcp_is_cwnd_limited() */
static __always_inline bool mpb_cwnd_limited(struct tcp_sock *tp)
{
	if (BPF_CORE_READ_BITFIELD(tp, is_cwnd_limited))
		return true;
	return tp->snd_cwnd < tp->snd_ssthresh && tp->snd_cwnd < 2 * tp->max_packets_out;
}

static __always_inline void mpb_set_cwnd(struct tcp_sock *tp, __u32 cwnd)
{
	cwnd = cwnd < tp->snd_cwnd_clamp ? cwnd : tp->snd_cwnd_clamp;
	tp->snd_cwnd = cwnd > 2 ? cwnd : 2;
}

/* Speak, look around, and reckon the increase anew. */
static __always_inline void mpb_cc_reckon(struct sock *sk, const struct mpb_cc_ops *ops)
{
	struct mpb_group *g = mpb_cc_publish(sk, 0);
	struct mpb_cc_priv *p = mpb_cc_priv(sk);
	struct mpb_cc_change change = {};
	struct mpb_cc_view v;

	p->reckoned_us = mpb_tcp(sk)->tcp_mstamp;
	p->reckoned_for = mpb_tcp(sk)->snd_cwnd;
	p->coupled = g && mpb_cc_look(sk, g, &v) >= 2;
	if (!p->coupled)
		return;
	ops->increase(&v, &change);
	p->change.up = change.up;
	p->change.down = change.down;
}

/* cong_avoid() of the ones that go by loss. */
static __always_inline void mpb_cc_avoid(struct sock *sk, __u32 ack, __u32 acked, const struct mpb_cc_ops *ops)
{
	struct mpb_cc_priv *p = mpb_cc_priv(sk);
	struct tcp_sock *tp = mpb_tcp(sk);
	bool slow_start = tp->snd_cwnd < tp->snd_ssthresh;
	struct mpb_cc_change change;
	__s64 credit;

	if (mpb_cc_is_due(tp->tcp_mstamp - p->reckoned_us, tp->srtt_us >> 3, !slow_start && tp->snd_cwnd != p->reckoned_for))
		mpb_cc_reckon(sk, ops);
	if (!p->coupled)
		return tcp_reno_cong_avoid(sk, ack, acked);
	if (!mpb_cwnd_limited(tp))
		return;
	if (slow_start) {
		acked = tcp_slow_start(tp, acked);
		if (!acked)
			return;
	}
	change = (struct mpb_cc_change){ p->change.up, p->change.down };
	credit = p->credit;
	mpb_set_cwnd(tp, mpb_cc_step(&change, acked, tp->snd_cwnd, &credit));
	p->credit = credit;
}

/* ssthresh() of the ones that go by loss. */
static __always_inline __u32 mpb_cc_remain(struct sock *sk, const struct mpb_cc_ops *ops)
{
	struct mpb_group *g = mpb_cc_publish(sk, 0);
	__u32 least = ops->least ? ops->least : 2, half = mpb_tcp(sk)->snd_cwnd >> 1, remain;
	struct mpb_cc_view v;

	if (!g || mpb_cc_look(sk, g, &v) < 2)
		return tcp_reno_ssthresh(sk);
	remain = ops->remain ? ops->remain(&v) : half;
	return remain > least ? remain : least;
}

/* pkts_acked() of the ones that go by delay. A base of 0 would divide by it. */
static __always_inline void mpb_cc_sample(struct sock *sk, __s32 rtt_us)
{
	struct mpb_cc_priv *p = mpb_cc_priv(sk);

	if (rtt_us < 0)
		return;
	rtt_us += !rtt_us;
	if ((__u32)rtt_us < p->base_us)
		p->base_us = rtt_us;
	if ((__u32)rtt_us < p->rtt_us)
		p->rtt_us = rtt_us;
	p->samples++;
}

/* Packets in one frame as TCP builds them (net/ipv4/tcp_output.c: tcp_tso_autosize()): what goes out in a part of a second, and more where the round trip
 * is short, but no more than a device takes. */
static __always_inline __u32 mpb_cc_burst(struct sock *sk)
{
	__u32 most = sk->sk_gso_max_size, shift = mpb_cc_priv(sk)->base_us >> TSO_RTT_LOG, mss = mpb_tcp(sk)->mss_cache;
	__u64 bytes = sk->sk_pacing_rate >> (sk->sk_pacing_shift & 63);

	if (shift < 32)
		bytes += most >> shift;
	if (bytes > most)
		bytes = most;
	return mss ? bytes / mss : 0;
}

/* A round trip is over: speak, look around, and let the policy judge it. */
static __always_inline void mpb_cc_round(struct sock *sk, __u32 ack, __u32 acked, const struct mpb_cc_delay_ops *ops)
{
	struct mpb_group *g = mpb_cc_publish(sk, 0);
	struct mpb_cc_priv *p = mpb_cc_priv(sk);
	struct tcp_sock *tp = mpb_tcp(sk);
	struct mpb_cc_round r = { tp->snd_cwnd, tp->snd_ssthresh, p->rtt_us, p->base_us, mpb_cc_burst(sk), p->queue_us };
	__u32 samples = p->samples;
	struct mpb_cc_view v;
	int slow_start;

	p->round_end = tp->snd_nxt;
	p->samples = 0;
	p->rtt_us = ~0U;
	p->coupled = g && mpb_cc_look(sk, g, &v) >= 2;
	if (!p->coupled || samples <= 2 || mpb_ca_state(sk))
		return tcp_reno_cong_avoid(sk, ack, acked);
	slow_start = ops->round(&v, &r);
	p->queue_us = r.queue_us;
	if ((slow_start || r.cwnd > tp->snd_cwnd) && !mpb_cwnd_limited(tp))
		return;
	if (slow_start) {
		tcp_slow_start(tp, acked);
	} else {
		mpb_set_cwnd(tp, r.cwnd);
		tp->snd_ssthresh = r.ssthresh;
	}
}

/* cong_avoid() of the ones that go by delay. */
static __always_inline void mpb_cc_delay_avoid(struct sock *sk, __u32 ack, __u32 acked, const struct mpb_cc_delay_ops *ops)
{
	struct mpb_cc_priv *p = mpb_cc_priv(sk);
	struct tcp_sock *tp = mpb_tcp(sk);

	if ((__s32)(ack - p->round_end) > 0)
		return mpb_cc_round(sk, ack, acked, ops);
	if (!p->coupled || mpb_ca_state(sk))
		return tcp_reno_cong_avoid(sk, ack, acked);
	if (tp->snd_cwnd < tp->snd_ssthresh && mpb_cwnd_limited(tp))
		tcp_slow_start(tp, acked);
}

#endif
