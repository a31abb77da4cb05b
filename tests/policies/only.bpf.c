/* SPDX-License-Identifier: GPL-2.0-only */
/* only - the subflow with one local address ID, and no other. */
#include <mptcp_bpf/sched.bpf.h>

MPB_TUNE(__u8, id, 0, 0, 255, "local address ID of the subflow");

struct only {};

static mpb_set only_pick(const struct mpb_view *v, struct only *priv, struct mpb_ask *ask)
{
	mpb_set set = 0;

	for (__u32 i = 0; i < MPB_SUBFLOWS; i++)
		if (v->alive & mpb_bit(i) && v->sf[i].local_id == id)
			set |= mpb_bit(i);
	return set;
}

MPB_SCHED(only, "one subflow by its local address ID", only);
