/* SPDX-License-Identifier: GPL-2.0-only */
/* rtt_threshold: all below the bound, those in use by a margin above it, and if there is none the fastest. */
#include "../../bpf/sched/rtt_threshold.bpf.c"
#include "sched.h"

static mpb_set below;

static void some_below(uint64_t *state)
{
	((struct rtt_threshold *)decided.priv)->below = below = rnd(state) & 255;
	threshold_us = 20000 + rnd(state) % 100000;
}

static mpb_set reference(const struct mpb_view *v, bool *unsure)
{
	mpb_set usable = ref_usable(v), set = 0;
	double rtt[MPB_SUBFLOWS];

	*unsure = false;
	ref_rtts(v, rtt);
	for (int i = 0; i < MPB_SUBFLOWS; i++)
		if (usable >> i & 1 && rtt[i] < threshold_us + (below >> i & 1 ? margin_us : 0))
			set |= 1 << i;
	return set ? set : 1U << ref_least(usable, rtt);
}

static void definition(void **unused)
{
	(void)unused;
	compare_sets(reference, some_below);
}

UNIT_MAIN(cmocka_unit_test(definition))
