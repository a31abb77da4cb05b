/* SPDX-License-Identifier: GPL-2.0-only */
/* The native back end: a policy behind struct mptcp_sched_ops, for kernels that let BPF register packet schedulers (the MPTCP developers' export tree;
 * the feature `native_sched`). The same text, compiled with -DMPB_BACKEND_NATIVE, decides for each burst instead of each acknowledgement; of the set that it
 * returns the subflow with the least queue, as a time, takes the burst, or with MPB_NATIVE all of them take it. Rates are not put in force, and what
 * an operator said of paths is not known here. Compiled by the tests; no kernel at hand could run it. */
#ifndef MPTCP_BPF_NATIVE_BPF_H
#define MPTCP_BPF_NATIVE_BPF_H

#include <mptcp_bpf/choose.h>
#include <mptcp_bpf/view.bpf.h>
#include <bpf/bpf_tracing.h>

#define MPB_BURST 65428 /* MPTCP_SEND_BURST_SIZE */

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct mptcp_sock___native {
	int snd_burst;
	__u32 token;
};

struct mptcp_subflow_context___native {
	__u8 stale_count;
};

struct mptcp_sched_ops___native {
	int (*get_send)(struct mptcp_sock *msk);
	int (*get_retrans)(struct mptcp_sock *msk);
	char name[16];
};

#pragma clang attribute pop

struct bpf_iter_mptcp_subflow {
	__u64 opaque[2];
} __attribute__((aligned(8)));

extern int bpf_iter_mptcp_subflow_new(struct bpf_iter_mptcp_subflow *it, struct sock *sk) __ksym;
extern struct mptcp_subflow_context *bpf_iter_mptcp_subflow_next(struct bpf_iter_mptcp_subflow *it) __ksym;
extern void bpf_iter_mptcp_subflow_destroy(struct bpf_iter_mptcp_subflow *it) __ksym;
extern struct sock *bpf_mptcp_subflow_tcp_sock(const struct mptcp_subflow_context *subflow) __ksym;
extern struct mptcp_subflow_context *bpf_mptcp_subflow_ctx(const struct sock *sk) __ksym;
extern bool mptcp_subflow_active(struct mptcp_subflow_context *subflow) __ksym;
extern void mptcp_subflow_set_scheduled(struct mptcp_subflow_context *subflow, bool scheduled) __ksym;
extern void mptcp_set_timeout(struct sock *sk) __ksym;
extern void mptcp_pm_subflow_chk_stale(const struct mptcp_sock *msk, struct sock *ssk) __ksym; /* may sleep */
extern bool bpf_mptcp_subflow_queues_empty(struct sock *sk) __ksym; /* sent and not acknowledged: none */
extern bool bpf_sk_stream_memory_free(const struct sock *sk) __ksym;

/* The record of a connection; it goes with its socket. */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct mpb_steer);
} mpb_native SEC(".maps");

static __always_inline struct mpb_steer *mpb_native_conn(struct mptcp_sock *msk)
{
	struct mpb_steer *c = bpf_sk_storage_get(&mpb_native, (struct sock *)msk, NULL, BPF_SK_STORAGE_GET_F_CREATE);

	if (c)
		c->view.token = BPF_CORE_READ((struct mptcp_sock___native *)msk, token);
	return c;
}

/* The place of a subflow in the view: it keeps it as long as it lives. MPB_SUBFLOWS: there is none. */
static __always_inline __u32 mpb_native_place(struct mpb_steer *c, struct sock *sk)
{
	__u32 place = MPB_SUBFLOWS;

	for (__u32 i = 0; i < MPB_SUBFLOWS; i++)
		if (place == MPB_SUBFLOWS && c->used & mpb_bit(i) && c->sk[i] == (__u64)sk)
			place = i;
	for (__u32 i = 0; i < MPB_SUBFLOWS; i++) {
		if (place != MPB_SUBFLOWS || c->used & mpb_bit(i))
			continue;
		place = i;
		c->used |= mpb_bit(i);
		c->sk[i] = (__u64)sk;
		c->tuple[i].dport = BPF_CORE_READ(sk, __sk_common.skc_dport);
		c->tuple[i].sport = bpf_htons(BPF_CORE_READ(sk, __sk_common.skc_num));
		c->view.sf[i].weight = 1;
	}
	return place;
}

/* Alive is who the kernel says is active: the first subflow carries data before it is fully established. */
static __always_inline void mpb_native_read(struct mptcp_sock *msk, struct mpb_steer *c)
{
	struct mptcp_subflow_context *sub;
	__u64 now = bpf_ktime_get_ns();
	mpb_set seen = 0, active = 0;

	bpf_for_each(mptcp_subflow, sub, (struct sock *)msk) {
		struct sock *sk = bpf_mptcp_subflow_tcp_sock(sub);
		__u32 i = sk ? mpb_native_place(c, sk) : MPB_SUBFLOWS;

		if (i >= MPB_SUBFLOWS || mpb_view_read(c, i, now))
			continue;
		seen |= mpb_bit(i);
		if (mptcp_subflow_active(sub))
			active |= mpb_bit(i);
	}
	for (__u32 i = 0; i < MPB_SUBFLOWS; i++) {
		if (c->used & ~seen & mpb_bit(i))
			c->view.sf[i] = (struct mpb_sf){};
		else if (c->backup & mpb_bit(i))
			c->view.sf[i].flags |= MPB_SF_PEER_BACKUP; /* nobody but the peer sets it here */
	}
	c->used &= seen;
	c->view.alive = active;
	c->view.set = active;
}

/* Of a set, the one whose queue takes the shortest time, as the stock scheduler has it; none of none. */
static __always_inline mpb_set mpb_native_one(const struct mpb_view *v, mpb_set set)
{
	__u64 key[MPB_SUBFLOWS];

	for (__u32 i = 0; i < MPB_SUBFLOWS; i++)
		key[i] = mpb_time_us((__u64)v->sf[i].inflight * v->sf[i].mss + v->sf[i].unsent, v->sf[i].pacing);
	return mpb_bit(mpb_least(set, key)) & set;
}

/* Returns 0, or -1 where nobody of the set has room: the data waits. */
static __always_inline int mpb_native_schedule(struct mptcp_sock *msk, struct mpb_steer *c, mpb_set set)
{
	struct mptcp_subflow_context *sub;
	int ret = -1;

	bpf_for_each(mptcp_subflow, sub, (struct sock *)msk) {
		struct sock *sk = bpf_mptcp_subflow_tcp_sock(sub);
		__u32 i = sk ? mpb_native_place(c, sk) : MPB_SUBFLOWS;

		if (i >= MPB_SUBFLOWS || !(set & mpb_bit(i)) || !bpf_sk_stream_memory_free(sk))
			continue;
		mptcp_subflow_set_scheduled(sub, true);
		ret = 0;
	}
	if (!ret)
		((struct mptcp_sock___native *)msk)->snd_burst = mpb_min(mpb_waiting(c->view.window), MPB_BURST);
	return ret;
}

/* Without a record, for lack of memory: the first subflow that takes data. */
static __always_inline int mpb_native_first(struct mptcp_sock *msk)
{
	struct mptcp_subflow_context *sub;
	int ret = -1;

	bpf_for_each(mptcp_subflow, sub, (struct sock *)msk) {
		struct sock *sk = bpf_mptcp_subflow_tcp_sock(sub);

		if (!sk || !mptcp_subflow_active(sub) || !bpf_sk_stream_memory_free(sk))
			continue;
		mptcp_subflow_set_scheduled(sub, true);
		ret = 0;
		break;
	}
	return ret;
}

/* Data that the peer misses goes to a subflow with nothing to do, to a backup one only where those with something are stale, for which they are looked at
 * here (mptcp_subflow_get_retrans()). Returns 0, or -1 where there is none. */
static __always_inline int mpb_native_retrans(struct mptcp_sock *msk)
{
	struct sock *pick = NULL, *backup = NULL;
	struct mptcp_subflow_context *sub;
	__u64 stale = ~0U;

	bpf_for_each(mptcp_subflow, sub, (struct sock *)msk) {
		struct sock *sk = bpf_mptcp_subflow_tcp_sock(sub);
		struct tcp_sock *tp = (struct tcp_sock *)sk;

		if (!sk || !mptcp_subflow_active(sub))
			continue;
		if (!bpf_mptcp_subflow_queues_empty(sk) || BPF_CORE_READ(tp, write_seq) != BPF_CORE_READ(tp, snd_nxt)) {
			mptcp_pm_subflow_chk_stale(msk, sk);
			stale = mpb_min(stale, BPF_CORE_READ((struct mptcp_subflow_context___native *)sub, stale_count));
		} else if (BPF_CORE_READ_BITFIELD_PROBED(sub, backup) || BPF_CORE_READ_BITFIELD_PROBED(sub, request_bkup)) {
			backup = backup ? backup : sk;
		} else {
			pick = pick ? pick : sk;
		}
	}
	if (!pick && stale > 1)
		pick = backup;
	sub = pick ? bpf_mptcp_subflow_ctx(pick) : NULL;
	if (!sub)
		return -1;
	mptcp_subflow_set_scheduled(sub, true);
	return 0;
}

#define MPB_SCHED(_name, _summary, _priv, ...)                                                                          \
	MPB_DESCRIBE(MPB_SCHED, _name, _summary, __VA_ARGS__);                                                          \
	_Static_assert(sizeof(struct _priv) <= MPB_PRIV_SIZE, "private memory of a connection: at most 64 bytes");      \
	_Static_assert(sizeof(#_name) <= 16, "MPTCP_SCHED_NAME_MAX");                                                   \
	SEC("struct_ops") int BPF_PROG(_name##_send, struct mptcp_sock *msk)                                            \
	{                                                                                                               \
		struct mpb_steer *c = mpb_native_conn(msk);                                                             \
		mpb_set set;                                                                                            \
                                                                                                                        \
		mptcp_set_timeout((struct sock *)msk); /* when retrans is asked follows the subflows' own timers */     \
		if (!c)                                                                                                 \
			return mpb_native_first(msk);                                                                   \
		mpb_native_read(msk, c);                                                                                \
		__builtin_memset(&c->ask, 0, sizeof(c->ask));                                                           \
		set = _name##_pick(&c->view, (struct _priv *)c->priv, &c->ask) & c->view.alive;                         \
		if (!set)                                                                                               \
			set = mpb_preferred(&c->view);                                                                  \
		if (!((0 + __VA_ARGS__ + 0) & MPB_NATIVE))                                                              \
			set = mpb_native_one(&c->view, set);                                                            \
		return mpb_native_schedule(msk, c, set);                                                                \
	}                                                                                                               \
	SEC("struct_ops.s") int BPF_PROG(_name##_retrans, struct mptcp_sock *msk)                                       \
	{                                                                                                               \
		return mpb_native_retrans(msk);                                                                         \
	}                                                                                                               \
	SEC(".struct_ops.link") struct mptcp_sched_ops___native _name##_ops = {                                         \
		.get_send = (void *)_name##_send,                                                                       \
		.get_retrans = (void *)_name##_retrans,                                                                 \
		.name = #_name,                                                                                         \
	}

#endif
