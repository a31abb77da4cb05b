/* SPDX-License-Identifier: GPL-2.0-only */
/* The walk over a segment's options finds what an independent parser finds, at the same places, with the same verdict. */
#include "unit.h"
#include "area.h"

#define AREAS 1000000

static struct reading seen;

static void note_option(struct mpb_seg *s)
{
	if (seen.n < COUNT(seen.opt))
		seen.opt[seen.n] = (struct found){ s->off, s->optlen, s->subtype };
	seen.n++;
}

static void show(const struct area *a)
{
	print_error("area of %u:", a->len);
	for (unsigned int i = 0; i < a->len; i++)
		print_error(" %02x", a->b[i]);
	print_error("\n");
}

static void compare(const struct area *a, uint64_t *state)
{
	struct mpb_seg s, was;
	struct reading want;
	unsigned int steps;
	bool same;

	area_read(a->b, a->len, &want);
	area_segment(a, state, &s);
	was = s;
	memset(&seen, 0, sizeof(seen));
	steps = area_walk(&s, note_option);
	same = steps && seen.n == want.n && s.malformed == want.malformed && !memcmp(seen.opt, want.opt, sizeof(want.opt));
	if (!same) {
		show(a);
		print_error("%u steps; %u options, want %u; malformed %d, want %d\n", steps, seen.n, want.n, s.malformed, want.malformed);
	}
	assert_true(same);
	assert_memory_equal(s.opts, was.opts, sizeof(s.opts));
	assert_memory_equal(&s.pkt, &was.pkt, sizeof(s.pkt));
	assert_int_equal(s.changed, 0);
}

static void random_areas(void **unused)
{
	unsigned int malformed = 0, options = 0;
	uint64_t state = 1;
	struct reading r;
	struct area a;

	(void)unused;
	for (int i = 0; i < AREAS; i++) {
		area_random(&a, &state, -1);
		compare(&a, &state);
		area_read(a.b, a.len, &r);
		malformed += r.malformed;
		options += r.n;
	}
	print_message("# %d areas, %u malformed, %u MPTCP options\n", AREAS, malformed, options);
	assert_true(malformed > AREAS / 10 && malformed < AREAS * 9 / 10 && options > AREAS / 2);
}

static const struct {
	const char *what;
	uint8_t b[AREA_MAX];
	unsigned int len, options;
	bool malformed;
} crafted[] = {
	{ "nothing", { 0 }, 0, 0, false },
	{ "a stale option behind an empty area", { 30, 3, 0x50 }, 0, 0, false },
	{ "EOL, then an option that no longer counts", { 0, 30, 3, 0x50 }, 4, 0, false },
	{ "MP_PRIO and a NOP", { 30, 3, 0x50, 1 }, 4, 1, false },
	{ "NOP and MP_PRIO to the last byte", { 1, 30, 3, 0x50 }, 4, 1, false },
	{ "MP_PRIO one byte too long", { 30, 4, 0x50 }, 3, 0, true },
	{ "length missing", { 1, 1, 1, 30 }, 4, 0, true },
	{ "another kind's length missing", { 1, 1, 1, 8 }, 4, 0, true },
	{ "length 0", { 30, 0, 0x50, 1 }, 4, 0, true },
	{ "length 1", { 30, 1, 0x50, 1 }, 4, 0, true },
	{ "MPTCP without a subtype", { 30, 2, 0x50, 1 }, 4, 0, true },
	{ "another kind of length 2", { 4, 2, 30, 3, 0x50, 0 }, 6, 1, false },
	{ "another kind of length 1", { 4, 1, 30, 3, 0x50, 0 }, 6, 0, true },
	{ "another kind's length beyond the end", { 8, 10, 0, 0, 30, 3, 0x50, 0 }, 8, 0, true },
	{ "timestamps and a DSS", { 1, 1, 8, 10, 0, 0, 0, 0, 0, 0, 0, 0, 30, 20, 0x20 }, 32, 1, false },
	{ "one option of all 40 bytes", { 30, 40, 0xf0 }, 40, 1, false },
	{ "41 bytes in 40", { 30, 41, 0xf0 }, 40, 0, true },
	{ "the longest length there is", { 30, 255, 0xf0 }, 40, 0, true },
	{ "two MPTCP options and a malformed one", { 30, 3, 0x50, 30, 4, 0x50, 7, 30, 1 }, 12, 2, true },
	{ "thirteen of the shortest", { 30, 3, 0, 30, 3, 16, 30, 3, 32, 30, 3, 48, 30, 3, 64, 30, 3, 80, 30, 3, 96, 30, 3, 112, 30, 3, 128,
					30, 3, 144, 30, 3, 160, 30, 3, 176, 30, 3, 192, 1 }, 40, 13, false },
	{ "forty NOPs", { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 },
	  40, 0, false },
};

static void crafted_areas(void **unused)
{
	uint64_t state = 2;

	(void)unused;
	for (unsigned int i = 0; i < COUNT(crafted); i++) {
		struct area a = { .len = crafted[i].len };
		struct reading r;

		memcpy(a.b, crafted[i].b, sizeof(a.b));
		area_read(a.b, a.len, &r);
		if (r.n != crafted[i].options || r.malformed != crafted[i].malformed)
			print_error("%s: the reference is wrong\n", crafted[i].what);
		assert_int_equal(r.n, crafted[i].options);
		assert_int_equal(r.malformed, crafted[i].malformed);
		compare(&a, &state);
	}
}

/* Every kind, every length, at every distance from the end. */
static void every_length(void **unused)
{
	uint64_t state = 3;
	struct area a;

	(void)unused;
	for (unsigned int kind = 0; kind < 256; kind++) {
		for (unsigned int len = 0; len < 256; len++) {
			unsigned int lead = (kind + len) % AREA_MAX;

			for (a.len = lead + 1; a.len <= AREA_MAX; a.len++) {
				memset(a.b, 1, sizeof(a.b));
				a.b[lead] = kind;
				if (lead + 1 < AREA_MAX)
					a.b[lead + 1] = len;
				compare(&a, &state);
			}
		}
	}
}

static void steps_bound(void **unused)
{
	struct mpb_seg s = { .pkt.optlen = MPB_OPTS_MAX };

	(void)unused;
	for (unsigned int i = 0; i < MPB_OPTS_MAX; i++)
		s.opts[i] = (const uint8_t[]){ MPB_TCPOPT_NOP, 4, 2 }[i % 3];
	assert_int_equal(area_walk(&s, note_option), MPB_OPT_STEPS);
	assert_int_equal(s.off, MPB_OPTS_MAX);
}

/* An area said to be longer than any header's: the cursor stays within the copy all the same. */
static void never_beyond(void **unused)
{
	uint64_t state = 4;

	(void)unused;
	for (int i = 0; i < 100000; i++) {
		struct mpb_seg s = { .pkt.optlen = MPB_OPTS_MAX + rnd(&state) % 1000 };
		enum mpb_step step = MPB_STEP_NEXT;

		for (unsigned int j = 0; j < sizeof(s.opts); j++)
			s.opts[j] = rnd(&state) % 4 ? rnd(&state) % 40 : rnd(&state);
		for (int n = 0; n < MPB_OPT_STEPS && step != MPB_STEP_END; n++) {
			assert_true(s.off < MPB_OPTS_MAX || mpb_opt_step(&s) == MPB_STEP_END);
			step = mpb_opt_step(&s);
			if (step == MPB_STEP_OPTION)
				mpb_opt_skip(&s);
		}
		assert_int_equal(step, MPB_STEP_END);
	}
}

static void removal(void **unused)
{
	uint64_t state = 5;

	(void)unused;
	for (unsigned int off = 0; off < MPB_OPTS_MAX; off++) {
		for (unsigned int len = 2; off + len <= MPB_OPTS_MAX; len++) {
			struct mpb_seg s = { .off = off, .optlen = len, .pkt.optlen = MPB_OPTS_MAX }, was;

			for (unsigned int j = 0; j < sizeof(s.opts); j++)
				s.opts[j] = rnd(&state) | 2;
			was = s;
			mpb_opt_remove(&s);
			for (unsigned int j = 0; j < sizeof(s.opts); j++)
				assert_int_equal(s.opts[j], j >= off && j < off + len ? MPB_TCPOPT_NOP : was.opts[j]);
			assert_int_equal(s.changed, 1);
			assert_int_equal(s.off, off);
		}
	}
}

UNIT_MAIN(cmocka_unit_test(crafted_areas), cmocka_unit_test(random_areas), cmocka_unit_test(every_length), cmocka_unit_test(steps_bound),
	  cmocka_unit_test(never_beyond), cmocka_unit_test(removal))
