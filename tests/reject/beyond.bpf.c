/* SPDX-License-Identifier: GPL-2.0-only
 * expect: ^mptcp-bpf: rj_beyond: the kernel does not accept it:  */
#include <mptcp_bpf/opt.bpf.h>

MPB_OPT_COUNTERS(seen);

static void rj_beyond_option(struct mpb_seg *s)
{
	if (s->opts[s->off + s->optlen]) /* not masked: neither is bounded for the verifier */
		mpb_count(s, seen);
}

MPB_OPT(rj_beyond, "reads beyond the options", .option = rj_beyond_option);
