/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel's backup flags of a connection's subflows: set by injected segments, counted, and told. */
#ifndef MPTCP_BPF_FLIP_BPF_H
#define MPTCP_BPF_FLIP_BPF_H

#include <mptcp_bpf/inject.bpf.h>
#include <mptcp_bpf/steered.bpf.h>
#include <mptcp_bpf/watch.bpf.h>

struct flipping {
	struct __sk_buff *skb;
	struct mpb_steer *c;
	struct mpb_carrier *w;
	mpb_set change, off;
	mpb_set done;
};

/* Those to enable come first: steps 0..7, those to disable after them. */
static long flip_step(__u32 n, struct flipping *f)
{
	__u32 i = n & (MPB_SUBFLOWS - 1), backup = n >= MPB_SUBFLOWS;
	struct mpb_tuple *tuple = &f->c->tuple[i];
	struct tcp_sock *tp = (struct tcp_sock *)f->c->sk[i];

	if (!(f->change & mpb_bit(i)) || !!(f->off & mpb_bit(i)) != backup)
		return 0;
	mpb_inject_build(f->w, tuple, tp, backup, f->w->leaves && (backup || !(f->off & f->change))); /* sent when all flags are right */
	if (!mpb_socket_check(tp, tuple, f->c->view.token, false) || mpb_carrier_send(f->skb, f->w))
		count(failed);
	else
		f->done |= mpb_bit(i);
	return 0;
}

static long flipped_step(__u32 i, struct flipping *f)
{
	__u64 now = f->c->view.now_ns;
	struct mpb_subflow *sf;
	struct mpb_sight *sight;

	i &= MPB_SUBFLOWS - 1;
	if (!(f->done & mpb_bit(i)))
		return 0;
	if (f->c->flipped_ns[i] && now - f->c->flipped_ns[i] < 2 * MPB_HEED_NS && !((f->off ^ f->c->meant) & mpb_bit(i)))
		count(unheeded);
	f->c->flipped_ns[i] = now;
	f->c->flips++;
	count(flips);
	sf = bpf_map_lookup_elem(&mpb_subflows, &f->c->tuple[i]);
	if (sf)
		sf->flips++;
	sight = bpf_map_lookup_elem(&mpb_sights, &f->c->tuple[i]);
	if (sight) {
		sight->flips++;
		sight->why = f->c->ask.why;
		mpb_turn(sight, !!(f->off & mpb_bit(i)), now);
	}
	return 0;
}

static __always_inline void tell(struct mpb_steer *c, mpb_set before)
{
	struct mpb_decided *e;
	mpb_set locked = 0;

	if (!mpb_is_watched(MPB_WATCH_EVENTS, c->view.now_ns))
		return;
	e = mpb_event_reserve(sizeof(*e));
	if (!e)
		return;
	__builtin_memset(&e->event, 0, sizeof(e->event));
	e->event.ns = c->view.now_ns;
	e->event.token = c->view.token;
	e->event.kind = MPB_EV_DECISION;
	e->slot = c->slot;
	e->before = before;
	for (__u32 i = 0; i < MPB_SUBFLOWS; i++)
		locked |= c->view.sf[i].flags & MPB_SF_LOCKED ? mpb_bit(i) : 0;
	e->after = c->view.alive & ~c->backup & ~locked;
	e->why = c->ask.why;
	e->used = c->used;
	e->pad = 0;
	__builtin_memcpy(e->tuple, c->tuple, sizeof(e->tuple));
	bpf_ringbuf_submit(e, 0);
}

/* Make the kernel's flags of `change` what they should be: those of `off` backup, the others not. Returns the verdict on the segment. */
static __noinline int flip(struct __sk_buff *skb, struct mpb_steer *c, struct mpb_carrier *w, __u32 l2, __u64 sets)
{
	struct flipping f = { .skb = skb, .c = c, .w = w, .change = (__u32)sets, .off = sets >> 32 };
	mpb_set before = c->view.set;
	int verdict;

	if (mpb_carrier_take(skb, w, l2)) {
		count(carrier);
		return MPB_TC_NEXT;
	}
	bpf_loop(2 * MPB_SUBFLOWS, flip_step, &f, 0);
	verdict = mpb_carrier_restore(skb, w);
	if (verdict == MPB_TC_DROP)
		count(dropped);
	c->backup = (c->backup & ~f.done) | (f.off & f.done);
	bpf_loop(MPB_SUBFLOWS, flipped_step, &f, 0);
	c->meant = (c->meant & ~f.done) | (f.off & f.done);
	tell(c, before);
	return verdict;
}

#endif
