/* SPDX-License-Identifier: GPL-2.0-only
 * expect: the packet may end before this byte */
#include <mptcp_bpf/opt.bpf.h>

static __noinline int look(struct __sk_buff *skb)
{
	__u8 *byte = (void *)(long)skb->data;

	return byte[20] == 6 ? 0 : -1; /* fault */
}

MPB_DESCRIBE(MPB_OPT_POLICY, packet, "reads a packet without a look at its length");
SEC("tc") int packet_in(struct __sk_buff *skb) { return look(skb); }
SEC("tc") int packet_out(struct __sk_buff *skb) { return look(skb); }
SEC("tc") int packet_in3(struct __sk_buff *skb) { return look(skb); }
SEC("tc") int packet_out3(struct __sk_buff *skb) { return look(skb); }
SEC("xdp.frags") int packet_xdp(struct xdp_md *xdp) { return XDP_PASS; }
SEC("xdp.frags") int packet_xdp3(struct xdp_md *xdp) { return XDP_PASS; }
