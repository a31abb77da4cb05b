/* SPDX-License-Identifier: GPL-2.0-only */
/* What an option policy includes. It is one function that is shown every MPTCP option of every segment, in order, several per segment, and may read it
 * (mpb_opt_u8), change it in place (mpb_opt_put), replace it by NOPs (mpb_opt_remove) and count (mpb_count). The runtime finds the options,
 * writes the change back and mends the checksum. MPB_OPT() at the end of the file makes the entry points: tc ingress, tc egress and XDP, each for
 * devices with an Ethernet header and (suffix 3) without one. */
#ifndef MPTCP_BPF_OPT_BPF_H
#define MPTCP_BPF_OPT_BPF_H

#include <mptcp_bpf/policy.bpf.h>
#include <mptcp_bpf/option.h>

struct mpb_opt_ops {
	void (*option)(struct mpb_seg *s);
};

/* What the runtime counts for every option policy, before the policy's own: segments changed; segments passed untouched because an option was malformed
 * beyond the point reached, or because the packet could not be written; segments dropped since a write failed half-way. */
#define MPB_OPT_COUNTERS(...) MPB_COUNTERS(rewritten, malformed, unwritable, dropped, ##__VA_ARGS__)

#ifdef __bpf__

#include <mptcp_bpf/checksum.bpf.h>

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 4096);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32); /* mpb_port() */
	__type(value, struct mpb_counts);
} mpb_counts SEC(".maps");

static __always_inline void mpb_count(struct mpb_seg *s, __u32 counter)
{
	s->counted[s->ncounted++ % MPB_COUNTS_MAX] = counter;
}

/* Adds up what was noted; what is beyond MPB_COUNTS_MAX is lost. Here and below: global functions, verified once and apart from the policies. */
__noinline int mpb_count_flush(struct mpb_seg *s)
{
	struct mpb_counts *c;
	__u32 port;

	if (!s)
		return 0;
	port = s->port;
	c = bpf_map_lookup_elem(&mpb_counts, &port);
	if (!c)
		return 0;
	for (__u32 i = 0; i < MPB_COUNTS_MAX && i < s->ncounted; i++)
		if (s->counted[i] < MPB_COUNTERS_MAX)
			c->n[s->counted[i]]++;
	return 0;
}

/* Holds the overrides NAME@DEV of tunables; empty for most. */
MPB_HASH(mpb_dev_tune, 4096, struct mpb_dev_slot, __u64);

static __always_inline __u64 mpb_tune_slot(const struct mpb_seg *s, __u32 slot, __u64 everywhere)
{
	struct mpb_dev_slot key = { .ifindex = s->port >> 1, .slot = slot };
	__u64 *own = bpf_map_lookup_elem(&mpb_dev_tune, &key);

	return own ? *own : everywhere;
}

#define mpb_tune_dev(_seg, _name) mpb_tune_slot(_seg, mpb_slot_##_name, _name)

/* The runtime's counters come first: MPB_OPT_COUNTERS(). */
enum { MPB_REWRITTEN, MPB_MALFORMED, MPB_UNWRITABLE, MPB_DROPPED };

typedef long (*mpb_visit)(__u32 i, struct mpb_seg *s);

/* Shows the policy the option under the cursor: a bpf_loop() callback. */
static __always_inline long mpb_opt_visit(struct mpb_seg *s, void (*option)(struct mpb_seg *s))
{
	switch (mpb_opt_step(s)) {
	case MPB_STEP_NEXT:
		return s->off >= s->pkt.optlen;
	case MPB_STEP_OPTION:
		option(s);
		mpb_opt_skip(s);
		return s->off >= s->pkt.optlen;
	default:
		return 1;
	}
}

/* Shows the policy every MPTCP option. Returns whether it changed one. */
static __always_inline int mpb_opt_walk(struct mpb_seg *s, __u32 ifindex, enum mpb_dir dir, mpb_visit visit)
{
	s->dir = dir;
	s->port = mpb_port(ifindex, dir);
	mpb_opt_begin(s);
	bpf_loop(MPB_OPT_STEPS, visit, s, 0);
	if (s->malformed)
		mpb_count(s, MPB_MALFORMED);
	return s->changed;
}

/* The options in the packet at `at` and those in s: what their sum becomes more by the change (RFC 1624), as 32 bits. With `store` the change is made. */
static __always_inline __u32 mpb_opt_diff(const struct mpb_seg *s, __be32 *at, void *end, int store)
{
	__u64 sum = 0;

	for (int i = 0; i < MPB_OPTS_MAX / 4 && i * 4 < (int)s->pkt.optlen && (void *)(at + i + 1) <= end; i++) {
		sum += (__u64)s->words[i] + (__u32)~at[i];
		if (store)
			at[i] = s->words[i];
	}
	sum = (sum & 0xffffffff) + (sum >> 32);
	return sum + (sum >> 32);
}

/* Returns the verdict. */
__noinline int mpb_opt_tc_write(struct __sk_buff *skb, struct mpb_seg *s)
{
	void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
	__u32 l4, len, diff;

	if (!s)
		return MPB_TC_NEXT;
	l4 = s->pkt.l4;
	len = s->pkt.optlen;
	if (l4 > MPB_HEADERS_MAX || len < 4 || len > MPB_OPTS_MAX)
		goto untouched;
	diff = mpb_opt_diff(s, data + l4 + MPB_TCP_HLEN, end, 0);
	if (bpf_skb_store_bytes(skb, l4 + MPB_TCP_HLEN, s->opts, len, 0))
		goto untouched;
	if (bpf_l4_csum_replace(skb, l4 + MPB_TCP_CSUM, 0, diff, 0)) {
		mpb_count(s, MPB_DROPPED);
		return MPB_TC_DROP;
	}
	mpb_count(s, MPB_REWRITTEN);
	return MPB_TC_NEXT;
untouched:
	mpb_count(s, MPB_UNWRITABLE);
	return MPB_TC_NEXT;
}

static __always_inline int mpb_opt_tc(struct __sk_buff *skb, __u32 l2, enum mpb_dir dir, mpb_visit visit)
{
	struct mpb_seg s = {};
	int parsed, verdict = MPB_TC_NEXT;

	parsed = mpb_tc_parse(skb, l2, &s);
	if (parsed == MPB_PARSE_SHORT && skb->data_end - skb->data < skb->len) {
		__u32 want = skb->len;

		if (bpf_skb_pull_data(skb, want < MPB_PULL_MAX ? want : MPB_PULL_MAX))
			return MPB_TC_NEXT;
		parsed = mpb_tc_parse(skb, l2, &s);
	}
	if (parsed != MPB_PARSE_TCP)
		return MPB_TC_NEXT;
	if (mpb_opt_walk(&s, skb->ifindex, dir, visit))
		verdict = mpb_opt_tc_write(skb, &s);
	if (s.ncounted)
		mpb_count_flush(&s);
	return verdict;
}

/* Returns the verdict; nothing here can fail half-way. */
__noinline int mpb_opt_xdp_write(struct xdp_md *xdp, struct mpb_seg *s)
{
	void *data = (void *)(long)xdp->data, *end = (void *)(long)xdp->data_end;
	__u32 l4, l4len, diff;
	struct tcphdr *tcp;
	int partial;

	if (!s)
		return XDP_PASS;
	l4 = s->pkt.l4;
	tcp = data + l4;
	if (l4 > MPB_HEADERS_MAX || (void *)(tcp + 1) > end) {
		mpb_count(s, MPB_UNWRITABLE);
		return XDP_PASS;
	}
	l4len = s->pkt.l4len ? s->pkt.l4len : bpf_xdp_get_buff_len(xdp) - l4;
	partial = mpb_csum_partial(xdp, &s->pkt.tuple, l4, l4len, tcp->check, mpb_sum_xdp);
	diff = mpb_opt_diff(s, (__be32 *)(tcp + 1), end, 1);
	if (!partial)
		tcp->check = ~mpb_fold((__u64)(__u16)~tcp->check + diff);
	mpb_count(s, MPB_REWRITTEN);
	return XDP_PASS;
}

static __always_inline int mpb_opt_xdp(struct xdp_md *xdp, __u32 l2, mpb_visit visit)
{
	struct mpb_seg s = {};
	int verdict = XDP_PASS;

	if (mpb_xdp_parse(xdp, l2, &s) != MPB_PARSE_TCP)
		return XDP_PASS;
	if (mpb_opt_walk(&s, xdp->ingress_ifindex, MPB_IN, visit))
		verdict = mpb_opt_xdp_write(xdp, &s);
	if (s.ncounted)
		mpb_count_flush(&s);
	return verdict;
}

#define MPB_OPT(_name, _summary, ...)                                                                                   \
	MPB_DESCRIBE(MPB_OPT_POLICY, _name, _summary);                                                                  \
	_Static_assert(sizeof(#_name "_out3") <= MPB_NAME_LEN, "an option policy's name has at most 10 characters");    \
	static const struct mpb_opt_ops _name##_ops = { __VA_ARGS__ };                                                  \
	static long _name##_visit(__u32 i, struct mpb_seg *s) { return mpb_opt_visit(s, _name##_ops.option); }          \
	static __noinline int _name##_tc(struct __sk_buff *skb, __u32 l2, enum mpb_dir dir)                             \
	{                                                                                                               \
		return mpb_opt_tc(skb, l2, dir, _name##_visit);                                                         \
	}                                                                                                               \
	static __noinline int _name##_frame(struct xdp_md *xdp, __u32 l2)                                               \
	{                                                                                                               \
		return mpb_opt_xdp(xdp, l2, _name##_visit);                                                             \
	}                                                                                                               \
	SEC("tc") int _name##_in(struct __sk_buff *skb) { return _name##_tc(skb, ETH_HLEN, MPB_IN); }                   \
	SEC("tc") int _name##_out(struct __sk_buff *skb) { return _name##_tc(skb, ETH_HLEN, MPB_OUT); }                 \
	SEC("xdp.frags") int _name##_xdp(struct xdp_md *xdp) { return _name##_frame(xdp, ETH_HLEN); }                   \
	SEC("tc") int _name##_in3(struct __sk_buff *skb) { return _name##_tc(skb, 0, MPB_IN); }                         \
	SEC("tc") int _name##_out3(struct __sk_buff *skb) { return _name##_tc(skb, 0, MPB_OUT); }                       \
	SEC("xdp.frags") int _name##_xdp3(struct xdp_md *xdp) { return _name##_frame(xdp, 0); }

#else /* plain C: the tests provide mpb_count() and call the policy through this table */

void mpb_count(struct mpb_seg *s, unsigned int counter);

#define mpb_tune_dev(_seg, _name) (_name)

#define MPB_OPT(_name, _summary, ...)                  \
	MPB_DESCRIBE(MPB_OPT_POLICY, _name, _summary); \
	const struct mpb_opt_ops mpb_opt_under_test = { __VA_ARGS__ }

#endif
#endif
