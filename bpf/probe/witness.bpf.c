/* SPDX-License-Identifier: GPL-2.0-only */
/* witness - how subflows fare and how they end: a memory of those that closed or were refused, when priorities changed; and, while somebody looks, round-trip
 * times and events. A sock_ops program at the cgroup root beside the observer, with maps of its own for each namespace. */
#include <mptcp_bpf/policy.bpf.h>
#include <mptcp_bpf/sight.bpf.h>
#include <mptcp_bpf/subflow.bpf.h>

MPB_DESCRIBE(MPB_PROBE, witness, "remembers how MPTCP subflows fared and ended");

MPB_OF_NS(mpb_sights, mpb_ns_sights, BPF_MAP_TYPE_HASH, MPB_SUBFLOWS_DEFAULT, sizeof(struct mpb_tuple), sizeof(struct mpb_sight));
MPB_OF_NS(mpb_past, mpb_ns_past, BPF_MAP_TYPE_ARRAY, MPB_PAST_MAX, sizeof(__u32), sizeof(struct mpb_past));
MPB_OF_NS(mpb_conns, mpb_ns_alive, BPF_MAP_TYPE_HASH, MPB_SUBFLOWS_DEFAULT, sizeof(__u32), sizeof(struct mpb_conn)); /* the observer's */
MPB_OF_NS(mpb_waits, mpb_ns_waits, BPF_MAP_TYPE_HASH, MPB_SUBFLOWS_DEFAULT, sizeof(struct mpb_waiter), sizeof(struct mpb_wait)); /* `sight` fills it */
MPB_OF_NS(mpb_watch, mpb_ns_watch, BPF_MAP_TYPE_ARRAY, MPB_WATCH_MAX, sizeof(__u32), sizeof(__u64));
MPB_OF_NS(mpb_events, mpb_ns_events, BPF_MAP_TYPE_RINGBUF, MPB_EVENTS_BYTES, 0, 0);

/* When an MPTCP socket sent its first SYN, by its address. What is forgotten here has no join latency. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, __u64);
} mpb_asked SEC(".maps");

static const struct mpb_sight unseen;

struct scene {
	struct bpf_sock_ops *ctx;
	__u64 cookie, now;
	void *watch;
	struct tcp_sock *tp;
	struct mptcp_subflow_context *sub;
	void *sights;
	struct mpb_tuple tuple;
};

static __always_inline bool watched(struct scene *s, __u32 what)
{
	__u64 *until = bpf_map_lookup_elem(s->watch, &what);

	return until && *until > s->now;
}

/* Returns what it was. */
static __always_inline __u64 count(struct scene *s, __u32 what)
{
	__u64 *n = bpf_map_lookup_elem(s->watch, &what);

	return n ? __sync_fetch_and_add(n, 1) : 0;
}

/* The namespace is observed and this is a subflow of MPTCP. */
static __always_inline bool enter(struct scene *s, struct bpf_sock_ops *ctx)
{
	struct bpf_sock *sk = ctx->sk;

	s->ctx = ctx;
	s->cookie = bpf_get_netns_cookie(ctx);
	s->watch = bpf_map_lookup_elem(&mpb_ns_watch, &s->cookie);
	s->sights = s->watch ? bpf_map_lookup_elem(&mpb_ns_sights, &s->cookie) : NULL;
	if (!s->sights || !sk)
		return false;
	s->tp = bpf_skc_to_tcp_sock(sk);
	s->sub = s->tp ? mpb_subflow_ctx(s->tp) : NULL;
	if (!s->sub)
		return false;
	s->now = bpf_ktime_get_ns();
	mpb_sock_tuple((struct sock_common *)s->tp, &s->tuple);
	return true;
}

static __always_inline void fill(struct scene *s, struct mpb_event *e, __u16 kind)
{
	struct mptcp_subflow_context *sub = s->sub;

	__builtin_memset(e, 0, sizeof(*e));
	e->ns = s->now;
	e->kind = kind;
	e->tuple = s->tuple;
	e->token = BPF_CORE_READ(sub, token);
	e->local_id = mpb_local_id(sub);
	e->remote_id = BPF_CORE_READ(sub, remote_id);
}

static __always_inline void tell(struct scene *s, __u16 kind, __u32 us)
{
	struct mpb_event *e;
	void *ring;

	if (!watched(s, MPB_WATCH_EVENTS))
		return;
	ring = bpf_map_lookup_elem(&mpb_ns_events, &s->cookie);
	e = ring ? bpf_ringbuf_reserve(ring, sizeof(*e), 0) : NULL;
	if (!e) {
		count(s, MPB_WATCH_UNTOLD);
		return;
	}
	fill(s, e, kind);
	e->us = us;
	bpf_ringbuf_submit(e, 0);
}

/* The first SYN leaves: refused subflows end in the state that they are in now. */
static __always_inline void asked(struct scene *s)
{
	__u64 sk = (__u64)s->tp;

	bpf_map_update_elem(&mpb_asked, &sk, &s->now, BPF_ANY);
	bpf_sock_ops_cb_flags_set(s->ctx, s->ctx->bpf_sock_ops_cb_flags | BPF_SOCK_OPS_STATE_CB_FLAG);
}

static __always_inline void born(struct scene *s)
{
	struct tcp_sock *tp = s->tp;
	struct mptcp_subflow_context *sub = s->sub;
	__u64 sk = (__u64)tp, *asked_ns = bpf_map_lookup_elem(&mpb_asked, &sk);
	__u32 flags = s->ctx->bpf_sock_ops_cb_flags | BPF_SOCK_OPS_STATE_CB_FLAG;
	__u32 us = asked_ns ? (s->now - *asked_ns) / 1000 : BPF_CORE_READ(tp, srtt_us) >> 3;
	struct mpb_sight *sight;

	if (asked_ns)
		bpf_map_delete_elem(&mpb_asked, &sk);
	bpf_map_update_elem(s->sights, &s->tuple, &unseen, BPF_ANY);
	sight = bpf_map_lookup_elem(s->sights, &s->tuple);
	if (sight) {
		sight->born_ns = sight->turned_ns = s->now;
		sight->join_us = us;
		sight->backup = BPF_CORE_READ_BITFIELD_PROBED(sub, backup) || BPF_CORE_READ_BITFIELD_PROBED(sub, request_bkup);
	}
	if (watched(s, MPB_WATCH_RTTS))
		flags |= BPF_SOCK_OPS_RTT_CB_FLAG;
	bpf_sock_ops_cb_flags_set(s->ctx, flags);
	tell(s, BPF_CORE_READ_BITFIELD_PROBED(sub, mp_join) || BPF_CORE_READ_BITFIELD_PROBED(sub, request_join) ? MPB_EV_JOINED : MPB_EV_BORN, us);
}

static __always_inline void round_trip(struct scene *s)
{
	__u32 window = s->now / MPB_RTT_WINDOW_NS, i;
	struct mpb_sight *sight;
	struct tcp_sock *tp = s->tp;
	struct mpb_rtts *rtts;

	if (!watched(s, MPB_WATCH_RTTS))
		return;
	if (!(s->ctx->bpf_sock_ops_cb_flags & BPF_SOCK_OPS_RTT_CB_FLAG)) /* the observer has just had enough */
		bpf_sock_ops_cb_flags_set(s->ctx, s->ctx->bpf_sock_ops_cb_flags | BPF_SOCK_OPS_RTT_CB_FLAG);
	sight = bpf_map_lookup_elem(s->sights, &s->tuple);
	if (!sight)
		return;
	rtts = &sight->rtts[window & 1];
	if (rtts->window != window) {
		__builtin_memset(rtts, 0, sizeof(*rtts));
		rtts->window = window;
	}
	i = mpb_rtt_bucket(BPF_CORE_READ(tp, rack.rtt_us));
	if (i < MPB_RTT_BUCKETS)
		rtts->bucket[i]++;
}

static __always_inline void read_totals(struct mpb_past *p, struct mptcp_sock *msk)
{
	if (!bpf_core_field_exists(msk->bytes_sent) || !bpf_core_field_exists(msk->bytes_acked) || !bpf_core_field_exists(msk->bytes_received) ||
	    !bpf_core_field_exists(msk->bytes_retrans))
		return;
	p->conn.sent = BPF_CORE_READ(msk, bytes_sent);
	p->conn.acked = BPF_CORE_READ(msk, bytes_acked);
	p->conn.received = BPF_CORE_READ(msk, bytes_received);
	p->conn.retrans = BPF_CORE_READ(msk, bytes_retrans);
}

/* How long the subflow was stale, and how long data waited on the connection: the end is a look like any other. The observer, which is called before, has
 * forgotten the connection with its last subflow; so does this then. */
static __always_inline void take_waits(struct scene *s, struct mpb_past *p, struct mptcp_sock *msk)
{
	void *waits = bpf_map_lookup_elem(&mpb_ns_waits, &s->cookie), *alive = bpf_map_lookup_elem(&mpb_ns_alive, &s->cookie);
	struct mpb_waiter key = { p->token, s->tuple.sport, s->tuple.dport };
	struct mptcp_subflow_context *sub = s->sub;
	struct tcp_sock *tp = s->tp;
	__u64 from = BPF_CORE_READ(tp, delivered_mstamp) * 1000, stale = 0;
	struct mpb_wait *w, all;

	p->stale_ms = p->hol_times = 0;
	p->hol_ns = p->hol_longest_ns = 0;
	w = waits ? bpf_map_lookup_elem(waits, &key) : NULL;
	if (w) {
		stale = w->total_ns;
		if (w->looked_ns > from)
			from = w->looked_ns;
		bpf_map_delete_elem(waits, &key);
	}
	if (BPF_CORE_READ_BITFIELD_PROBED(sub, stale) && s->now > from)
		stale += s->now - from;
	p->stale_ms = stale / 1000000;

	key.sport = key.dport = 0;
	w = waits ? bpf_map_lookup_elem(waits, &key) : NULL;
	if (!w)
		return;
	all = *w;
	mpb_wait_note(&all, !!BPF_CORE_READ(msk, out_of_order_queue.rb_node), s->now);
	p->hol_ns = all.total_ns;
	p->hol_times = all.times;
	p->hol_longest_ns = all.waits && all.looked_ns - all.began_ns > all.longest_ns ? all.looked_ns - all.began_ns : all.longest_ns;
	if (alive && !bpf_map_lookup_elem(alive, &p->token))
		bpf_map_delete_elem(waits, &key);
}

/* The places of a namespace's memory are taken in turn; a reader knows by `number` whether one is whole. */
static __noinline int remember(struct scene *s, struct mpb_past *p, __u32 from)
{
	struct tcp_sock *tp = s->tp;
	struct mptcp_subflow_context *sub = s->sub;
	struct mptcp_sock *msk = (struct mptcp_sock *)BPF_CORE_READ(sub, conn);
	struct mpb_sight *sight = bpf_map_lookup_elem(s->sights, &s->tuple);
	__u64 spent;

	p->number = 0;
	p->ended_ns = s->now;
	p->tuple = s->tuple;
	p->token = BPF_CORE_READ(sub, token);
	p->from = from;
	p->error = BPF_CORE_READ((struct sock *)tp, sk_err);
	p->bytes_sent = BPF_CORE_READ(tp, bytes_sent);
	p->bytes_acked = BPF_CORE_READ(tp, bytes_acked);
	p->bytes_retrans = BPF_CORE_READ(tp, bytes_retrans);
	p->bytes_received = BPF_CORE_READ(tp, bytes_received);
	p->srtt_us = BPF_CORE_READ(tp, srtt_us) >> 3;
	p->min_rtt_us = mpb_min_rtt(tp);
	p->lost = BPF_CORE_READ(tp, lost);
	p->local_id = mpb_local_id(sub);
	p->remote_id = BPF_CORE_READ(sub, remote_id);
	p->reset_seen = BPF_CORE_READ_BITFIELD_PROBED(sub, reset_seen);
	p->reset_reason = BPF_CORE_READ_BITFIELD_PROBED(sub, reset_reason);
	p->transient = BPF_CORE_READ_BITFIELD_PROBED(sub, reset_transient);
	p->fallback = mpb_fallback_cause(sub, msk);
	p->unjoined = from != BPF_TCP_SYN_SENT && BPF_CORE_READ_BITFIELD_PROBED(sub, request_join) && !BPF_CORE_READ_BITFIELD_PROBED(sub, fully_established);
	read_totals(p, msk);
	take_waits(s, p, msk);
	if (!sight) {
		p->born_ns = s->now;
		p->join_us = p->flips = p->active_ms = p->backup_ms = 0;
		__builtin_memset(p->signals, 0, sizeof(p->signals));
		return 0;
	}
	if (p->unjoined && sight->rst[MPB_IN]) { /* the kernel does not read the options of a RST that stands for the fourth packet */
		p->reset_seen = 1;
		p->reset_reason = sight->rst[MPB_IN] - 1;
	}
	p->born_ns = sight->born_ns;
	p->join_us = sight->join_us;
	p->flips = sight->flips;
	spent = s->now - sight->turned_ns;
	p->active_ms = (sight->active_ns + (sight->backup ? 0 : spent)) / 1000000;
	p->backup_ms = (sight->backup_ns + (sight->backup ? spent : 0)) / 1000000;
	__builtin_memcpy(p->signals, sight->signals, sizeof(p->signals));
	return 0;
}

static __always_inline void tell_end(struct scene *s, const struct mpb_past *p, __u16 kind)
{
	struct mpb_ended *e;
	void *ring;

	if (!watched(s, MPB_WATCH_EVENTS))
		return;
	ring = bpf_map_lookup_elem(&mpb_ns_events, &s->cookie);
	e = ring ? bpf_ringbuf_reserve(ring, sizeof(*e), 0) : NULL;
	if (!e) {
		count(s, MPB_WATCH_UNTOLD);
		return;
	}
	fill(s, &e->event, kind);
	e->past = *p;
	bpf_ringbuf_submit(e, 0);
}

static __always_inline void gone(struct scene *s, __u32 from)
{
	void *map = bpf_map_lookup_elem(&mpb_ns_past, &s->cookie);
	struct mpb_past *p;
	__u64 number, sk = (__u64)s->tp;
	__u32 at;

	if (!map)
		return;
	number = count(s, MPB_WATCH_ENDED);
	at = number & (MPB_PAST_MAX - 1);
	p = bpf_map_lookup_elem(map, &at);
	if (!p)
		return;
	remember(s, p, from);
	p->number = number + 1;
	tell_end(s, p, from == BPF_TCP_SYN_SENT || p->unjoined ? MPB_EV_REFUSED : MPB_EV_CLOSED);
	if (from == BPF_TCP_SYN_SENT)
		bpf_map_delete_elem(&mpb_asked, &sk);
	else
		bpf_map_delete_elem(s->sights, &s->tuple);
}

SEC("sockops")
int witness(struct bpf_sock_ops *ctx)
{
	__u32 op = ctx->op;
	struct scene s = {};

	if (op != BPF_SOCK_OPS_TCP_CONNECT_CB && op != BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB && op != BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB &&
	    op != BPF_SOCK_OPS_RTT_CB && !(op == BPF_SOCK_OPS_STATE_CB && ctx->args[1] == BPF_TCP_CLOSE))
		return 1;
	if (!enter(&s, ctx))
		return 1;
	switch (op) {
	case BPF_SOCK_OPS_TCP_CONNECT_CB:
		asked(&s);
		break;
	case BPF_SOCK_OPS_RTT_CB:
		round_trip(&s);
		break;
	case BPF_SOCK_OPS_STATE_CB:
		gone(&s, ctx->args[0]);
		break;
	default:
		born(&s);
	}
	return 1;
}
