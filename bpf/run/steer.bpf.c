/* SPDX-License-Identifier: GPL-2.0-only */
/* steer - the scheduler runtime for any stock kernel. Each segment that arrives for a steered connection refreshes the view of its subflows, asks the
 * connection's policy which of them may carry the next data, and sets the kernel's own backup flags so: its scheduler does the rest. Whatever is
 * missing, full or in doubt leaves the kernel's choice alone and is counted. */
#include <mptcp_bpf/policy.bpf.h>
#include <mptcp_bpf/flip.bpf.h>
#include <mptcp_bpf/place.bpf.h>
#include <mptcp_bpf/rule.bpf.h>
#include <mptcp_bpf/steered.bpf.h>

MPB_DESCRIBE(MPB_PROBE, steer, "carries out packet-scheduling policies through the stock scheduler's backup flags");

#define SIBLING_NS 1000000 /* a subflow without segments of its own is read again after this long */
#define NO_POLICY (-1)
#define CONSIDER_FAILED (-2) /* no verdict */

static const struct mpb_steer unsteered;

/* Returns what the policy in the slot returns; NO_POLICY where there is none. Global: the verifier then takes the result for unknown, which it is. */
__noinline int steer_ask(struct __sk_buff *skb, __u32 slot)
{
	int answer = NO_POLICY;

	bpf_tail_call(skb, &mpb_scheds, slot);
	asm volatile("" : "+r"(answer)); /* nor may the compiler know better */
	return answer;
}

static __noinline int read_one(struct mpb_steer *c, __u32 i, __u64 now)
{
	int err = mpb_view_read(c, i, now);

	if (err)
		mpb_forget(c, i);
	return err;
}

struct reading {
	struct mpb_steer *c;
	__u64 now;
};

static long read_sibling(__u32 i, struct reading *r)
{
	if (r->c->used & mpb_bit(i) && r->now - r->c->read_ns[i & (MPB_SUBFLOWS - 1)] > SIBLING_NS)
		read_one(r->c, i, r->now);
	return 0;
}

static long read_path(__u32 i, struct mpb_steer **c)
{
	struct mpb_paths *paths = only(&mpb_paths);

	i &= MPB_SUBFLOWS - 1;
	if (paths)
		mpb_view_path(&(*c)->view.sf[i], &(*c)->tuple[i], paths);
	return 0;
}

/* Stops at an MP_PRIO that the kernel obeys: the form without an address ID, for the subflow that carries it. */
static long find_prio(__u32 n, struct mpb_seg **at)
{
	struct mpb_seg *s = *at;

	switch (mpb_opt_step(s)) {
	case MPB_STEP_NEXT:
		return 0;
	case MPB_STEP_OPTION:
		if (s->subtype == MPTCP_PRIO && s->optlen == MPTCP_PRIO_LEN) {
			s->changed = 1;
			return 1;
		}
		s->off += s->optlen;
		return 0;
	default:
		return 1;
	}
}

/* What the peer asks of this subflow, which the kernel is about to grant: it is remembered, and stands until the policy wants it otherwise. */
static __always_inline void heed_peer(struct mpb_seg *s, struct mpb_steer *c, __u32 i)
{
	__u32 bit = mpb_bit(i);

	mpb_opt_begin(s);
	s->changed = s->malformed = 0;
	bpf_loop(MPB_OPT_STEPS, find_prio, &s, 0);
	if (!s->changed)
		return;
	c->wish = mpb_opt_u8(s, 2) & MPTCP_PRIO_BACKUP ? c->wish | bit : c->wish & ~bit;
	c->backup = (c->backup & ~bit) | (c->wish & bit);
	c->flipped_ns[i & (MPB_SUBFLOWS - 1)] = bpf_ktime_get_ns(); /* not in force yet: what is read now is the past */
	count(wishes);
}

/* Hand the rates that the policy asks for to the subflows, whose own round trips put them in force. Less than 1/128 of a change is none. */
static long pace_step(__u32 i, struct mpb_steer **at)
{
	struct mpb_steer *c = *at;
	struct mpb_subflow *sf;
	__u64 rate, was;

	i &= MPB_SUBFLOWS - 1;
	rate = c->ask.rate[i];
	was = c->paced[i];
	if (rate == was || !(c->used & mpb_bit(i)) || (rate && was && rate - was + was / 128 < was / 64))
		return 0;
	sf = bpf_map_lookup_elem(&mpb_subflows, &c->tuple[i]);
	if (sf)
		sf->rate = c->paced[i] = rate;
	return 0;
}

/* Ask the policy, and see to it that the kernel does what it says. */
static __noinline int decide(struct __sk_buff *skb, struct mpb_steer *c, struct mpb_carrier *w, __u32 l2)
{
	struct mpb_steer_conf *conf = only(&mpb_steer_conf);
	mpb_set alive = c->view.alive, locked = 0, want, change;
	__u32 *deciding = only(&mpb_deciding), rates = 0;
	int answer = 0;

	if (!conf || !deciding)
		return MPB_TC_NEXT;
	if (c->paths != conf->paths) {
		bpf_loop(MPB_SUBFLOWS, read_path, &c, 0);
		c->paths = conf->paths;
	}
	for (__u32 i = 0; i < MPB_SUBFLOWS; i++)
		if (c->view.sf[i].flags & MPB_SF_LOCKED)
			locked |= mpb_bit(i);
	c->view.set = alive & ~c->backup & ~locked;
	__builtin_memset(&c->ask, 0, sizeof(c->ask));
	if (c->slot) {
		*deciding = c->view.token;
		answer = steer_ask(skb, c->slot);
		count(decisions);
		if (answer == NO_POLICY)
			count(empty);
		else if (!(answer & alive & ~locked))
			count(nothing);
	}
	want = answer == NO_POLICY ? 0 : answer & alive & ~locked;
	if (!want)
		want = alive & ~c->wish;
	for (__u32 i = 0; i < MPB_SUBFLOWS; i++)
		rates |= c->ask.rate[i] != c->paced[i];
	if (rates)
		bpf_loop(MPB_SUBFLOWS, pace_step, &c, 0);
	change = ((want & c->backup) | (alive & ~want & ~c->backup)) & ~locked;
	return change ? flip(skb, c, w, l2, change | (__u64)(alive & ~want) << 32) : MPB_TC_NEXT;
}

/* A joined subflow may carry data from the moment that the kernel has taken the segment in hand, when we cannot change its flag yet. A copy of the segment,
 * behind it in the queue, brings us back at once; to TCP it is a duplicate. */
static __always_inline void wake(struct __sk_buff *skb, struct mpb_steer *c, __u32 i)
{
	if ((c->view.alive | c->woken) & mpb_bit(i))
		return;
	c->woken |= mpb_bit(i);
	bpf_clone_redirect(skb, skb->ifindex, BPF_F_INGRESS);
}

/* A segment of the subflow w->key. */
static __always_inline int segment(struct __sk_buff *skb, struct mpb_carrier *w, __u32 l2)
{
	struct mpb_subflow *sf = bpf_map_lookup_elem(&mpb_subflows, &w->key);
	struct reading r = {};
	int i, verdict = MPB_TC_NEXT;
	struct mpb_steer *c;
	__u32 token;

	if (!sf)
		return MPB_TC_NEXT;
	token = sf->token;
	c = bpf_map_lookup_elem(&mpb_steered, &token);
	if (!c || !c->slot)
		return MPB_TC_NEXT;
	count(acks);
	if (__sync_val_compare_and_swap(&c->busy, 0, 1)) {
		count(busy);
		return MPB_TC_NEXT;
	}
	c->view.token = token;
	i = mpb_place(c, sf, &w->key);
	if (i < 0) {
		count(many);
		goto out;
	}
	if (w->seg.pkt.optlen > 4)
		heed_peer(&w->seg, c, i);
	r.c = c;
	r.now = bpf_ktime_get_ns();
	if (read_one(c, i, r.now)) {
		count(unread);
		goto out;
	}
	wake(skb, c, i);
	if (c->used & (c->used - 1) || c->paced[i & (MPB_SUBFLOWS - 1)]) { /* alone there is nothing to choose, but a rate to lift */
		bpf_loop(MPB_SUBFLOWS, read_sibling, &r, 0);
		verdict = decide(skb, c, w, l2);
	}
out:
	__sync_lock_test_and_set(&c->busy, 0);
	return verdict;
}

static __always_inline int injected(const struct mpb_pkt *pkt)
{
	return pkt->optlen == sizeof(struct mpb_injected_options) && pkt->urg == MPB_INJECTED_URG;
}

/* Is it a segment of an open connection? */
static __always_inline bool parse(struct __sk_buff *skb, struct mpb_carrier *w, __u32 l2)
{
	int parsed = mpb_tc_parse(skb, l2, &w->seg);

	if (parsed == MPB_PARSE_SHORT && skb->data_end - skb->data < skb->len) {
		__u32 want = skb->len;

		if (bpf_skb_pull_data(skb, want < MPB_PULL_MAX ? want : MPB_PULL_MAX))
			return false;
		parsed = mpb_tc_parse(skb, l2, &w->seg);
	}
	return parsed == MPB_PARSE_TCP && !(w->seg.pkt.flags & (MPB_TCP_SYN | MPB_TCP_RST));
}

static __always_inline int arrive(struct __sk_buff *skb, __u32 l2)
{
	struct mpb_carrier *w = only(&mpb_carrier);
	struct mpb_tuple *t;

	if (!w || !parse(skb, w, l2))
		return MPB_TC_NEXT;
	if (injected(&w->seg.pkt)) {
		count(own);
		return MPB_TC_NEXT;
	}
	t = &w->seg.pkt.tuple;
	__builtin_memcpy(w->key.saddr, t->daddr, sizeof(t->daddr));
	__builtin_memcpy(w->key.daddr, t->saddr, sizeof(t->saddr));
	w->key.sport = t->dport;
	w->key.dport = t->sport;
	w->leaves = 0;
	return segment(skb, w, l2);
}

SEC("tc")
int steer_in(struct __sk_buff *skb)
{
	return arrive(skb, ETH_HLEN);
}

SEC("tc")
int steer_in3(struct __sk_buff *skb)
{
	return arrive(skb, 0);
}

/* Decide on the connection of subflow w->key, which no segment arrived for; the one at hand is but a carrier. c is ours. */
static __noinline int consider(struct __sk_buff *skb, struct mpb_steer *c, struct mpb_subflow *sf, struct mpb_carrier *w, __u32 l2)
{
	struct reading r = { .c = c, .now = bpf_ktime_get_ns() };
	int i = mpb_place(c, sf, &w->key);

	if (i < 0 || read_one(c, i, r.now))
		return CONSIDER_FAILED;
	bpf_loop(MPB_SUBFLOWS, read_sibling, &r, 0);
	w->leaves = 1;
	return decide(skb, c, w, l2);
}

/* A segment leaves. Acknowledgements are the runtime's clock; where a path dies they may end for the whole connection, with data that waits for the dead path
 * alone. What still comes then is this: a retransmission after a timeout. */
static __always_inline int leave(struct __sk_buff *skb, __u32 l2)
{
	struct mpb_carrier *w = only(&mpb_carrier);
	struct bpf_sock *sk = skb->sk;
	struct bpf_tcp_sock *tp;
	struct mpb_subflow *sf;
	struct mpb_steer *c;
	__u32 token;
	int verdict;

	if (!w || !sk)
		return MPB_TC_NEXT;
	sk = bpf_sk_fullsock(sk);
	tp = sk ? bpf_tcp_sock(sk) : NULL;
	if (!tp || !tp->icsk_retransmits || !parse(skb, w, l2))
		return MPB_TC_NEXT;
	w->key = w->seg.pkt.tuple;
	sf = bpf_map_lookup_elem(&mpb_subflows, &w->key);
	if (!sf)
		return MPB_TC_NEXT;
	token = sf->token;
	c = bpf_map_lookup_elem(&mpb_steered, &token);
	if (!c || !c->slot)
		return MPB_TC_NEXT;
	if (!l2 && bpf_ktime_get_ns() - c->view.now_ns < SIBLING_NS) /* it may be here for the second time: mpb_carrier_restore() */
		return MPB_TC_NEXT;
	if (__sync_val_compare_and_swap(&c->busy, 0, 1)) {
		count(busy);
		return MPB_TC_NEXT;
	}
	count(timeouts);
	c->view.token = token;
	verdict = consider(skb, c, sf, w, l2);
	__sync_lock_test_and_set(&c->busy, 0);
	return verdict == CONSIDER_FAILED ? MPB_TC_NEXT : verdict;
}

SEC("tc")
int steer_out(struct __sk_buff *skb)
{
	return leave(skb, ETH_HLEN);
}

SEC("tc")
int steer_out3(struct __sk_buff *skb)
{
	return leave(skb, 0);
}

/* The rules' word on a connection that lives already: sf is its first subflow. */
static __noinline int choose(struct mpb_steer *c, struct mpb_subflow *sf, const struct mpb_tuple *key)
{
	struct mpb_matching m = { .rules = only(&mpb_rules), .cc_rule = 1 /* moved by other means */ };

	m.tuple = *key;
	if (m.rules)
		mpb_rules_ask(&m, (struct sock *)sf->sk);
	c->slot = m.sched;
	return 0;
}

/* The controller's call, by a test run: see struct mpb_kick. The frame is the carrier. */
SEC("tc")
int steer_kick(struct __sk_buff *skb)
{
	struct mpb_carrier *w = only(&mpb_carrier);
	struct mpb_subflow *sf;
	struct mpb_steer *c;
	__u32 op, token;
	int verdict;

	if (!w || bpf_skb_load_bytes(skb, MPB_KICK_AT, &op, sizeof(op)) ||
	    bpf_skb_load_bytes(skb, MPB_KICK_AT + 8, &w->key, sizeof(w->key)))
		return MPB_KICK_FAILED;
	sf = bpf_map_lookup_elem(&mpb_subflows, &w->key);
	if (!sf)
		return MPB_KICK_UNKNOWN;
	token = sf->token;
	c = bpf_map_lookup_elem(&mpb_steered, &token);
	if (!c && op == MPB_KICK_RULES) {
		bpf_map_update_elem(&mpb_steered, &token, &unsteered, BPF_NOEXIST);
		c = bpf_map_lookup_elem(&mpb_steered, &token);
		if (!c)
			return MPB_KICK_FULL;
	}
	if (!c)
		return MPB_KICK_UNKNOWN;
	if (__sync_val_compare_and_swap(&c->busy, 0, 1))
		return MPB_KICK_BUSY;
	c->view.token = token;
	if (op == MPB_KICK_RULES)
		choose(c, sf, &w->key);
	else if (op == MPB_KICK_RELEASE)
		c->slot = 0;
	verdict = consider(skb, c, sf, w, ETH_HLEN);
	__sync_lock_test_and_set(&c->busy, 0);
	return verdict == CONSIDER_FAILED ? MPB_KICK_FAILED : MPB_KICKED;
}
