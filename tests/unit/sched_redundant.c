/* SPDX-License-Identifier: GPL-2.0-only */
/* redundant: all that are alive and that nobody wants as a backup. */
#include "../../bpf/sched/redundant.bpf.c"
#include "sched.h"

static mpb_set reference(const struct mpb_view *v, bool *unsure)
{
	mpb_set set = 0;

	*unsure = false;
	for (int i = 0; i < MPB_SUBFLOWS; i++)
		if (v->alive >> i & 1 && !(v->sf[i].flags & (MPB_SF_LOCKED | MPB_SF_PEER_BACKUP)))
			set |= 1 << i;
	return set ? set : v->alive;
}

static void definition(void **unused)
{
	(void)unused;
	compare_sets(reference, NULL);
	assert_int_equal(mpb_policy.flags, MPB_NATIVE);
}

UNIT_MAIN(cmocka_unit_test(definition))
