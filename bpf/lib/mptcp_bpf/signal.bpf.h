/* SPDX-License-Identifier: GPL-2.0-only */
/* Notes the MPTCP options of a namespace's own subflows in their sights, and tells them while somebody reads. */
#ifndef MPTCP_BPF_SIGNAL_BPF_H
#define MPTCP_BPF_SIGNAL_BPF_H

#include <mptcp_bpf/opt.bpf.h>
#include <mptcp_bpf/steer.h>

#ifdef __bpf__

#include <mptcp_bpf/watch.bpf.h>

/* The namespace's subflows: the controller puts its own map in this place. */
MPB_HASH(mpb_subflows, MPB_SUBFLOWS_DEFAULT, struct mpb_tuple, struct mpb_subflow);

static __always_inline void mpb_local_first(const struct mpb_seg *s, struct mpb_tuple *key)
{
	*key = s->pkt.tuple;
	if (s->dir != MPB_IN)
		return;
	__builtin_memcpy(key->saddr, s->pkt.tuple.daddr, sizeof(key->saddr));
	__builtin_memcpy(key->daddr, s->pkt.tuple.saddr, sizeof(key->daddr));
	key->sport = s->pkt.tuple.dport;
	key->dport = s->pkt.tuple.sport;
}

static __always_inline void mpb_signal_tell(const struct mpb_seg *s, const struct mpb_tuple *key, const struct mpb_subflow *sf, __u32 us, __u64 now)
{
	struct mpb_event *e;

	if (!mpb_is_watched(MPB_WATCH_EVENTS, now))
		return;
	e = mpb_event_reserve(sizeof(*e));
	if (!e)
		return;
	__builtin_memset(e, 0, sizeof(*e));
	e->ns = now;
	e->kind = MPB_EV_SIGNAL;
	e->dir = s->dir;
	e->subtype = s->subtype;
	e->value = mpb_opt_u8(s, 2) & 0xf;
	e->id = s->optlen > 3 ? mpb_opt_u8(s, 3) : 0;
	e->us = us;
	e->tuple = *key;
	if (sf) {
		e->token = sf->token;
		e->local_id = sf->local_id;
		e->remote_id = sf->remote_id;
	}
	bpf_ringbuf_submit(e, 0);
}

/* The option under the cursor. Returns whether the segment belongs to a subflow of this host. */
__noinline int mpb_signal(struct mpb_seg *s)
{
	__u64 now = bpf_ktime_get_ns();
	struct mpb_tuple key;
	struct mpb_subflow *sf;
	struct mpb_sight *sight;
	__u32 us = 0, kind;

	if (!s)
		return 0;
	mpb_local_first(s, &key);
	sf = bpf_map_lookup_elem(&mpb_subflows, &key);
	sight = bpf_map_lookup_elem(&mpb_sights, &key);
	kind = s->subtype;
	asm volatile("" : "+r"(kind)); /* so that what is checked is what is used */
	if (sight && kind < MPB_SIGNALS)
		__sync_fetch_and_add(&sight->signals[s->dir & 1][kind], 1);
	if (sight && kind == MPTCP_PRIO && s->optlen == MPTCP_PRIO_LEN)
		mpb_turn(sight, mpb_opt_u8(s, 2) & MPTCP_PRIO_BACKUP, now);
	if (sight && kind == MPTCP_TCPRST && s->optlen == MPTCP_TCPRST_LEN)
		sight->rst[s->dir & 1] = 1 + mpb_opt_u8(s, 3);
	if (sight && kind == MPTCP_ADD_ADDR) {
		bool echo = mpb_opt_u8(s, 2) & MPTCP_ADD_ADDR_ECHO;

		if (s->dir == MPB_OUT && !echo)
			sight->announced_ns = now;
		else if (s->dir == MPB_IN && echo && sight->announced_ns)
			sight->echo_us = us = (now - sight->announced_ns) / 1000;
	}
	if (kind >= MPTCP_ADD_ADDR)
		mpb_signal_tell(s, &key, sf, us, now);
	return !!sf;
}

#else

int mpb_signal(struct mpb_seg *s);

#endif
#endif
