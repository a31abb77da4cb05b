/* SPDX-License-Identifier: GPL-2.0-only */
/* Runs the option policy that was included before, over random areas, against a model of it: the model says what the area shall become and what
 * shall have been counted. Everything else must stay as it was. */
#ifndef MPB_TEST_POLICY_RUN_H
#define MPB_TEST_POLICY_RUN_H

#include "unit.h"
#include "area.h"

static unsigned int counted[MPB_COUNTERS_END], expected[MPB_COUNTERS_END];

void mpb_count(struct mpb_seg *s, unsigned int counter)
{
	(void)s;
	assert_in_range(counter, 0, MPB_COUNTERS_END - 1);
	counted[counter]++;
}

/* What a model is given and says: the segment before, its options by the independent parser, the bytes it shall have. */
struct expectation {
	const struct mpb_seg *seg;
	struct reading r;
	uint8_t want[MPB_OPTS_BUF];
};

static inline void expect_nops(struct expectation *e, const struct found *o)
{
	memset(e->want + o->off, MPB_TCPOPT_NOP, o->len);
}

static inline void show_bytes(const char *what, const uint8_t *b, unsigned int n)
{
	print_error("%-5s", what);
	for (unsigned int i = 0; i < n; i++)
		print_error(" %02x", b[i]);
	print_error("\n");
}

static void run_policy(struct mpb_seg *s, void (*model)(struct expectation *e))
{
	struct expectation e = { .seg = s };
	struct mpb_seg was = *s;
	struct reading after;
	bool same;

	memset(counted, 0, sizeof(counted));
	memset(expected, 0, sizeof(expected));
	memcpy(e.want, s->opts, sizeof(e.want));
	area_read(s->opts, s->pkt.optlen, &e.r);
	model(&e);
	assert_true(area_walk(s, mpb_opt_under_test.option) > 0);
	same = !memcmp(s->opts, e.want, sizeof(e.want)) && !memcmp(counted, expected, sizeof(counted));
	if (!same) {
		show_bytes("was", was.opts, s->pkt.optlen);
		show_bytes("is", s->opts, s->pkt.optlen);
		show_bytes("want", e.want, s->pkt.optlen);
		for (unsigned int i = 0; i < COUNT(counted); i++)
			if (counted[i] != expected[i])
				print_error("counter %u: %u, want %u\n", i, counted[i], expected[i]);
	}
	assert_true(same);
	assert_memory_equal(&s->pkt, &was.pkt, sizeof(s->pkt));
	assert_int_equal(s->dir, was.dir);
	assert_int_equal(s->port, was.port);
	assert_int_equal(s->malformed, e.r.malformed);
	if (!s->changed)
		assert_memory_equal(s->opts, was.opts, sizeof(s->opts));
	assert_true(s->changed || !memcmp(s->opts, was.opts, sizeof(s->opts)));

	area_read(s->opts, s->pkt.optlen, &after);
	assert_int_equal(after.malformed, e.r.malformed);
	assert_true(after.n <= e.r.n);
}

/* Once more over its own result: not a byte changes. */
static inline void run_again(const struct mpb_seg *result)
{
	struct mpb_seg s = { .pkt = result->pkt, .dir = result->dir, .port = result->port };

	memcpy(s.opts, result->opts, sizeof(s.opts));
	assert_true(area_walk(&s, mpb_opt_under_test.option) > 0);
	assert_memory_equal(s.opts, result->opts, sizeof(s.opts));
}

#endif
