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
	struct mpb_counts *c = bpf_map_lookup_elem(&mpb_counts, &s->port);

	if (c && counter < MPB_COUNTERS_MAX)
		c->n[counter]++;
}

/* Holds the overrides NAME@DEV of tunables; empty for most. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct mpb_dev_slot);
	__type(value, __u64);
} mpb_dev_tune SEC(".maps");

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
		return 0;
	case MPB_STEP_OPTION:
		option(s);
		mpb_opt_skip(s);
		return 0;
	default:
		return 1;
	}
}

/* Walks the options that were copied to s. Returns whether the policy changed them. */
static __always_inline int mpb_opt_walk(struct mpb_seg *s, __u32 ifindex, enum mpb_dir dir, mpb_visit visit)
{
	s->dir = dir;
	s->port = mpb_port(ifindex, dir);
	bpf_loop(MPB_OPT_STEPS, visit, s, 0);
	if (s->malformed)
		mpb_count(s, MPB_MALFORMED);
	return s->changed;
}

static __always_inline int mpb_opt_tc_write(struct __sk_buff *skb, struct mpb_seg *s, __u32 len)
{
	__u32 off = s->pkt.l4 + MPB_TCP_HLEN;
	__be32 was[MPB_OPTS_MAX / 4];
	__s64 diff;

	if (bpf_skb_load_bytes(skb, off, was, len))
		goto untouched;
	diff = bpf_csum_diff(was, len, (__be32 *)s->opts, len, 0);
	if (bpf_skb_store_bytes(skb, off, s->opts, len, 0))
		goto untouched;
	if (bpf_l4_csum_replace(skb, s->pkt.l4 + MPB_TCP_CSUM, 0, diff, 0)) {
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
	__u32 len;
	int parsed;

	parsed = mpb_tc_parse(skb, l2, &s.pkt);
	if (parsed == MPB_PARSE_SHORT && skb->data_end - skb->data < skb->len) {
		__u32 want = skb->len;

		if (bpf_skb_pull_data(skb, want < MPB_HEADERS_MAX ? want : MPB_HEADERS_MAX))
			return MPB_TC_NEXT;
		parsed = mpb_tc_parse(skb, l2, &s.pkt);
	}
	if (parsed != MPB_PARSE_TCP)
		return MPB_TC_NEXT;
	len = s.pkt.optlen;
	if (len < 4 || len > MPB_OPTS_MAX || bpf_skb_load_bytes(skb, s.pkt.l4 + MPB_TCP_HLEN, s.opts, len))
		return MPB_TC_NEXT;
	if (!mpb_opt_walk(&s, skb->ifindex, dir, visit))
		return MPB_TC_NEXT;
	return mpb_opt_tc_write(skb, &s, len);
}

static __always_inline int mpb_opt_xdp_write(struct xdp_md *xdp, struct mpb_seg *s, __u32 len)
{
	__u32 off = s->pkt.l4 + MPB_TCP_HLEN, csum_off = s->pkt.l4 + MPB_TCP_CSUM, l4len = s->pkt.l4len;
	__be32 was[MPB_OPTS_MAX / 4];
	__u16 csum;
	__s64 diff;
	int partial;

	if (!l4len)
		l4len = bpf_xdp_get_buff_len(xdp) - s->pkt.l4;
	if (bpf_xdp_load_bytes(xdp, off, was, len) || bpf_xdp_load_bytes(xdp, csum_off, &csum, sizeof(csum)))
		goto untouched;
	partial = mpb_csum_partial(xdp, &s->pkt.tuple, s->pkt.l4, l4len, csum);
	diff = bpf_csum_diff(was, len, (__be32 *)s->opts, len, 0);
	if (bpf_xdp_store_bytes(xdp, off, s->opts, len))
		goto untouched;
	if (!partial) {
		csum = ~mpb_fold((__u64)(__u16)~csum + (__u32)diff);
		if (bpf_xdp_store_bytes(xdp, csum_off, &csum, sizeof(csum))) {
			mpb_count(s, MPB_DROPPED);
			return XDP_DROP;
		}
	}
	mpb_count(s, MPB_REWRITTEN);
	return XDP_PASS;
untouched:
	mpb_count(s, MPB_UNWRITABLE);
	return XDP_PASS;
}

static __always_inline int mpb_opt_xdp(struct xdp_md *xdp, __u32 l2, mpb_visit visit)
{
	struct mpb_seg s = {};
	__u32 len;

	if (mpb_xdp_parse(xdp, l2, &s.pkt) != MPB_PARSE_TCP)
		return XDP_PASS;
	len = s.pkt.optlen;
	if (len < 4 || len > MPB_OPTS_MAX || bpf_xdp_load_bytes(xdp, s.pkt.l4 + MPB_TCP_HLEN, s.opts, len))
		return XDP_PASS;
	if (!mpb_opt_walk(&s, xdp->ingress_ifindex, MPB_IN, visit))
		return XDP_PASS;
	return mpb_opt_xdp_write(xdp, &s, len);
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
