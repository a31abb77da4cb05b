/* SPDX-License-Identifier: GPL-2.0-only
 * expect: its summary is not printable text$ */
#include <mptcp_bpf/opt.bpf.h>

MPB_OPT_COUNTERS(seen);

static void rj_text_option(struct mpb_seg *s)
{
	mpb_count(s, seen);
}

MPB_OPT(rj_text, "two\nlines", .option = rj_text_option);
