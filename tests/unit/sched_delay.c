/* SPDX-License-Identifier: GPL-2.0-only */
/* delay: always one subflow; it changes only for one that is faster by the margin, not before the hold time, and at once when the current one fails. */
#include "../../bpf/sched/delay.bpf.c"
#include "sched.h"

static void definition(void **unused)
{
	unsigned int switches = 0;
	uint64_t state = 1, now = 1000 * MS, since = 0;
	int current = -1;

	(void)unused;
	forget();
	for (int n = 0; n < VIEWS; n++) {
		struct mpb_view v = view_random(&state);
		double value[MPB_SUBFLOWS];
		mpb_set usable;
		int best;

		v.alive |= 1;
		v.now_ns = now += rnd(&state) % (100 * MS);
		for (int i = 0; i < MPB_SUBFLOWS; i++)
			value[i] = ref_rtt(&v.sf[i]);
		usable = ref_usable(&v);
		best = ref_least(usable, value);
		if (current < 0 || !(usable >> current & 1) || (now - since >= hold_ms * MS && value[best] < value[current] - margin_us)) {
			switches += best != current;
			current = best;
			since = now;
		}
		assert_int_equal(decide(&v), 1 << current);
	}
	print_message("# %u switches in %d decisions\n", switches, VIEWS);
	assert_true(switches > 1000);
}

UNIT_MAIN(cmocka_unit_test(definition))
