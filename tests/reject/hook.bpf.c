/* SPDX-License-Identifier: GPL-2.0-only
 * expect: program 'rj_hook_xdp' in section 'tc' has no place in an option policy$ */
#include <mptcp_bpf/opt.bpf.h>

MPB_DESCRIBE(MPB_OPT_POLICY, rj_hook, "has a program at the wrong hook");

SEC("tc") int rj_hook_xdp(struct __sk_buff *skb)
{
	return MPB_TC_NEXT;
}
