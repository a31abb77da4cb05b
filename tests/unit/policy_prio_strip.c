/* SPDX-License-Identifier: GPL-2.0-only */
/* prio_strip: an MP_PRIO with an address ID (length 4) becomes the newer form if the ID is the sender's on this subflow, else NOPs; the ID is learned
 * from MP_CAPABLE (0) and MP_JOIN of a SYN. Nothing else is touched. */
#include "../../bpf/opt/prio_strip.bpf.c"
#include "policy_run.h"

#define AREAS 300000

static int known; /* the sender's ID, -1 unknown */

void mpb_learn_id(struct mpb_seg *s, __u8 id)
{
	(void)s;
	known = id;
}

int mpb_sender_id(struct mpb_seg *s)
{
	(void)s;
	return known;
}

static void model(struct expectation *e)
{
	int id = known;

	for (unsigned int i = 0; i < e->r.n; i++) {
		const struct found *o = &e->r.opt[i];
		uint8_t *p = e->want + o->off;

		if ((e->seg->pkt.flags & 0x02) && o->subtype == 0)
			id = 0;
		if ((e->seg->pkt.flags & 0x02) && o->subtype == 1 && o->len >= 4)
			id = p[3];
		if (o->subtype != 5 || o->len != 4)
			continue;
		if (id == p[3]) {
			p[1] = 3;
			p[3] = 1;
			expected[stripped]++;
		} else {
			expect_nops(e, o);
			expected[id < 0 ? removed_unknown_id : removed_other_id]++;
		}
	}
}

static void random_areas(void **unused)
{
	unsigned int total[MPB_COUNTERS_END] = { 0 };
	uint64_t state = 10;
	struct mpb_seg s;
	struct area a;

	(void)unused;
	for (int i = 0; i < AREAS; i++) {
		int before, id = (int)(rnd(&state) % 4) - 1;

		area_random(&a, &state, rnd(&state) % 4 ? MPTCP_PRIO : (int)(rnd(&state) % 2));
		for (unsigned int j = 3; j < a.len; j++) /* IDs that meet */
			if (a.b[j - 3] == 30 && a.b[j - 2] == 4)
				a.b[j] %= 4;
		area_segment(&a, &state, &s);
		s.pkt.flags = rnd(&state) % 3 ? MPB_TCP_ACK : rnd(&state);
		s.dir = rnd(&state) % 2;
		before = known = id == 2 ? (int)(rnd(&state) % 256) : id;
		run_policy(&s, model);
		for (int c = 0; c < MPB_COUNTERS_END; c++)
			total[c] += counted[c];
		known = before;
		run_again(&s);
	}
	print_message("# %d areas: %u stripped, %u other, %u unknown\n", AREAS, total[stripped], total[removed_other_id], total[removed_unknown_id]);
	assert_true(total[stripped] > 1000 && total[removed_other_id] > 1000 && total[removed_unknown_id] > 1000);
}

static const struct {
	const char *what;
	uint8_t flags;
	int known, learned;
	uint8_t in[8], out[8];
} cases[] = {
	{ "own ID: the newer form, backup bit kept", 0x10, 7, 7, { 30, 4, 0x51, 7, 30, 4, 0x50, 7 }, { 30, 3, 0x51, 1, 30, 3, 0x50, 1 } },
	{ "another's ID: removed", 0x10, 7, 7, { 30, 4, 0x51, 8, 1, 1, 1, 1 }, { 1, 1, 1, 1, 1, 1, 1, 1 } },
	{ "unknown: removed, whatever ID it names", 0x10, -1, -1, { 30, 4, 0x51, 255, 30, 4, 0x51, 0 }, { 1, 1, 1, 1, 1, 1, 1, 1 } },
	{ "ID 255 is an ID", 0x10, 255, 255, { 30, 4, 0x51, 255, 0 }, { 30, 3, 0x51, 1, 0 } },
	{ "the newer form passes", 0x10, -1, -1, { 30, 3, 0x51, 30, 3, 0x50, 1, 1 }, { 30, 3, 0x51, 30, 3, 0x50, 1, 1 } },
	{ "a length nobody sends passes", 0x10, 7, 7, { 30, 5, 0x51, 7, 0, 0 }, { 30, 5, 0x51, 7, 0, 0 } },
	{ "reserved bits stay", 0x10, 7, 7, { 30, 4, 0x5f, 7, 0 }, { 30, 3, 0x5f, 1, 0 } },
	{ "another subtype of length 4 passes", 0x10, 7, 7, { 30, 4, 0x80, 7, 0 }, { 30, 4, 0x80, 7, 0 } },
	{ "MP_CAPABLE of a SYN: 0", 0x02, 9, 0, { 30, 4, 0x01, 0x81, 30, 4, 0x50, 0 }, { 30, 4, 0x01, 0x81, 30, 3, 0x50, 1 } },
	{ "MP_CAPABLE of a third ACK teaches nothing", 0x10, 9, 9, { 30, 4, 0x01, 0x81, 30, 4, 0x50, 0 }, { 30, 4, 0x01, 0x81, 1, 1, 1, 1 } },
	{ "MP_JOIN of a SYN/ACK", 0x12, -1, 5, { 30, 4, 0x10, 5, 30, 4, 0x50, 5 }, { 30, 4, 0x10, 5, 30, 3, 0x50, 1 } },
	{ "MP_JOIN of a third ACK has no ID", 0x10, -1, -1, { 30, 4, 0x10, 5, 0 }, { 30, 4, 0x10, 5, 0 } },
	{ "MP_JOIN too short for an ID", 0x02, -1, -1, { 30, 3, 0x10, 5, 0 }, { 30, 3, 0x10, 5, 0 } },
	{ "before a malformed option", 0x10, 7, 7, { 30, 4, 0x51, 7, 30, 1, 30, 4 }, { 30, 3, 0x51, 1, 30, 1, 30, 4 } },
};

static void crafted(void **unused)
{
	(void)unused;
	for (unsigned int i = 0; i < COUNT(cases); i++) {
		struct mpb_seg s = { .pkt.optlen = sizeof(cases[i].in), .pkt.flags = cases[i].flags };

		memcpy(s.opts, cases[i].in, sizeof(cases[i].in));
		known = cases[i].known;
		run_policy(&s, model);
		if (memcmp(s.opts, cases[i].out, sizeof(cases[i].out)) || known != cases[i].learned)
			fail_msg("%s", cases[i].what);
	}
}

UNIT_MAIN(cmocka_unit_test(crafted), cmocka_unit_test(random_areas))
