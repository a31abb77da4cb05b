/* SPDX-License-Identifier: GPL-2.0-only */
/* From a frame to its TCP options: one body for tc and XDP, with or without an Ethernet header, up to two VLAN tags, IPv4 options, IPv6 extension
 * headers. Whatever is not an unfragmented TCP segment with options is somebody else's. */
#ifndef MPTCP_BPF_PACKET_BPF_H
#define MPTCP_BPF_PACKET_BPF_H

#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>
#include <mptcp_bpf/option.h>

#define MPB_TCP_HLEN 20
#define MPB_TCP_CSUM 16      /* offset of the checksum in the TCP header */
#define MPB_VLAN_TAGS 2
#define MPB_EXT_HEADERS 8    /* IPv6 extension headers that are walked */
#define MPB_HEADERS_MAX 384  /* where the TCP header begins at the latest */
#define MPB_PULL_MAX (MPB_HEADERS_MAX + MPB_TCP_HLEN + MPB_OPTS_MAX)

enum mpb_parse {
	MPB_PARSE_OTHER, /* not for us */
	MPB_PARSE_SHORT, /* the headers with all options are not in data..end */
	MPB_PARSE_TCP,
};

struct mpb_ext {
	void *ctx;
	__u32 off;
	__u8 next; /* protocol of what is at off */
};

/* Steps over one IPv6 extension header (RFC 8200 section 4; AH: RFC 4302), h being its first two bytes. Returns 1 at the end. */
static __always_inline long mpb_ext_step(struct mpb_ext *w, const __u8 *h)
{
	w->off += w->next == IPPROTO_AH ? (h[1] + 2) << 2 : (h[1] + 1) << 3;
	w->next = h[0];
	return w->off > MPB_HEADERS_MAX;
}

static __always_inline int mpb_ext_known(__u8 next)
{
	return next == IPPROTO_HOPOPTS || next == IPPROTO_ROUTING || next == IPPROTO_DSTOPTS || next == IPPROTO_AH;
}

static long mpb_ext_skb(__u32 i, struct mpb_ext *w)
{
	__u8 h[2];

	if (!mpb_ext_known(w->next) || bpf_skb_load_bytes(w->ctx, w->off, h, sizeof(h)))
		return 1;
	return mpb_ext_step(w, h);
}

static long mpb_ext_xdp(__u32 i, struct mpb_ext *w)
{
	__u8 h[2];

	if (!mpb_ext_known(w->next) || bpf_xdp_load_bytes(w->ctx, w->off, h, sizeof(h)))
		return 1;
	return mpb_ext_step(w, h);
}

/* Finds the TCP options of the frame data..end whose link header has l2 bytes (14 or 0). On MPB_PARSE_TCP they are copied to s, and s->pkt is filled.
 * Unless `all` are wanted, segments that carry no option, or nothing but a timestamp, end before that. */
static __always_inline enum mpb_parse mpb_parse(void *ctx, void *data, void *end, __u32 l2, struct mpb_seg *s,
						long (*ext_step)(__u32 i, struct mpb_ext *w), int all)
{
	struct mpb_pkt *p = &s->pkt;
	struct mpb_ext ext = { .ctx = ctx };
	__u32 l4, optlen, end_at; /* end_at: where the IP header says that the packet ends; 0: it does not say */
	struct tcphdr *tcp;
	struct iphdr *ip;
	__be32 *word;

	if (l2) {
		struct ethhdr *eth = data;
		__be16 proto;

		l2 = sizeof(*eth);
		if ((void *)(eth + 1) > end)
			return MPB_PARSE_SHORT;
		proto = eth->h_proto;
		for (int i = 0; i < MPB_VLAN_TAGS; i++) {
			if (proto != bpf_htons(ETH_P_8021Q) && proto != bpf_htons(ETH_P_8021AD))
				break;
			if (data + l2 + 4 > end)
				return MPB_PARSE_SHORT;
			proto = *(__be16 *)(data + l2 + 2);
			l2 += 4;
		}
		if (proto != bpf_htons(ETH_P_IP) && proto != bpf_htons(ETH_P_IPV6))
			return MPB_PARSE_OTHER;
	}
	ip = data + l2;
	if ((void *)(ip + 1) > end)
		return MPB_PARSE_SHORT;
	if (ip->version == 4) {
		if (ip->protocol != IPPROTO_TCP || ip->ihl < 5 || ip->frag_off & bpf_htons(0x3fff)) /* MF, or an offset */
			return MPB_PARSE_OTHER;
		l4 = l2 + ip->ihl * 4;
		end_at = ip->tot_len ? bpf_ntohs(ip->tot_len) + l2 : 0;
		p->tuple.saddr[0] = p->tuple.saddr[1] = p->tuple.daddr[0] = p->tuple.daddr[1] = 0;
		p->tuple.saddr[2] = p->tuple.daddr[2] = bpf_htonl(0xffff);
		p->tuple.saddr[3] = ip->saddr;
		p->tuple.daddr[3] = ip->daddr;
	} else if (ip->version == 6) {
		struct ipv6hdr *ip6 = (void *)ip;

		if ((void *)(ip6 + 1) > end)
			return MPB_PARSE_SHORT;
		ext.off = l2 + sizeof(*ip6);
		ext.next = ip6->nexthdr;
		end_at = ip6->payload_len ? bpf_ntohs(ip6->payload_len) + ext.off : 0;
		__builtin_memcpy(p->tuple.saddr, &ip6->saddr, 16);
		__builtin_memcpy(p->tuple.daddr, &ip6->daddr, 16);
		if (ext.next != IPPROTO_TCP)
			bpf_loop(MPB_EXT_HEADERS, ext_step, &ext, 0);
		if (ext.next != IPPROTO_TCP)
			return MPB_PARSE_OTHER;
		l4 = ext.off;
	} else {
		return MPB_PARSE_OTHER;
	}
	if (l4 > MPB_HEADERS_MAX)
		return MPB_PARSE_OTHER;
	tcp = data + l4;
	if ((void *)(tcp + 1) + (all ? 0 : 4) > end)
		return MPB_PARSE_SHORT;
	optlen = tcp->doff * 4;
	if (optlen < MPB_TCP_HLEN || (!all && optlen == MPB_TCP_HLEN))
		return MPB_PARSE_OTHER;
	optlen -= MPB_TCP_HLEN;
	if (!all && optlen == MPB_TCPOPTS_TS_LEN && *(__be32 *)(tcp + 1) == bpf_htonl(MPB_TCPOPTS_TSONLY))
		return MPB_PARSE_OTHER;
	if ((void *)(tcp + 1) + optlen > end)
		return MPB_PARSE_SHORT;
	if (end_at && end_at < l4 + MPB_TCP_HLEN + optlen)
		return MPB_PARSE_OTHER;
	p->l3 = l2;
	p->l4 = l4;
	p->l4len = end_at ? end_at - l4 : 0;
	p->optlen = optlen;
	p->flags = ((__u8 *)tcp)[13];
	p->urg = bpf_ntohs(tcp->urg_ptr);
	p->tuple.sport = tcp->source;
	p->tuple.dport = tcp->dest;
	word = (__be32 *)(tcp + 1);
	if ((void *)(word + MPB_OPTS_MAX / 4) <= end) { /* at once, with payload that nobody looks at */
		__builtin_memcpy(s->words, word, MPB_OPTS_MAX);
		return MPB_PARSE_TCP;
	}
	for (int i = 0; i < MPB_OPTS_MAX / 4 && i * 4 < (int)optlen && (void *)(word + i + 1) <= end; i++)
		s->words[i] = word[i];
	return MPB_PARSE_TCP;
}

/* Global functions, so that the verifier looks at the headers' many shapes once and the callers' paths do not multiply with them. */
__noinline int mpb_tc_parse(struct __sk_buff *skb, __u32 l2, struct mpb_seg *s)
{
	if (!s)
		return MPB_PARSE_OTHER;
	return mpb_parse(skb, (void *)(long)skb->data, (void *)(long)skb->data_end, l2, s, mpb_ext_skb, 0);
}

__noinline int mpb_xdp_parse(struct xdp_md *xdp, __u32 l2, struct mpb_seg *s)
{
	if (!s)
		return MPB_PARSE_OTHER;
	return mpb_parse(xdp, (void *)(long)xdp->data, (void *)(long)xdp->data_end, l2, s, mpb_ext_xdp, 0);
}

#endif
