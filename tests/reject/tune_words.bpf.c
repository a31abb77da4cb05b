/* SPDX-License-Identifier: GPL-2.0-only
 * expect: tunable level: declare it with MPB_TUNE\(.*, in plain numbers$ */
#include <mptcp_bpf/opt.bpf.h>

MPB_TUNE(__u8, level, (1 + 1), 0, 3, "");
MPB_OPT_COUNTERS(seen);

static void rj_words_option(struct mpb_seg *s)
{
	if (level)
		mpb_count(s, seen);
}

MPB_OPT(rj_words, "has a default that is no plain number", .option = rj_words_option);
