/* SPDX-License-Identifier: GPL-2.0-only */
/* A TCP segment at tc whose numbers change, whose payload goes or loses its head: what is written back, with lengths and sums. */
#ifndef MPTCP_BPF_SEGMENT_BPF_H
#define MPTCP_BPF_SEGMENT_BPF_H

#include <mptcp_bpf/checksum.bpf.h>
#include <mptcp_bpf/subflow.bpf.h>
#include <mptcp_bpf/translate.h>

#define MPB_CUT_MAX 64 /* bytes that a payload can lose at its head */
#define MPB_FIXED_GSO (BPF_F_ADJ_ROOM_FIXED_GSO | 1U << 5 /* BPF_F_ADJ_ROOM_NO_CSUM_RESET, 6.0 */)
#define TCP_WORDS 3                     /* sequence number, acknowledgement number, offset and flags with the window: from byte 4 on */

static __always_inline int mpb_is_v4(const __be32 addr[4])
{
	return !addr[0] && !addr[1] && addr[2] == MPB_V4MAPPED;
}

/* A segment and what is done to it. */
struct work {
	struct mpb_translation t;
	struct mpb_tuple key;
	__be32 was[MPB_OPTS_MAX / 4]; /* its options before */
	__u32 len;                    /* of TCP header and payload */
	__u32 payload;
};

/* What is too large for the stack. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct work);
} mpb_work SEC(".maps");

/* *n is within lo..hi, and the verifier knows: it is checked where it is used, since 6.1's does not apply to other copies on the stack what it learns of one;
 * and one bound after the other, since up to 6.12's learns nothing of n from n - lo, with which clang checks both at once. */
static __always_inline bool within(__u32 *n, __u32 lo, __u32 hi)
{
	__u32 v = *n;

	barrier_var(v);
	if (v < lo)
		return false;
	barrier_var(v);
	*n = v;
	return v <= hi;
}

static __noinline int convert_parse(struct __sk_buff *skb, __u32 l2, struct mpb_seg *s)
{
	if (!s)
		return MPB_PARSE_OTHER;
	return mpb_parse(skb, (void *)(long)skb->data, (void *)(long)skb->data_end, l2, s, mpb_ext_skb, 1);
}

/* Fills w from a TCP segment. Its key has the local end first. */
static __always_inline int segment(struct __sk_buff *skb, __u32 l2, struct work *w, enum mpb_dir dir)
{
	struct mpb_pkt *p = &w->t.seg.pkt;
	int parsed;

	__builtin_memset(w, 0, sizeof(*w));
	parsed = convert_parse(skb, l2, &w->t.seg);
	if (parsed == MPB_PARSE_SHORT && skb->data_end - skb->data < skb->len) {
		__u32 want = skb->len;

		if (bpf_skb_pull_data(skb, want < MPB_PULL_MAX ? want : MPB_PULL_MAX))
			return 0;
		parsed = convert_parse(skb, l2, &w->t.seg);
	}
	if (parsed != MPB_PARSE_TCP)
		return 0;
	w->len = p->l4len ? p->l4len : skb->len - p->l4;
	w->payload = w->len - MPB_TCP_HLEN - p->optlen;
	w->key = p->tuple;
	if (dir == MPB_IN) {
		for (int i = 0; i < 4; i++) {
			w->key.saddr[i] = p->tuple.daddr[i];
			w->key.daddr[i] = p->tuple.saddr[i];
		}
		w->key.sport = p->tuple.dport;
		w->key.dport = p->tuple.sport;
	}
	return 1;
}

static __always_inline struct work *work(void)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(&mpb_work, &zero);
}

/* Give the segment this many bytes of TCP header and payload in all that says so but the TCP header's own sum. */
static __always_inline int set_length(struct __sk_buff *skb, const struct work *w, __u32 len)
{
	__u32 l3 = w->t.seg.pkt.l3, l4 = w->t.seg.pkt.l4;
	int v4 = mpb_is_v4(w->key.daddr);
	__be16 was = bpf_htons(v4 ? w->len + l4 - l3 : w->len + l4 - l3 - 40), is = bpf_htons(v4 ? len + l4 - l3 : len + l4 - l3 - 40);

	if (v4 && bpf_l3_csum_replace(skb, l3 + 10, was, is, 2))
		return -1;
	if (bpf_skb_store_bytes(skb, l3 + (v4 ? 2 : 4), &is, 2, v4 ? 0 : BPF_F_RECOMPUTE_CSUM))
		return -1;
	return bpf_l4_csum_replace(skb, l4 + MPB_TCP_CSUM, bpf_htons(w->len), bpf_htons(len), BPF_F_PSEUDO_HDR | 2);
}

static long translate_step(__u32 i, struct work **w)
{
	return mpb_translate_step(&(*w)->t) == MPB_STEP_END;
}

/* A global function: verified once, not with each caller's paths. Returns 0. */
__noinline int translate_options(struct work *w)
{
	if (!w)
		return 0;
	for (int i = 0; i < MPB_OPTS_MAX / 4; i++)
		w->was[i] = w->t.seg.words[i];
	mpb_opt_begin(&w->t.seg);
	bpf_loop(MPB_OPT_STEPS, translate_step, &w, 0);
	return 0;
}

/* The TCP header's changed words and options, and its sum by the difference. */
static __noinline __attribute__((unused)) int put_header(struct __sk_buff *skb, struct work *w, __u32 seq_by, __u32 ack_by, __u32 flags)
{
	__be32 was[TCP_WORDS], is[TCP_WORDS];
	__u32 l4, optlen;
	__s64 diff;

	if (!w)
		return -1;
	l4 = w->t.seg.pkt.l4;
	optlen = w->t.seg.pkt.optlen;
	if (l4 > MPB_HEADERS_MAX || bpf_skb_load_bytes(skb, l4 + 4, was, sizeof(was)))
		return -1;
	is[0] = bpf_htonl(bpf_ntohl(was[0]) + seq_by);
	is[1] = bpf_htonl(bpf_ntohl(was[1]) + ack_by);
	is[2] = flags ? (was[2] & ~bpf_htonl(0xff0000)) | bpf_htonl(flags << 16) : was[2];
	diff = bpf_csum_diff(was, sizeof(was), is, sizeof(is), 0);
	if (w->t.seg.changed)
		diff = bpf_csum_diff(w->was, sizeof(w->was), w->t.seg.words, MPB_OPTS_MAX, diff);
	if (bpf_skb_store_bytes(skb, l4 + 4, is, sizeof(is), 0) || bpf_l4_csum_replace(skb, l4 + MPB_TCP_CSUM, 0, diff, 0))
		return -1;
	if (!w->t.seg.changed)
		return 0;
	if (!within(&optlen, 4, MPB_OPTS_MAX))
		return -1;
	return bpf_skb_store_bytes(skb, l4 + MPB_TCP_HLEN, w->t.seg.opts, optlen, 0);
}

/* The window of a SYN, which no scale applies to, less by the scale: of a SYN with data a Linux converter takes the window scaled for the connection's
 * (tcp_create_openreq_child(), mptcp_sk_clone_init()), some 60 MB, and sends what the host must drop. The next ACK tells its subflow the true one. */
static __noinline __attribute__((unused)) int shrink_window(struct __sk_buff *skb, struct work *w, __u32 scale)
{
	__be16 was, is;
	__u32 at;

	if (!w || w->t.seg.pkt.l4 > MPB_HEADERS_MAX)
		return -1;
	at = w->t.seg.pkt.l4;
	if (bpf_skb_load_bytes(skb, at + 14, &was, sizeof(was)))
		return -1;
	is = bpf_htons(bpf_ntohs(was) >> (scale & 15) ?: 1);
	return bpf_skb_store_bytes(skb, at + 14, &is, sizeof(is), 0) || bpf_l4_csum_replace(skb, at + MPB_TCP_CSUM, was, is, sizeof(is)) ? -1 : 0;
}

/* The sum of a segment that is nothing but its header, and its length. */
static __noinline __attribute__((unused)) int trim(struct __sk_buff *skb, struct work *w)
{
	__u32 l4, optlen, hlen;
	__be32 h[(MPB_TCP_HLEN + MPB_OPTS_MAX) / 4] = {};
	__be16 check;

	if (!w)
		return -1;
	l4 = w->t.seg.pkt.l4;
	optlen = w->t.seg.pkt.optlen;
	if (l4 > MPB_HEADERS_MAX || optlen > MPB_OPTS_MAX)
		return -1;
	hlen = MPB_TCP_HLEN + optlen;
	if (set_length(skb, w, hlen) || bpf_skb_change_tail(skb, l4 + hlen, 0) || bpf_skb_load_bytes(skb, l4, h, hlen))
		return -1;
	h[4] &= ~bpf_htonl(0xffff0000); /* the sum itself */
	check = ~mpb_fold((__u32)bpf_csum_diff(NULL, 0, h, sizeof(h), 0) + (__u64)mpb_pseudo(&w->key, hlen));
	return bpf_skb_store_bytes(skb, l4 + MPB_TCP_CSUM, &check, sizeof(check), BPF_F_RECOMPUTE_CSUM);
}

/* Take the payload's first `cut` bytes out, an even number. What never left this machine (CHECKSUM_PARTIAL) has the pseudo-header's sum in its field, and tells
 * by a place in the buffer where the rest begins; the header moves behind that place, and the host then takes the field for the sum of all. So it
 * becomes that. */
static __noinline __attribute__((unused)) int cut_head(struct __sk_buff *skb, struct work *w, __u32 cut)
{
	__be32 gone[MPB_CUT_MAX / 4] = {}, h[(MPB_TCP_HLEN + MPB_OPTS_MAX) / 4] = {};
	__u32 l4, optlen, hlen;
	__be16 field;
	__u64 sum;
	int partial;

	if (!w)
		return -1;
	l4 = w->t.seg.pkt.l4;
	optlen = w->t.seg.pkt.optlen;
	if (l4 > MPB_HEADERS_MAX || optlen > MPB_OPTS_MAX || cut & 1 || !within(&cut, 2, MPB_CUT_MAX))
		return -1;
	hlen = MPB_TCP_HLEN + optlen;
	if (bpf_skb_load_bytes(skb, l4 + MPB_TCP_CSUM, &field, sizeof(field)))
		return -1;
	partial = mpb_csum_partial(skb, &w->key, l4, w->len, field, mpb_sum_skb);
	if (bpf_skb_load_bytes(skb, l4 + hlen, gone, cut) || set_length(skb, w, w->len - cut) ||
	    bpf_l4_csum_replace(skb, l4 + MPB_TCP_CSUM, 0, bpf_csum_diff(gone, sizeof(gone), NULL, 0, 0), 0) || bpf_skb_load_bytes(skb, l4, h, hlen))
		return -1;
	if (bpf_skb_adjust_room(skb, -(__s32)cut, BPF_ADJ_ROOM_NET, MPB_FIXED_GSO))
		return -1;
	if (partial) {
		h[4] &= ~bpf_htonl(0xffff0000); /* the sum itself */
		sum = (__u32)bpf_csum_diff(NULL, 0, h, sizeof(h), 0);
		sum = mpb_sum(skb, l4 + hlen, l4 + w->len - cut, sum, mpb_sum_skb);
		h[4] |= bpf_htonl((__u32)bpf_ntohs(~mpb_fold(sum + mpb_pseudo(&w->key, w->len - cut))) << 16);
	}
	return bpf_skb_store_bytes(skb, l4, h, hlen, BPF_F_RECOMPUTE_CSUM);
}

#endif
