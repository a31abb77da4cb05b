/* SPDX-License-Identifier: GPL-2.0-only
 * expect: it lacks entry points of an option policy$ */
#include <mptcp_bpf/opt.bpf.h>

MPB_DESCRIBE(MPB_OPT_POLICY, rj_entry, "lacks an entry point");

#define TC(_name)                                             \
	SEC("tc") int rj_entry_##_name(struct __sk_buff *skb) \
	{                                                     \
		return MPB_TC_NEXT;                           \
	}

TC(in)
TC(out)
TC(in3)
TC(out3)

SEC("xdp.frags") int rj_entry_xdp(struct xdp_md *xdp)
{
	return XDP_PASS;
}
