/* SPDX-License-Identifier: GPL-2.0-only */
/* Settings matched to tunables: in range or an error that names the range; by name or an error that names those there are; read and written in
 * their own size and nothing besides. */
#include "said.h"
#include "tunable.h"

static const struct desc d = {
	.policy.name = "tested",
	.ntunables = 4,
	.tunables = {
		{ .name = "one", .off = 1, .size = 1, .slot = -1, .dfl = 1, .min = 0, .max = 255 },
		{ .name = "two", .off = 2, .size = 2, .slot = 0, .dfl = 2, .min = 2, .max = 65535 },
		{ .name = "four", .off = 4, .size = 4, .slot = 1, .dfl = 4, .min = 0, .max = 0xffffffff },
		{ .name = "eight", .off = 8, .size = 8, .slot = -1, .dfl = 8, .min = 0, .max = UINT64_MAX },
	},
};
static const struct desc none = { .policy.name = "plain" };

static const struct tunable *t;
static uint64_t value;

static int match(const struct desc *desc, const char *word)
{
	struct setting s;

	assert_int_equal(setting_parse(word, &s), 0);
	return tunable_match(desc, &s, &t, &value);
}

static void matches(void **unused)
{
	(void)unused;
	assert_int_equal(match(&d, "one=255"), 0);
	assert_true(t == &d.tunables[0] && value == 255);
	assert_int_equal(match(&d, "two=2"), 0);
	assert_true(t == &d.tunables[1] && value == 2);
	assert_int_equal(match(&d, "eight=18446744073709551615"), 0);
	assert_true(t == &d.tunables[3] && value == UINT64_MAX);
	assert_int_equal(match(&d, "two@eth0=7"), 0); /* slot 0 is one */
	assert_true(t == &d.tunables[1] && value == 7);
	assert_int_equal(match(&d, "four@eth0=0xffffffff"), 0);
	assert_true(t == &d.tunables[2] && value == 0xffffffff);
}

static void refusals(void **unused)
{
	(void)unused;
	assert_usage(match(&d, "one=256"), "mptcp-bpf: one: '256' is not a number in 0..255");
	assert_usage(match(&d, "two=1"), "mptcp-bpf: two: '1' is not a number in 2..65535");
	assert_usage(match(&d, "four=4294967296"), "'4294967296' is not a number in 0..4294967295");
	assert_usage(match(&d, "four@eth0=4294967296"), "in 0..4294967295");
	assert_usage(match(&d, "eight=18446744073709551616"), "in 0..18446744073709551615");
	assert_usage(match(&d, "two=x"), "'x' is not a number in 2..65535");
	assert_usage(match(&d, "three=3"), "mptcp-bpf: tested: no tunable 'three'; it has one, two, four, eight");
	assert_usage(match(&d, "on=3"), "no tunable 'on'");
	assert_usage(match(&d, "One=3"), "no tunable 'One'");
	assert_usage(match(&none, "one=3"), "mptcp-bpf: plain: no tunable 'one'; it has none");
	assert_usage(match(&d, "one@eth0=3"), "one: is one value for all devices: no '@eth0'");
}

static void many_names(void **unused)
{
	static struct desc full = { .policy.name = "full", .ntunables = TUNABLES_MAX };

	(void)unused;
	for (int i = 0; i < TUNABLES_MAX; i++)
		memset(full.tunables[i].name, 'a' + i % 26, sizeof(full.tunables[i].name) - 1);
	assert_usage(match(&full, "x=1"), "it has aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa, bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb, c");
}

static void sizes(void **unused)
{
	static const uint64_t values[] = { 0, 1, 0x7f, 0x80, 0xff, 0x1234, 0xffff, 0x12345678, 0xffffffff, 0x123456789abcdef0, UINT64_MAX };
	uint8_t was[24] __attribute__((aligned(8))), is[24] __attribute__((aligned(8)));

	(void)unused;
	for (int i = 0; i < d.ntunables; i++) {
		const struct tunable *own = &d.tunables[i];

		for (unsigned int v = 0; v < COUNT(values); v++) {
			if (own->size < 8 && values[v] >> (8 * own->size))
				continue;
			memset(was, 0xa5, sizeof(was));
			memcpy(is, was, sizeof(is));
			tunable_set(own, is, values[v]);
			assert_true(tunable_get(own, is) == values[v]);
			assert_memory_equal(is + own->off, &values[v], own->size); /* little-endian, as BPF here */
			assert_memory_equal(is, was, own->off);
			assert_memory_equal(is + own->off + own->size, was + own->off + own->size, sizeof(is) - own->off - own->size);
		}
	}
}

UNIT_MAIN(cmocka_unit_test(matches), cmocka_unit_test(refusals), cmocka_unit_test(many_names), cmocka_unit_test(sizes))
