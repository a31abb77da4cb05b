/* SPDX-License-Identifier: GPL-2.0-only */
/* prio_strip - takes the address ID out of MP_PRIO.
 * RFC 6824 lets MP_PRIO name another address than the one it travels on (length 4), so whoever sits on one path can switch off another: the hijack of
 * Munir et al., ICNP 2017. RFC 8684 dropped the ID: length 3, about the carrying subflow. An MP_PRIO whose ID names the subflow that carries it
 * becomes the newer form; any other is removed, as the meaning cannot be kept and turning it around would change the wrong subflow.
 * Good: in front of receivers of the older protocol, and for peers that still send the ID to newer receivers, which ignore it. Bad: a true
 * request about another subflow is lost; so is any while the IDs are unknown (a forwarder that started after the handshake).
 * Cost: nothing but the walk where there is no such option. Source: RFC 8684 section 3.3.8, RFC 6824 section 3.3.8. */
#include <mptcp_bpf/addr_id.bpf.h>

MPB_OPT_COUNTERS(stripped, removed_other_id, removed_unknown_id);

static void prio_strip_option(struct mpb_seg *s)
{
	int id;

	mpb_learn_from_handshake(s);
	if (s->subtype != MPTCP_PRIO || s->optlen != MPTCP_PRIO_LEN_ID)
		return;
	id = mpb_sender_id(s);
	if (id == mpb_opt_u8(s, 3)) {
		mpb_opt_put(s, 1, MPTCP_PRIO_LEN);
		mpb_opt_put(s, 3, MPB_TCPOPT_NOP);
		mpb_count(s, stripped);
		return;
	}
	mpb_count(s, id == MPB_ID_UNKNOWN ? removed_unknown_id : removed_other_id);
	mpb_opt_remove(s);
}

MPB_OPT(prio_strip, "takes the address ID out of MP_PRIO, or the option where the ID is another subflow's", .option = prio_strip_option);
