/* SPDX-License-Identifier: GPL-2.0-only
 * expect: this loop does not end */
#include <mptcp_bpf/opt.bpf.h>

static void endless_option(struct mpb_seg *s)
{
	while (*(volatile __u8 *)&s->subtype != 0xff) /* fault */
		;
}

MPB_OPT(endless, "never ends", .option = endless_option);
