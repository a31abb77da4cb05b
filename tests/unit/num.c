/* SPDX-License-Identifier: GPL-2.0-only */
/* Numbers of 32 significant bits against long double: each operation is off by less than 2^-30, and nothing above 0 becomes 0. */
#include <math.h>
#include <stdbool.h>
#include <mptcp_bpf/num.h>
#include "unit.h"
#include "area.h"

#define PAIRS 2000000

static long double value(mpb_num a)
{
	return ldexpl(mpb_mantissa(a), mpb_exponent(a));
}

static void near(mpb_num got, long double want)
{
	if (fabsl(value(got) - want) > ldexpl(want, -30))
		print_error("got %Lg, want %Lg\n", value(got), want);
	assert_true(fabsl(value(got) - want) <= ldexpl(want, -30));
	assert_true(!want == !got);
}

static uint64_t number(uint64_t *state)
{
	uint64_t x = (uint64_t)rnd(state) << 32 | rnd(state);

	return rnd(state) % 16 ? x >> rnd(state) % 64 : 0;
}

static void operations(void **unused)
{
	uint64_t state = 1;

	(void)unused;
	for (int n = 0; n < PAIRS; n++) {
		uint64_t x = number(&state), y = number(&state);
		mpb_num a = mpb_scaled(x, (int)(rnd(&state) % 400) - 200), b = mpb_scaled(y, (int)(rnd(&state) % 400) - 200);

		near(mpb_number(x), x);
		near(mpb_mul(a, b), value(a) * value(b));
		near(mpb_add(a, b), value(a) + value(b));
		near(mpb_div(a, b), b ? value(a) / value(b) : 0);
		assert_int_equal(mpb_less(a, b), value(a) < value(b));
		near(mpb_max(a, b), fmaxl(value(a), value(b)));
		near(mpb_min(a, b), fminl(value(a), value(b)));
	}
}

static void fixed_point(void **unused)
{
	uint64_t state = 2;

	(void)unused;
	for (int n = 0; n < PAIRS; n++) {
		mpb_num a = mpb_scaled(number(&state), (int)(rnd(&state) % 200) - 130);
		int bits = rnd(&state) % 61;
		uint64_t max = 1ULL << rnd(&state) % 63, got = mpb_fixed(a, bits, max);
		long double want = fminl(floorl(ldexpl(value(a), bits)), max);

		assert_true(got == want || (!want && a && got == 1));
	}
}

UNIT_MAIN(cmocka_unit_test(operations), cmocka_unit_test(fixed_point))
