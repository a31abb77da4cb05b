/* SPDX-License-Identifier: GPL-2.0-only
 * expect: not a policy: it has no description \(mpb_policy in section \.rodata\.policy\)$ */
#include <mptcp_bpf/opt.bpf.h>

char _license[] SEC("license") = "GPL";

SEC("tc") int rj_plain_in(struct __sk_buff *skb)
{
	return MPB_TC_NEXT;
}
