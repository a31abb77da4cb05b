/* SPDX-License-Identifier: GPL-2.0-only
 * expect: ^mptcp-bpf: rj_loop: the kernel does not accept it:  */
#include <mptcp_bpf/opt.bpf.h>

MPB_OPT_COUNTERS(seen);

static void rj_loop_option(struct mpb_seg *s)
{
	while (*(volatile __u8 *)&s->subtype != 0xff)
		mpb_count(s, seen);
}

MPB_OPT(rj_loop, "never ends", .option = rj_loop_option);
