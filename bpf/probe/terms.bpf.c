/* SPDX-License-Identifier: GPL-2.0-only */
/* terms - asks the peers of subflows for a rate limit and an inactivity time, and obeys those that ask, where the operator says so of a path (docs/terms.md).
 * A third sock_ops program at the cgroup root, behind the observer: it is called at a subflow's birth and end, and, on subflows of such paths alone, for each
 * segment. It speaks on acknowledgements without data only: others have no room, and their size would have to be kept free in each of them. */
#include <mptcp_bpf/policy.bpf.h>
#include <mptcp_bpf/terms.bpf.h>

#define ENOMSG 42
#define EVERY 16 /* segments: one of so many is looked at for terms that have lapsed; and the first ones all, one of which answers the greeting */
#define TCP_ACK 0x10
#define TCP_NATURE 0x17 /* FIN, SYN, RST, ACK */

MPB_DESCRIBE(MPB_PROBE, terms, "asks peers for rate limits and inactivity times, and obeys them");

MPB_OF_NS(mpb_deals, mpb_ns_deals, BPF_MAP_TYPE_HASH, MPB_SUBFLOWS_DEFAULT, sizeof(struct mpb_tuple), sizeof(struct mpb_deal));
MPB_OF_NS(mpb_paths, mpb_ns_paths, BPF_MAP_TYPE_HASH, 1, sizeof(__u32), sizeof(struct mpb_paths));
MPB_OF_NS(mpb_subflows, mpb_ns_paced, BPF_MAP_TYPE_HASH, MPB_SUBFLOWS_DEFAULT, sizeof(struct mpb_tuple), sizeof(struct mpb_subflow)); /* the observer's */
MPB_HASH(mpb_ns_terms, MPB_NAMESPACES_MAX, __u64, struct mpb_terms_counts); /* by the namespace's cookie */

static const struct mpb_deal nothing_said = { .said = MPB_TERMS_TIMES };

struct scene {
	struct bpf_sock_ops *ctx;
	struct mpb_terms_counts *counts;
	struct tcp_sock *tp;
	void *deals;
	__u64 cookie;
	struct mpb_tuple tuple;
};

static __always_inline void count(__u64 *n)
{
	__sync_fetch_and_add(n, 1);
}

static __always_inline int enter(struct scene *s, struct bpf_sock_ops *ctx)
{
	struct bpf_sock *sk = ctx->sk;

	s->ctx = ctx;
	s->cookie = bpf_get_netns_cookie(ctx);
	s->counts = bpf_map_lookup_elem(&mpb_ns_terms, &s->cookie);
	s->deals = s->counts ? bpf_map_lookup_elem(&mpb_ns_deals, &s->cookie) : NULL;
	if (!s->deals || !sk)
		return 0;
	s->tp = bpf_skc_to_tcp_sock(sk);
	if (!s->tp)
		return 0;
	mpb_sock_tuple((struct sock_common *)s->tp, &s->tuple);
	return 1;
}

static __always_inline struct mpb_subflow *subflow(struct scene *s)
{
	void *subflows = bpf_map_lookup_elem(&mpb_ns_paced, &s->cookie);

	return subflows ? bpf_map_lookup_elem(subflows, &s->tuple) : NULL;
}

static __always_inline void set_flags(struct scene *s, struct mpb_deal *d)
{
	__u32 now = s->ctx->bpf_sock_ops_cb_flags, want = mpb_deal_flags_on(d, now);

	if (want != now)
		bpf_sock_ops_cb_flags_set(s->ctx, want);
}

static __always_inline void born(struct scene *s)
{
	void *map = bpf_map_lookup_elem(&mpb_ns_paths, &s->cookie);
	const struct mpb_path *path;
	struct mpb_paths *paths;
	struct mpb_subflow *sf;
	struct mpb_deal *d;
	__u32 zero = 0;

	paths = map ? bpf_map_lookup_elem(map, &zero) : NULL;
	if (!paths || !paths->n || !mpb_terms_speaks(s->tp))
		return;
	sf = subflow(s);
	if (!sf)
		return;
	path = mpb_terms_path(paths, &s->tuple, sf, s->tp);
	if (!path)
		return;
	bpf_map_update_elem(s->deals, &s->tuple, &nothing_said, BPF_ANY);
	d = bpf_map_lookup_elem(s->deals, &s->tuple);
	if (!d) {
		count(&s->counts->full);
		return;
	}
	mpb_deal_path(s->ctx, d, sf, s->tp, path);
	set_flags(s, d);
}

static __always_inline int has_to_say(const struct mpb_deal *d)
{
	return d->owes || ((d->ask.rate || d->ask.idle || d->said < MPB_TERMS_TIMES) && bpf_ktime_get_ns() >= d->next_ns);
}

/* An acknowledgement without data is about to be made: keep room in it. Where it has too little (SACK blocks), the next one may have it. */
static __always_inline void make_room(struct scene *s)
{
	struct mpb_deal *d = bpf_map_lookup_elem(s->deals, &s->tuple);

	if (d && has_to_say(d))
		bpf_reserve_hdr_opt(s->ctx, MPB_TERMS_LEN, 0);
}

static __always_inline void say(struct scene *s)
{
	struct mpb_deal *d = bpf_map_lookup_elem(s->deals, &s->tuple);
	__u8 option[MPB_TERMS_LEN];
	int back;

	if (!d)
		return;
	back = d->owes;
	mpb_terms_write(option, back ? d->asked : d->ask, back ? MPB_TERMS_TAKEN : 0);
	if (bpf_store_hdr_opt(s->ctx, option, sizeof(option), 0))
		return;
	if (back) {
		d->owes = 0;
		count(&s->counts->said_back);
	} else {
		d->next_ns = bpf_ktime_get_ns() + mpb_terms_pause(d->said);
		if (d->said < MPB_TERMS_TIMES)
			d->said++;
		count(&s->counts->said);
	}
	set_flags(s, d);
}

static __always_inline void obey(struct scene *s, struct mpb_deal *d, struct mpb_terms t)
{
	struct mpb_subflow *sf = subflow(s);

	if (sf && mpb_deal_obey(s->ctx, d, sf, s->tp, t))
		count(&s->counts->unset);
}

static __always_inline void asked(struct scene *s, struct mpb_deal *d, struct mpb_terms t)
{
	if (!d->floor)
		return;
	if (!mpb_terms_bearable(t, d->floor)) {
		count(&s->counts->refused);
		d->refused++;
		return;
	}
	count(&s->counts->heard);
	obey(s, d, t);
	d->asked_ns = bpf_ktime_get_ns();
	d->owes = 1;
}

static __always_inline void said_back(struct scene *s, struct mpb_deal *d, struct mpb_terms t)
{
	count(&s->counts->heard_back);
	d->taken = t;
	d->has_taken = 1;
	if (t.rate != d->ask.rate || t.idle != d->ask.idle)
		return;
	if (d->said < MPB_TERMS_TIMES)
		d->next_ns = bpf_ktime_get_ns() + MPB_TERMS_AGAIN_NS;
	d->said = MPB_TERMS_TIMES;
}

/* Nothing was said. A peer that has unloaded us no longer says what it asked for; one that had occasion to and did not has nothing to ask. */
static __always_inline void lapse(struct scene *s)
{
	struct mpb_deal *d = bpf_map_lookup_elem(s->deals, &s->tuple);
	struct mpb_terms none = {};
	__u64 past;

	if (!d)
		return;
	past = bpf_ktime_get_ns() - d->asked_ns;
	if (d->greets && past >= MPB_TERMS_GREET_S * 1000000000ULL)
		mpb_keep(s->ctx, d, 0);
	if ((!d->asked.rate && !d->asked.idle) || past < MPB_TERMS_HOLD_NS)
		return;
	count(&s->counts->lapsed);
	obey(s, d, none);
}

static __always_inline void hear(struct scene *s, const __u8 *option, int n)
{
	struct mpb_deal *d = bpf_map_lookup_elem(s->deals, &s->tuple);
	struct mpb_terms t = {};

	if (!d)
		return;
	switch (mpb_terms_read(option, n, &t)) {
	case MPB_TERMS_ASKED:
		asked(s, d, t);
		break;
	case MPB_TERMS_SAID_BACK:
		said_back(s, d, t);
		break;
	case MPB_TERMS_MALFORMED:
		count(&s->counts->malformed);
	}
	set_flags(s, d);
}

/* Called for every segment with options that TCP does not know, which those of MPTCP are. */
static __always_inline void look(struct bpf_sock_ops *ctx)
{
	__u8 option[MPB_TERMS_LEN] = { MPB_TERMS_KIND, 4, MPB_TERMS_EXID >> 8, MPB_TERMS_EXID & 0xff }; /* what is looked for */
	int n = bpf_load_hdr_opt(ctx, option, sizeof(option), 0);
	struct scene s = {};

	if (n == -ENOMSG && ctx->segs_in >= EVERY && ctx->segs_in % EVERY)
		return;
	if (!enter(&s, ctx))
		return;
	if (n == -ENOMSG)
		lapse(&s);
	else
		hear(&s, option, n);
}

SEC("sockops")
int terms(struct bpf_sock_ops *ctx)
{
	__u32 op = ctx->op;
	struct scene s = {};

	switch (op) {
	case BPF_SOCK_OPS_PARSE_HDR_OPT_CB:
		look(ctx);
		return 1;
	case BPF_SOCK_OPS_HDR_OPT_LEN_CB:
		if (ctx->args[0] == BPF_WRITE_HDR_TCP_CURRENT_MSS || ctx->skb_len || (ctx->skb_tcp_flags & TCP_NATURE) != TCP_ACK)
			return 1;
		if (enter(&s, ctx))
			make_room(&s);
		return 1;
	case BPF_SOCK_OPS_WRITE_HDR_OPT_CB:
		if (enter(&s, ctx))
			say(&s);
		return 1;
	case BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB:
	case BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB:
		if (enter(&s, ctx))
			born(&s);
		return 1;
	case BPF_SOCK_OPS_STATE_CB:
		if (ctx->args[1] == BPF_TCP_CLOSE && enter(&s, ctx))
			bpf_map_delete_elem(s.deals, &s.tuple);
	}
	return 1;
}
