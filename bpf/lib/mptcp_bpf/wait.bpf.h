/* SPDX-License-Identifier: GPL-2.0-only */
/* How long data that have come wait for those before them, and how long subflows are stale; looked at whenever a segment arrives. What is found then is what
 * the segment before has left, and has been so since that one came: the out-of-order queue changes at arrivals only. */
#ifndef MPTCP_BPF_WAIT_BPF_H
#define MPTCP_BPF_WAIT_BPF_H

#include <mptcp_bpf/signal.bpf.h>

#ifdef __bpf__

#include <linux/errno.h>
#include <mptcp_bpf/view.bpf.h>

/* The namespace's own, as the others. */
MPB_HASH(mpb_waits, MPB_SUBFLOWS_DEFAULT, struct mpb_waiter, struct mpb_wait);

static __always_inline void mpb_wait_begin(const struct mpb_waiter *key, const struct mpb_wait *fresh)
{
	/* an int: before 6.4 the kernel's own functions for maps are called as they are, and extend no sign */
	if ((int)bpf_map_update_elem(&mpb_waits, key, fresh, BPF_NOEXIST) == -E2BIG)
		mpb_watch_count(MPB_WATCH_FULL);
}

/* Whoever never waited has no entry: the first wait of a connection counts from its second segment on. */
static __always_inline void mpb_wait_order(__u32 token, bool waits, __u64 now)
{
	struct mpb_waiter key = { .token = token };
	struct mpb_wait *w = bpf_map_lookup_elem(&mpb_waits, &key), fresh = { .looked_ns = now, .began_ns = now, .times = 1, .waits = 1 };

	if (w)
		mpb_wait_note(w, waits, now);
	else if (waits)
		mpb_wait_begin(&key, &fresh);
}

/* A stale subflow shows a sign of life. It has been without since it last delivered. */
static __always_inline void mpb_wait_life(__u32 token, const struct mpb_tuple *t, __u64 delivered, __u64 now)
{
	struct mpb_waiter key = { token, t->sport, t->dport };
	struct mpb_wait *w = bpf_map_lookup_elem(&mpb_waits, &key), fresh = { .looked_ns = now };
	__u64 from = w && w->looked_ns > delivered ? w->looked_ns : delivered;

	if (now < from)
		return;
	if (w) {
		w->total_ns += now - from;
		w->looked_ns = now;
		return;
	}
	fresh.total_ns = now - from;
	mpb_wait_begin(&key, &fresh);
}

static __always_inline void mpb_wait_look(const struct mpb_subflow *sf, const struct mpb_tuple *t, const bool cast)
{
	struct tcp_sock *tp = mpb_cast(cast, sf->sk, struct tcp_sock);
	struct mptcp_subflow_context *sub = mpb_socket_check(tp, t, sf->token, cast);
	__u64 now = bpf_ktime_get_ns();
	struct mptcp_sock *msk;

	if (!sub)
		return;
	msk = mpb_cast(cast, mpb_get(cast, sub, conn), struct mptcp_sock);
	mpb_wait_order(sf->token, mpb_get(cast, msk, out_of_order_queue.rb_node), now);
	if (mpb_get_bit(cast, sub, stale))
		mpb_wait_life(sf->token, t, mpb_get(cast, tp, delivered_mstamp) * 1000, now);
}

/* The segment that has the option under the cursor has arrived. Returns whether it belongs to a subflow of this host. */
__noinline int mpb_wait(struct mpb_seg *s)
{
	struct mpb_subflow *sf;
	struct mpb_tuple key;

	if (!s)
		return 0;
	mpb_local_first(s, &key);
	sf = bpf_map_lookup_elem(&mpb_subflows, &key);
	if (!sf)
		return 0;
	if (bpf_ksym_exists(bpf_rdonly_cast))
		mpb_wait_look(sf, &key, true);
	else
		mpb_wait_look(sf, &key, false);
	return 1;
}

#else

int mpb_wait(struct mpb_seg *s);

#endif
#endif
