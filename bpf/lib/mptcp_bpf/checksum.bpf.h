/* SPDX-License-Identifier: GPL-2.0-only */
/* Internet checksums (RFC 1071), at tc and in XDP. Nothing tells a program whether TCP's field holds a checksum or, for a frame that never left this
 * machine (CHECKSUM_PARTIAL, as on veth), the folded pseudo-header sum that the device would complete. */
#ifndef MPTCP_BPF_CHECKSUM_BPF_H
#define MPTCP_BPF_CHECKSUM_BPF_H

#include <mptcp_bpf/packet.bpf.h>

#define MPB_CSUM_CHUNK 64
#define MPB_CSUM_CHUNKS 8192 /* 512 KB: the largest GSO frame */

static __always_inline __u16 mpb_fold(__u64 sum)
{
	sum = (sum & 0xffffffff) + (sum >> 32);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* The pseudo-header sum of RFC 9293 section 3.1 and RFC 8200 section 8.1, folded. The words of a mapped IPv4 address that are not the address
 * cancel: 0xffff is zero in ones' complement. */
static __always_inline __u16 mpb_pseudo(const struct mpb_tuple *t, __u32 l4len)
{
	__u64 sum = bpf_htons(IPPROTO_TCP) + (__u64)bpf_htonl(l4len);

	for (int i = 0; i < 4; i++)
		sum += (__u64)t->saddr[i] + t->daddr[i];
	return mpb_fold(sum);
}

struct mpb_sum {
	void *ctx;
	__u32 off, end;
	__u64 sum;
};

static __always_inline long mpb_sum_chunk(struct mpb_sum *c, int xdp)
{
	__be32 words[MPB_CSUM_CHUNK / 4] = {};
	__u32 n = c->end - c->off;

	if (c->off >= c->end)
		return 1;
	if (n > MPB_CSUM_CHUNK)
		n = MPB_CSUM_CHUNK;
	barrier_var(n);
	n = ((n - 1) & (MPB_CSUM_CHUNK - 1)) + 1; /* the same; 6.1's verifier does not learn from n != 0 */
	if (xdp ? bpf_xdp_load_bytes(c->ctx, c->off, words, n) : bpf_skb_load_bytes(c->ctx, c->off, words, n))
		return 1;
	c->sum = bpf_csum_diff(NULL, 0, words, sizeof(words), (__u32)c->sum);
	c->off += MPB_CSUM_CHUNK;
	return 0;
}

/* Callbacks of bpf_loop(). */
static __attribute__((unused)) long mpb_sum_skb(__u32 i, struct mpb_sum *c)
{
	return mpb_sum_chunk(c, 0);
}

static __attribute__((unused)) long mpb_sum_xdp(__u32 i, struct mpb_sum *c)
{
	return mpb_sum_chunk(c, 1);
}

/* The bytes off..end of the frame, added to sum; chunk is the callback for the kind of ctx. */
static __always_inline __u64 mpb_sum(void *ctx, __u32 off, __u32 end, __u64 sum, long (*chunk)(__u32 i, struct mpb_sum *c))
{
	struct mpb_sum c = { .ctx = ctx, .off = off, .end = end, .sum = sum };

	bpf_loop(MPB_CSUM_CHUNKS, chunk, &c, 0);
	return c.sum;
}

/* Does the field hold the pseudo-header sum only? Where it does not even look so, it holds a checksum; where it does, one checksum in 65,535 looks
 * so too, and the sum over the whole segment decides. Limit: on a source route that is not at its end the pseudo-header names the last hop, which is not
 * looked up here; such a frame that never left this machine is taken for one with a checksum. */
static __always_inline int mpb_csum_partial(void *ctx, const struct mpb_tuple *t, __u32 l4, __u32 l4len, __u16 field,
					    long (*chunk)(__u32 i, struct mpb_sum *c))
{
	__u16 pseudo = mpb_pseudo(t, l4len);

	if (field != pseudo && !((field == 0 || field == 0xffff) && (pseudo == 0 || pseudo == 0xffff)))
		return 0;
	return mpb_fold(mpb_sum(ctx, l4, l4 + l4len, 0, chunk) + pseudo) != 0xffff;
}

#endif
