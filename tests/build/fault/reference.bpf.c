/* SPDX-License-Identifier: GPL-2.0-only
 * expect: not given back */
#include <mptcp_bpf/opt.bpf.h>

static __noinline int look(struct __sk_buff *skb)
{
	struct bpf_sock_tuple tuple = {};
	struct bpf_sock *sk = bpf_sk_lookup_tcp(skb, &tuple, sizeof(tuple.ipv4), -1, 0); /* fault */

	return sk ? 0 : -1;
}

MPB_DESCRIBE(MPB_OPT_POLICY, reference, "keeps a socket");
SEC("tc") int reference_in(struct __sk_buff *skb) { return look(skb); }
SEC("tc") int reference_out(struct __sk_buff *skb) { return look(skb); }
SEC("tc") int reference_in3(struct __sk_buff *skb) { return look(skb); }
SEC("tc") int reference_out3(struct __sk_buff *skb) { return look(skb); }
SEC("xdp.frags") int reference_xdp(struct xdp_md *xdp) { return XDP_PASS; }
SEC("xdp.frags") int reference_xdp3(struct xdp_md *xdp) { return XDP_PASS; }
