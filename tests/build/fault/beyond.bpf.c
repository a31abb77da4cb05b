/* SPDX-License-Identifier: GPL-2.0-only
 * expect: the index may be beyond the end */
#include <mptcp_bpf/opt.bpf.h>

MPB_OPT_COUNTERS(seen);

static void beyond_option(struct mpb_seg *s)
{
	struct mpb_counts *c = bpf_map_lookup_elem(&mpb_counts, &s->port);

	if (c)
		c->n[mpb_opt_u8(s, 3)]++; /* fault */
}

MPB_OPT(beyond, "counts beyond the end of its counters", .option = beyond_option);
