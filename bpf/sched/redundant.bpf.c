/* SPDX-License-Identifier: GPL-2.0-only */
/* redundant - every byte on every subflow that neither end wants as a backup.
 * Steering cannot send a byte twice: this needs a kernel that lets BPF register a packet scheduler.
 * Good: little data that must not be late. Bad: everything else; the rate is that of the slowest, the cost that of all. Cost: O(subflows) an ACK.
 * Source: redundant scheduler (Frommgen et al., ICC 2016); redundant steering mode of 3GPP ATSSS. */
#include <mptcp_bpf/sched.bpf.h>

struct redundant {
};

static mpb_set redundant_pick(const struct mpb_view *v, struct redundant *priv, struct mpb_ask *ask)
{
	ask->why = MPB_WHY_ALL;
	return mpb_preferred(v);
}

MPB_SCHED(redundant, "every byte on every subflow", redundant, MPB_NATIVE);
