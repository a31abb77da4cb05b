/* SPDX-License-Identifier: GPL-2.0-only
 * expect: a tunable's name must have 1\.\.31 printable characters$ */
#include <mptcp_bpf/opt.bpf.h>

MPB_TUNE(__u8, a_name_of_more_than_thirty_one_characters, 1, 0, 3, "");
MPB_OPT_COUNTERS(seen);

static void rj_long_option(struct mpb_seg *s)
{
	mpb_count(s, seen);
}

MPB_OPT(rj_long, "has a tunable with a long name", .option = rj_long_option);
