/* SPDX-License-Identifier: GPL-2.0-only */
/* no_join - no second subflow over these devices: takes MP_JOIN out of the SYNs that leave, and the stack gives the subflow up when the answer has none.
 * Good: a metered or capped link that connections of their own may use and others shall not join. Bad: the peer sees a lone SYN of plain TCP each time.
 *
 *   mptcp-bpf build no_join.bpf.c
 *   mptcp-bpf load ./no_join.bpf.o dir out dev wwan0 */
#include <mptcp_bpf/opt.bpf.h>

MPB_TUNE_DEV(__u8, enabled, 1, 0, 1, "0 lets MP_JOIN pass");
MPB_OPT_COUNTERS(removed);

static void no_join_option(struct mpb_seg *s)
{
	if (s->subtype != MPTCP_JOIN || s->optlen != 12 || !mpb_tune_dev(s, enabled)) /* 12 bytes: the SYN's, RFC 8684 section 3.2 */
		return;
	mpb_count(s, removed);
	mpb_opt_remove(s);
}

MPB_OPT(no_join, "takes MP_JOIN out of SYNs: no subflow joins", .option = no_join_option);
