/* SPDX-License-Identifier: GPL-2.0-only */
/* sight - notes what subflows signal (MP_PRIO, ADD_ADDR and its echo, REMOVE_ADDR, MP_FAIL, MP_FASTCLOSE, MP_TCPRST), for stat, monitor and metrics,
 * and how long data that have come wait for those before them; changes nothing.
 * Good: on a host whose own connections are to be understood. Bad: on a forwarder, whose segments belong to nobody here: opt_count counts there.
 * Cost: the walk over the options of each segment; two look-ups for a signal and for a DSS that comes in, none for one that leaves. Source: RFC 8684 section 3. */
#include <mptcp_bpf/wait.bpf.h>

MPB_OPT_COUNTERS(noted, foreign);

static void see_option(struct mpb_seg *s)
{
	if (s->subtype == MPTCP_DSS && s->dir == MPB_IN)
		mpb_wait(s);
	if (s->subtype == MPTCP_DSS || (s->subtype == MPTCP_PRIO && s->pkt.urg == MPB_INJECTED_URG)) /* a scheduler's own is told as its decision */
		return;
	if (mpb_signal(s))
		mpb_count(s, noted);
	else
		mpb_count(s, foreign);
}

MPB_OPT(sight, "notes the signals of this host's subflows for stat and monitor", .option = see_option);
