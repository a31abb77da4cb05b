/* SPDX-License-Identifier: GPL-2.0-only */
/* Numbers for people: three digits and a unit, rounded, never "1000k". */
#include "unit.h"
#include "area.h"
#include "out.h"

static const struct {
	uint64_t n;
	const char *want;
} cases[] = {
	{ 0, "0" },
	{ 1, "1" },
	{ 999, "999" },
	{ 1000, "1.00k" },
	{ 1004, "1.00k" },
	{ 1006, "1.01k" },
	{ 9994, "9.99k" },
	{ 9996, "10.0k" },
	{ 12345, "12.3k" },
	{ 99949, "99.9k" },
	{ 99951, "100k" },
	{ 123456, "123k" },
	{ 999499, "999k" },
	{ 999500, "1.00M" },
	{ 1234567, "1.23M" },
	{ 1000000000, "1.00G" },
	{ 1000000000000, "1.00T" },
	{ 1000000000000000, "1.00P" },
	{ 1000000000000000000, "1.00E" },
	{ UINT64_MAX, "18.4E" },
};

static void known(void **unused)
{
	char buf[16];

	(void)unused;
	for (unsigned int i = 0; i < COUNT(cases); i++) {
		assert_string_equal(out_human(cases[i].n, buf), cases[i].want);
		assert_string_equal(buf, cases[i].want);
	}
}

/* What was printed, read back, is within half of its last digit. */
static void any(void **unused)
{
	static const char units[] = " kMGTPE";
	uint64_t state = 50;
	char buf[16];

	(void)unused;
	for (int i = 0; i < 1000000; i++) {
		uint64_t n = ((uint64_t)rnd(&state) << 32 | rnd(&state)) >> rnd(&state) % 64;
		double value, scale = 1, half = 0;
		char *end, *dot;

		value = strtod(out_human(n, buf), &end);
		dot = strchr(buf, '.');
		for (const char *u = units; *end && *u != *end; u++)
			scale *= 1000;
		if (*end)
			half = dot ? (end - dot == 3 ? 0.005 : 0.05) : 0.5;
		if (strlen(buf) > 5 || value >= 1000 || (*end && value < 1) || value * scale - n > half * scale * 1.0001 ||
		    n - value * scale > half * scale * 1.0001)
			fail_msg("%llu is '%s'", (unsigned long long)n, buf);
	}
}

UNIT_MAIN(cmocka_unit_test(known), cmocka_unit_test(any))
