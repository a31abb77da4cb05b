/* SPDX-License-Identifier: GPL-2.0-only
 * expect: its name must have 1\.\.15 characters of a-z 0-9 _, a letter first$ */
#include <mptcp_bpf/opt.bpf.h>

MPB_OPT_COUNTERS(seen);

static void Rj_name_option(struct mpb_seg *s)
{
	mpb_count(s, seen);
}

MPB_OPT(Rj_name, "has a capital in its name", .option = Rj_name_option);
