/* SPDX-License-Identifier: GPL-2.0-only */
/* MP_PRIO for this end's own subflows, delivered at tc ingress as if the peer had sent it: the segment at hand is overwritten by a bare acknowledgement
 * of the subflow with an MP_PRIO, cloned into the subflow's device, and restored. The kernel takes the segment for an old acknowledgement, which changes
 * nothing in TCP, and obeys the option (mptcp_incoming_options()). Nothing of it reaches the wire. */
#ifndef MPTCP_BPF_INJECT_BPF_H
#define MPTCP_BPF_INJECT_BPF_H

#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <mptcp_bpf/checksum.bpf.h>
#include <mptcp_bpf/view.bpf.h>

#define ARPHRD_ETHER 1
#define ARPHRD_LOOPBACK 772

#define MPB_CARRIER_MAX 2048    /* longest segment that is overwritten and restored */
#define MPB_DSS_ACK_LEN 12      /* DSS with an 8-octet data acknowledgement alone (RFC 8684 3.3) */
#define MPB_DSS_ACK 0x03        /* its flags A and a */
#define MPB_NOPS (MPB_TCPOPT_NOP * 0x01010101U)

/* MP_PRIO, room for a DSS, and four octets so that no injected segment is shorter than the headers of any carrier. */
struct mpb_injected_options {
	__be32 prio, dss, ack[2], nops;
};

#define MPB_INJECTED_V4 (sizeof(struct iphdr) + sizeof(struct tcphdr) + sizeof(struct mpb_injected_options))
#define MPB_INJECTED_V6 (sizeof(struct ipv6hdr) + sizeof(struct tcphdr) + sizeof(struct mpb_injected_options))

/* A frame; what follows the link header is aligned. */
struct mpb_injected {
	__u16 pad;
	struct ethhdr eth;
	union {
		struct {
			struct iphdr ip4;
			struct tcphdr tcp4;
			struct mpb_injected_options opt4;
		};
		struct {
			struct ipv6hdr ip6;
			struct tcphdr tcp6;
			struct mpb_injected_options opt6;
		};
	};
};

/* The segment at hand while it is overwritten. */
struct mpb_carrier {
	__u32 len;           /* of the segment as it came */
	__u32 l2;            /* its link header: 14 or 0 */
	__u32 head;          /* 14: a link header was put in front of it */
	__u32 touched;
	__u32 leaves;        /* it is not one that came in: the kernel has no occasion to send what waits, and is given one */
	__be16 vlan_proto;   /* 0: no tag beside the packet */
	__u16 vlan_tci;
	__u32 ifindex;       /* of the injected segment's device */
	__u32 ether;         /* that device has a link header */
	__be16 proto;
	__u32 injected_len;  /* with the 14 bytes of the link header */
	struct mpb_seg seg;
	struct mpb_tuple key; /* the subflow that it belongs to, local end first */
	struct mpb_injected injected;
	__u8 as_it_came[MPB_CARRIER_MAX];
};

static __always_inline void mpb_inject_tcp(struct tcphdr *tcp, const struct mpb_tuple *t, struct tcp_sock *tp)
{
	tcp->source = t->dport;
	tcp->dest = t->sport;
	tcp->seq = bpf_htonl(BPF_CORE_READ(tp, rcv_nxt));
	/* An old acknowledgement, where TCP takes one: it wants it within what was ever acknowledged (RFC 5961 5.2, tcp_ack()). */
	tcp->ack_seq = bpf_htonl(BPF_CORE_READ(tp, snd_una) - (BPF_CORE_READ(tp, bytes_acked) ? 1 : 0));
	((__u8 *)tcp)[12] = (sizeof(*tcp) + sizeof(struct mpb_injected_options)) / 4 << 4;
	((__u8 *)tcp)[13] = MPB_TCP_ACK;
	tcp->window = bpf_htons(BPF_CORE_READ(tp, snd_wnd) >> (BPF_CORE_READ_BITFIELD_PROBED(tp, rx_opt.snd_wscale) & 15));
	tcp->check = 0;
	tcp->urg_ptr = bpf_htons(MPB_INJECTED_URG);
}

/* The options. `push` adds a data acknowledgement, so old that it changes neither what is acknowledged nor the window: after it the kernel sends what waits
 * (ack_update_msk(), __mptcp_check_push()). */
static __always_inline void mpb_inject_options(struct mpb_injected_options *o, struct tcp_sock *tp, __u32 backup, bool push)
{
	struct mptcp_subflow_context *sub = BPF_CORE_READ(tp, inet_conn.icsk_ulp_data);
	struct mptcp_sock *msk = (struct mptcp_sock *)BPF_CORE_READ(sub, conn);
	__u64 ack;

	o->prio = bpf_htonl(MPB_TCPOPT_MPTCP << 24 | MPTCP_PRIO_LEN << 16 | (MPTCP_PRIO << 4 | (backup ? MPTCP_PRIO_BACKUP : 0)) << 8 | MPB_TCPOPT_NOP);
	o->dss = o->ack[0] = o->ack[1] = o->nops = MPB_NOPS;
	if (!push)
		return;
	ack = BPF_CORE_READ(msk, snd_una) - BPF_CORE_READ(tp, snd_wnd);
	o->dss = bpf_htonl(MPB_TCPOPT_MPTCP << 24 | MPB_DSS_ACK_LEN << 16 | MPTCP_DSS << 12 | MPB_DSS_ACK);
	o->ack[0] = bpf_htonl(ack >> 32);
	o->ack[1] = bpf_htonl(ack);
}

/* Build the segment for the subflow with socket tp; `push` as above. */
static __always_inline void mpb_inject_build(struct mpb_carrier *w, const struct mpb_tuple *t, struct tcp_sock *tp, __u32 backup, bool push)
{
	struct net_device *dev = BPF_CORE_READ((struct sock *)tp, sk_dst_cache, dev);
	struct mpb_injected *f = &w->injected;
	__u16 type;
	__u64 sum;

	__builtin_memset(f, 0, sizeof(*f));
	if (dev) {
		w->ifindex = BPF_CORE_READ(dev, ifindex);
		type = BPF_CORE_READ(dev, type);
		bpf_probe_read_kernel(f->eth.h_dest, ETH_ALEN, BPF_CORE_READ(dev, dev_addr));
		w->ether = type == ARPHRD_ETHER || type == ARPHRD_LOOPBACK;
	} else { /* no route at the moment: the carrier's device must do */
		w->ifindex = 0;
		w->ether = w->l2 != 0;
		__builtin_memcpy(f->eth.h_dest, w->as_it_came, ETH_ALEN);
	}
	f->eth.h_source[0] = 2; /* locally administered */
	if (!t->saddr[0] && !t->saddr[1] && t->saddr[2] == MPB_V4MAPPED) {
		w->proto = bpf_htons(ETH_P_IP);
		w->injected_len = ETH_HLEN + sizeof(f->ip4) + sizeof(f->tcp4) + sizeof(f->opt4);
		f->ip4.version = 4;
		f->ip4.ihl = 5;
		f->ip4.tot_len = bpf_htons(sizeof(f->ip4) + sizeof(f->tcp4) + sizeof(f->opt4));
		f->ip4.frag_off = bpf_htons(0x4000);
		f->ip4.ttl = 255;
		f->ip4.protocol = IPPROTO_TCP;
		f->ip4.saddr = t->daddr[3];
		f->ip4.daddr = t->saddr[3];
		f->ip4.check = ~mpb_fold((__u32)bpf_csum_diff(0, 0, (__be32 *)&f->ip4, sizeof(f->ip4), 0));
		mpb_inject_tcp(&f->tcp4, t, tp);
		mpb_inject_options(&f->opt4, tp, backup, push);
		sum = (__u32)bpf_csum_diff(0, 0, (__be32 *)&f->ip4.saddr, 8 + sizeof(f->tcp4) + sizeof(f->opt4), bpf_htons(IPPROTO_TCP));
		f->tcp4.check = ~mpb_fold(sum + bpf_htons(sizeof(f->tcp4) + sizeof(f->opt4)));
	} else {
		w->proto = bpf_htons(ETH_P_IPV6);
		w->injected_len = ETH_HLEN + sizeof(f->ip6) + sizeof(f->tcp6) + sizeof(f->opt6);
		f->ip6.version = 6;
		f->ip6.payload_len = bpf_htons(sizeof(f->tcp6) + sizeof(f->opt6));
		f->ip6.nexthdr = IPPROTO_TCP;
		f->ip6.hop_limit = 255;
		__builtin_memcpy(&f->ip6.saddr, t->daddr, sizeof(t->daddr));
		__builtin_memcpy(&f->ip6.daddr, t->saddr, sizeof(t->saddr));
		mpb_inject_tcp(&f->tcp6, t, tp);
		mpb_inject_options(&f->opt6, tp, backup, push);
		sum = (__u32)bpf_csum_diff(0, 0, (__be32 *)&f->ip6.saddr, 32 + sizeof(f->tcp6) + sizeof(f->opt6), bpf_htons(IPPROTO_TCP));
		f->tcp6.check = ~mpb_fold(sum + bpf_htons(sizeof(f->tcp6) + sizeof(f->opt6)));
	}
	f->eth.h_proto = w->proto;
}

/* Can the segment at hand carry others, and if so, keep a copy of it. */
static __always_inline int mpb_carrier_take(struct __sk_buff *skb, struct mpb_carrier *w, __u32 l2)
{
	__u32 len = skb->len;

	w->touched = 0;
	w->head = 0;
	w->l2 = l2;
	w->len = len;
	w->vlan_proto = skb->vlan_present ? skb->vlan_proto : 0;
	w->vlan_tci = skb->vlan_tci;
	if (skb->gso_size || len < l2 + sizeof(struct iphdr) + sizeof(struct tcphdr) || len > MPB_CARRIER_MAX)
		return -1;
	return bpf_skb_load_bytes(skb, 0, w->as_it_came, len) ? -1 : 0;
}

/* Deliver the segment that was built. Returns 0, or -1 when it could not be: the carrier's kind does not suit the device, or the kernel refused. */
static __always_inline int mpb_carrier_send(struct __sk_buff *skb, struct mpb_carrier *w)
{
	__u32 len = w->injected_len;
	const void *from = &w->injected.eth;

	/* Between devices without a link header, and into one, the protocol stays that of the carrier. */
	if (!w->ether && skb->protocol != w->proto)
		return -1;
	if (!w->touched && w->vlan_proto && bpf_skb_vlan_pop(skb))
		return -1;
	w->touched = 1;
	if (!w->l2 && w->ether && !w->head) {
		if (bpf_skb_change_head(skb, ETH_HLEN, 0))
			return -1;
		w->head = ETH_HLEN;
	}
	if (!w->l2 && !w->head) { /* no link header at either end */
		if (bpf_skb_change_tail(skb, len - ETH_HLEN, 0))
			return -1;
		if (len == ETH_HLEN + MPB_INJECTED_V4 ?
			    bpf_skb_store_bytes(skb, 0, from + ETH_HLEN, MPB_INJECTED_V4, BPF_F_RECOMPUTE_CSUM | BPF_F_INVALIDATE_HASH) :
			    bpf_skb_store_bytes(skb, 0, from + ETH_HLEN, MPB_INJECTED_V6, BPF_F_RECOMPUTE_CSUM | BPF_F_INVALIDATE_HASH))
			return -1;
	} else {
		/* The link header is outside the checksum that the device may have computed. */
		if (bpf_skb_change_tail(skb, len, 0) || bpf_skb_store_bytes(skb, 0, from, ETH_HLEN, 0))
			return -1;
		if (len == ETH_HLEN + MPB_INJECTED_V4 ?
			    bpf_skb_store_bytes(skb, ETH_HLEN, from + ETH_HLEN, MPB_INJECTED_V4, BPF_F_RECOMPUTE_CSUM | BPF_F_INVALIDATE_HASH) :
			    bpf_skb_store_bytes(skb, ETH_HLEN, from + ETH_HLEN, MPB_INJECTED_V6, BPF_F_RECOMPUTE_CSUM | BPF_F_INVALIDATE_HASH))
			return -1;
	}
	return bpf_clone_redirect(skb, w->ifindex ? w->ifindex : skb->ifindex, BPF_F_INGRESS) ? -1 : 0;
}

/* Make the segment what it was. Returns the verdict on it: on, or dropped where that failed. A segment that gained a link header goes to its device
 * once more, which takes the header off. */
static __always_inline int mpb_carrier_restore(struct __sk_buff *skb, struct mpb_carrier *w)
{
	__u32 len = ((w->len - 1) & (MPB_CARRIER_MAX - 1)) + 1; /* what it is; 6.1's verifier does not learn from len != 0 */

	if (!w->touched)
		return MPB_TC_NEXT;
	if (bpf_skb_change_tail(skb, len + w->head, 0))
		return MPB_TC_DROP;
	if (w->head) {
		if (bpf_skb_store_bytes(skb, ETH_HLEN, w->as_it_came, len, BPF_F_RECOMPUTE_CSUM))
			return MPB_TC_DROP;
		return bpf_redirect(skb->ifindex, w->leaves ? 0 : BPF_F_INGRESS);
	}
	if (w->l2) {
		if (len <= ETH_HLEN || bpf_skb_store_bytes(skb, 0, w->as_it_came, ETH_HLEN, 0) ||
		    bpf_skb_store_bytes(skb, ETH_HLEN, w->as_it_came + ETH_HLEN, len - ETH_HLEN, BPF_F_RECOMPUTE_CSUM))
			return MPB_TC_DROP;
	} else if (bpf_skb_store_bytes(skb, 0, w->as_it_came, len, BPF_F_RECOMPUTE_CSUM)) {
		return MPB_TC_DROP;
	}
	if (w->vlan_proto && bpf_skb_vlan_push(skb, w->vlan_proto, w->vlan_tci))
		return MPB_TC_DROP;
	return MPB_TC_NEXT;
}

#endif
