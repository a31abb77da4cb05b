/* SPDX-License-Identifier: GPL-2.0-only
 * expect: it must have one struct tcp_congestion_ops, called 'rj_cc_name'$ */
#include <mptcp_bpf/cc.bpf.h>

static void other_increase(const struct mpb_cc_view *v, struct mpb_cc_change *c)
{
	c->up = mpb_number(v->n);
}

#undef MPB_DESCRIBE
#define MPB_DESCRIBE(_kind, _name, _summary)                           \
	const struct mpb_policy mpb_policy SEC(MPB_POLICY_SEC) = {     \
		.abi = MPB_ABI, .kind = (_kind), .name = "rj_cc_name", \
		.summary = (_summary) };                               \
	char _license[] SEC("license") = "GPL"

MPB_CC(rj_cc_other, "to the kernel it has another name", .increase = other_increase);
