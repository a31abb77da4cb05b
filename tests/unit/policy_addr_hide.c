/* SPDX-License-Identifier: GPL-2.0-only */
/* addr_hide: ADD_ADDR becomes NOPs; one with an HMAC that has no MPTCP option left before it keeps its place, with all behind the address ID zeroed.
 * Which are hidden is chosen by family, port and echo. Lengths that no ADD_ADDR has pass. Nothing else is touched. */
#define _GNU_SOURCE /* memmem() */
#include "../../bpf/opt/addr_hide.bpf.c"
#include "policy_run.h"

#define AREAS 400000

/* RFC 8684 figure 12: kind, length, subtype and flags, ID; address 4 or 16; port 0 or 2; HMAC 8, not in an echo. RFC 6824 figure 12: no HMAC. */
static const struct shape {
	unsigned int len;
	bool v6, port, hmac;
} shapes[] = {
	{ 4 + 4, false, false, false },     { 4 + 4 + 2, false, true, false },     { 4 + 16, true, false, false },     { 4 + 16 + 2, true, true, false },
	{ 4 + 4 + 8, false, false, true },  { 4 + 4 + 2 + 8, false, true, true },  { 4 + 16 + 8, true, false, true },  { 4 + 16 + 2 + 8, true, true, true },
};

static const struct shape *shape_of(unsigned int len)
{
	for (unsigned int i = 0; i < COUNT(shapes); i++)
		if (shapes[i].len == len)
			return &shapes[i];
	return NULL;
}

static void model(struct expectation *e)
{
	bool stands = false; /* an MPTCP option before this one */

	for (unsigned int i = 0; i < e->r.n; i++) {
		const struct found *o = &e->r.opt[i];
		const struct shape *shape = shape_of(o->len);
		bool is_echo = e->seg->opts[o->off + 2] & 0x01;

		if (o->subtype != 3) {
			stands = true;
			continue;
		}
		if (!shape || (is_echo && shape->hmac)) {
			expected[unknown_length]++;
			stands = true;
		} else if ((is_echo && !echo) || (shape->v6 && !ipv6) || (!shape->v6 && !ipv4) || (shape->port && !with_port) ||
			   (!shape->port && !without_port)) {
			expected[passed]++;
			stands = true;
		} else {
			expected[is_echo ? echo_hidden : hidden]++;
			if (!stands && shape->hmac) {
				memset(e->want + o->off + 4, 0, o->len - 4);
				stands = true;
			} else {
				expect_nops(e, o);
			}
		}
	}
}

static void choose(unsigned int bits)
{
	ipv4 = bits & 1;
	ipv6 = bits >> 1 & 1;
	with_port = bits >> 2 & 1;
	without_port = bits >> 3 & 1;
	echo = bits >> 4 & 1;
}

static void random_areas(void **unused)
{
	unsigned int total[MPB_COUNTERS_END] = { 0 };
	uint64_t state = 40;
	struct mpb_seg s;
	struct area a;

	(void)unused;
	for (int i = 0; i < AREAS; i++) {
		area_random(&a, &state, MPTCP_ADD_ADDR);
		area_segment(&a, &state, &s);
		choose(rnd(&state) % 2 ? 15 : rnd(&state));
		run_policy(&s, model);
		for (int c = 0; c < MPB_COUNTERS_END; c++)
			total[c] += counted[c];
		run_again(&s);
	}
	print_message("# %d areas: %u hidden, %u echoes, %u passed, %u of unknown length\n", AREAS, total[hidden], total[echo_hidden], total[passed],
		      total[unknown_length]);
	assert_true(total[hidden] > 1000 && total[echo_hidden] > 1000 && total[passed] > 1000 && total[unknown_length] > 1000);
}

static void defaults(void **unused)
{
	(void)unused;
	assert_true(ipv4 && ipv6 && with_port && without_port && !echo);
}

/* Every length, echo or not, first or not, under every choice. */
static void every_shape(void **unused)
{
	(void)unused;
	for (unsigned int bits = 0; bits < 32; bits++) {
		for (unsigned int len = 3; len <= 37; len++) {
			for (unsigned int how = 0; how < 4; how++) {
				unsigned int lead = how & 2 ? 3 : 0;
				struct mpb_seg s = { .pkt.optlen = MPB_OPTS_MAX };
				uint8_t *p = s.opts + lead;

				memset(s.opts, 0xa5, sizeof(s.opts));
				memset(s.opts, 1, MPB_OPTS_MAX);
				if (lead)
					memcpy(s.opts, (uint8_t[]){ 30, 3, 0x50 }, 3);
				memset(p, 0xee, len);
				p[0] = 30;
				p[1] = len;
				p[2] = 0x30 | (how & 1);
				choose(bits);
				run_policy(&s, model);
				/* a hidden address is nowhere; a place kept is that of its ID */
				if (counted[hidden] + counted[echo_hidden])
					assert_null(memmem(s.opts, MPB_OPTS_MAX, "\xee\xee", 2));
				if (counted[hidden] && !lead && len >= 16 && len != 20 && len != 22)
					assert_memory_equal(p, ((uint8_t[]){ 30, len, 0x30, 0xee, 0, 0 }), 6);
			}
		}
	}
}

UNIT_MAIN(cmocka_unit_test(defaults), cmocka_unit_test(every_shape), cmocka_unit_test(random_areas))
