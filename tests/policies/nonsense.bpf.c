/* SPDX-License-Identifier: GPL-2.0-only */
/* nonsense - picks subflows that there are not, dead ones, and all at once, in turn; asks for absurd rates. */
#include <mptcp_bpf/sched.bpf.h>

struct nonsense {
	__u32 turn;
};

static mpb_set nonsense_pick(const struct mpb_view *v, struct nonsense *priv, struct mpb_ask *ask)
{
	static const volatile mpb_set answers[] = { 0x80, ~0U, 0x7fffff00, 0xff & ~1, 0x40000001, 0x80000002, 0xf0, 1 };

	ask->why = 4711;
	ask->rate[priv->turn & 7] = priv->turn & 8 ? ~0ULL : 0;
	return answers[priv->turn++ & 7];
}

MPB_SCHED(nonsense, "picks what there is not", nonsense);
