/* SPDX-License-Identifier: GPL-2.0-only
 * expect: not for this type of program */
#include <mptcp_bpf/opt.bpf.h>

MPB_OPT_COUNTERS(seen);

static void helper_option(struct mpb_seg *s)
{
	char text[16];

	if (!bpf_d_path(NULL, text, sizeof(text))) /* fault */
		mpb_count(s, seen);
}

MPB_OPT(helper, "calls a helper of tracing programs", .option = helper_option);
