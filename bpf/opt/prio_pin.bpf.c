/* SPDX-License-Identifier: GPL-2.0-only */
/* prio_pin - what MP_PRIO may say on a device: nothing, always backup, or never backup.
 * Good: a path whose priority is the operator's business, whatever the peer or the local path manager asks. Bad: pinning one end only changes
 * what that end is told; the two ends may then differ. Cost: the walk. Source: RFC 8684 section 3.3.8. */
#include <mptcp_bpf/opt.bpf.h>

enum { PASS, DROP, BACKUP, ACTIVE };

MPB_TUNE_DEV(__u8, action, 1, 0, 3, "0 pass, 1 drop MP_PRIO, 2 force its backup bit on, 3 force it off");

MPB_OPT_COUNTERS(removed, forced, passed);

static void prio_pin_option(struct mpb_seg *s)
{
	__u8 was, bits, act;

	if (s->subtype != MPTCP_PRIO || s->optlen < MPTCP_PRIO_LEN)
		return;
	was = mpb_opt_u8(s, 2);
	act = mpb_tune_dev(s, action);
	if (act == DROP) {
		mpb_opt_remove(s);
		mpb_count(s, removed);
		return;
	}
	bits = act == BACKUP ? was | MPTCP_PRIO_BACKUP : act == ACTIVE ? was & ~MPTCP_PRIO_BACKUP : was;
	if (bits != was)
		mpb_opt_put(s, 2, bits);
	mpb_count(s, bits == was ? passed : forced);
}

MPB_OPT(prio_pin, "drops MP_PRIO or pins its backup bit, per device", .option = prio_pin_option);
