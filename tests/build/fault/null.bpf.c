/* SPDX-License-Identifier: GPL-2.0-only
 * expect: a pointer that may be NULL is used */
#include <mptcp_bpf/opt.bpf.h>

MPB_OPT_COUNTERS(seen);

static void null_option(struct mpb_seg *s)
{
	struct mpb_counts *c = bpf_map_lookup_elem(&mpb_counts, &s->port);

	c->n[seen]++; /* fault */
}

MPB_OPT(null, "uses a map's value without a look", .option = null_option);
