/* SPDX-License-Identifier: GPL-2.0-only
 * expect: its license \(section license\) must be compatible with the GPL */
#include <mptcp_bpf/opt.bpf.h>

#undef MPB_DESCRIBE
#define MPB_DESCRIBE(_kind, _name, _summary) \
	const struct mpb_policy mpb_policy SEC(MPB_POLICY_SEC) = { MPB_ABI, (_kind), #_name, (_summary), 0 }

MPB_OPT_COUNTERS(seen);

static void rj_nolic_option(struct mpb_seg *s)
{
	mpb_count(s, seen);
}

MPB_OPT(rj_nolic, "says nothing of a license", .option = rj_nolic_option);
