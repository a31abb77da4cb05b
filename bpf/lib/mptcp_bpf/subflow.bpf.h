/* SPDX-License-Identifier: GPL-2.0-only */
/* Reading a subflow out of its socket: for sock_ops and the socket iterator. Reads go through bpf_probe_read_kernel (BPF_CORE_READ), so a socket that is
 * being torn down yields zeros, not a fault. */
#ifndef MPTCP_BPF_SUBFLOW_BPF_H
#define MPTCP_BPF_SUBFLOW_BPF_H

#include <mptcp_bpf/kernel.bpf.h>
#include <mptcp_bpf/state.h>

#define MPB_V4MAPPED bpf_htonl(0x0000ffff)

/* Fill t with the addresses of the socket, local end first. Returns the family on the wire, 4 or 6. */
static __always_inline int mpb_sock_tuple(struct sock_common *skc, struct mpb_tuple *t)
{
	t->sport = bpf_htons(BPF_CORE_READ(skc, skc_num));
	t->dport = BPF_CORE_READ(skc, skc_dport);
	if (BPF_CORE_READ(skc, skc_family) == AF_INET6) {
		BPF_CORE_READ_INTO(&t->saddr, skc, skc_v6_rcv_saddr.in6_u.u6_addr32);
		BPF_CORE_READ_INTO(&t->daddr, skc, skc_v6_daddr.in6_u.u6_addr32);
		return !t->saddr[0] && !t->saddr[1] && t->saddr[2] == MPB_V4MAPPED ? 4 : 6;
	}
	t->saddr[0] = t->saddr[1] = t->daddr[0] = t->daddr[1] = 0;
	t->saddr[2] = t->daddr[2] = MPB_V4MAPPED;
	t->saddr[3] = BPF_CORE_READ(skc, skc_rcv_saddr);
	t->daddr[3] = BPF_CORE_READ(skc, skc_daddr);
	return 4;
}

/* The MPTCP side of a TCP socket, or NULL for plain TCP (also after a fallback that dropped the MPTCP state). */
static __always_inline struct mptcp_subflow_context *mpb_subflow_ctx(struct tcp_sock *tp)
{
	if (!BPF_CORE_READ(tp, is_mptcp))
		return NULL;
	return BPF_CORE_READ(tp, inet_conn.icsk_ulp_data);
}

/* Local address ID; -1 while the kernel has not chosen one. */
static __always_inline __s16 mpb_local_id(struct mptcp_subflow_context *ctx)
{
	__u8 narrow = 0;

	if (bpf_core_field_size(ctx->local_id) == sizeof(__s16))
		return BPF_CORE_READ(ctx, local_id);
	bpf_probe_read_kernel(&narrow, sizeof(narrow), (void *)ctx + bpf_core_field_offset(ctx->local_id));
	return narrow;
}

/* When the oldest segment in flight was sent last; 0: none is. */
static __always_inline __u64 mpb_oldest_ns(struct tcp_sock *tp)
{
	struct list_head *first = BPF_CORE_READ(tp, tsorted_sent_queue.next);
	struct sk_buff *skb = (void *)first - bpf_core_field_offset(struct sk_buff, tcp_tsorted_anchor);

	if (!BPF_CORE_READ(tp, packets_out) || first == (void *)tp + bpf_core_field_offset(struct tcp_sock, tsorted_sent_queue))
		return 0;
	return BPF_CORE_READ(skb, skb_mstamp_ns);
}

#endif
