/* SPDX-License-Identifier: GPL-2.0-only */
/* opt_count - counts the MPTCP options seen, by subtype, and the reasons that MP_TCPRST gives; changes nothing.
 * Good: to see what a path or a middlebox does to MPTCP, and as the base line of what walking the options costs. Bad: nothing known.
 * Cost: one map look-up an MPTCP option. Source: RFC 8684 section 3, IANA registry of MPTCP option subtypes and MP_TCPRST reason codes. */
#include <mptcp_bpf/opt.bpf.h>

MPB_OPT_COUNTERS(mp_capable, mp_join, dss, add_addr, remove_addr, mp_prio, mp_fail, mp_fastclose, mp_tcprst, /* by subtype, 0.. */
		 subtype_9, subtype_10, subtype_11, subtype_12, subtype_13, subtype_14, mp_experimental,
		 rst_unspecified, rst_mptcp, rst_resources, rst_prohibited, rst_outstanding_data, rst_performance, rst_middlebox, rst_unknown);

static void count_option(struct mpb_seg *s)
{
	mpb_count(s, mp_capable + s->subtype);
	if (s->subtype == MPTCP_TCPRST && s->optlen == 4) {
		__u32 reason = mpb_opt_u8(s, 3);

		mpb_count(s, reason < rst_unknown - rst_unspecified ? rst_unspecified + reason : rst_unknown);
	}
}

MPB_OPT(opt_count, "counts MPTCP options by subtype and reset reason, per device and direction", .option = count_option);
