/* SPDX-License-Identifier: GPL-2.0-only */
/* The option that carries terms, next to a reading of docs/terms.md in floating point and strings of its own: every rate word, every idle word, and options
 * that are malformed in every single byte, too short, too long, and at random. */
#include <math.h>
#include <stdbool.h>
#include <mptcp_bpf/terms.h>
#include "unit.h"
#include "area.h"

#define RATES 2000000
#define NOISE 5000000

static double reference_kbit(unsigned int word)
{
	return (word & 8191) * pow(10, word / 8192);
}

/* The least exponent: with one less, the mantissa would not fit. */
static bool reference_is_least(unsigned int word)
{
	return word < 8192 || (word & 8191) * 10 > 8191;
}

static void words(void **unused)
{
	double last = -1;

	(void)unused;
	for (unsigned int word = 0; word < 65536; word++) {
		assert_true((double)mpb_terms_kbit(word) == reference_kbit(word));
		assert_true(mpb_terms_bytes(word) == mpb_terms_kbit(word) * 1000 / 8);
		if (!reference_is_least(word))
			continue;
		assert_int_equal(mpb_terms_rate(mpb_terms_kbit(word)), word); /* to and fro */
		assert_true(reference_kbit(word) > last);                     /* and all of them in order */
		last = reference_kbit(word);
	}
}

/* Never more than was meant, and less by a mantissa's last digit at most; three digits are exact. */
static void rates(void **unused)
{
	uint64_t state = 3;

	(void)unused;
	for (int n = 0; n < RATES; n++) {
		uint64_t kbit = ((uint64_t)rnd(&state) << 32 | rnd(&state)) >> (27 + rnd(&state) % 37); /* below 2^37 */
		double got = reference_kbit(mpb_terms_rate(kbit)), want = fmin(kbit, 8191e7);

		assert_true(got <= want && got > want * (1 - 1 / 819.) - 1);
		assert_true(reference_is_least(mpb_terms_rate(kbit)));
		kbit = (1 + rnd(&state) % 999) * (uint64_t)pow(10, rnd(&state) % 7);
		assert_int_equal(mpb_terms_kbit(mpb_terms_rate(kbit)), kbit);
	}
}

static void there_and_back(void **unused)
{
	(void)unused;
	for (unsigned int word = 0; word < 65536; word++) {
		struct mpb_terms t = { .rate = word, .idle = (word * 7) & 0x7fff }, u = {};
		uint8_t o[MPB_TERMS_LEN];

		for (int back = 0; back < 2; back++) {
			mpb_terms_write(o, t, back ? MPB_TERMS_TAKEN : 0);
			assert_int_equal(o[0] << 8 | o[1], 254 << 8 | 8);
			assert_memory_equal(o + 2, "mb", 2);
			if (!reference_is_least(word)) {
				assert_int_equal(mpb_terms_read(o, sizeof(o), &u), MPB_TERMS_MALFORMED);
				continue;
			}
			assert_int_equal(mpb_terms_read(o, sizeof(o), &u), back ? MPB_TERMS_SAID_BACK : MPB_TERMS_ASKED);
			assert_true(u.rate == t.rate && u.idle == t.idle);
		}
	}
}

static bool reference_is_whole(const uint8_t *o, int n)
{
	return n == 8 && !memcmp(o, "\xfe\x08mb", 4) && reference_is_least(o[4] * 256 + o[5]);
}

/* What is malformed changes nothing, and nothing behind the option is read: its bytes end where the heap says so. */
static void check(const uint8_t *from, int n)
{
	struct mpb_terms t = { 0x1234, 0x0567 };
	uint8_t *o = malloc(n ? n : 1);
	enum mpb_terms_kind kind;

	memcpy(o, from, n);
	kind = mpb_terms_read(o, n, &t);
	if (!reference_is_whole(o, n)) {
		assert_int_equal(kind, MPB_TERMS_MALFORMED);
		assert_true(t.rate == 0x1234 && t.idle == 0x0567);
	} else {
		assert_int_equal(kind, o[6] & 0x80 ? MPB_TERMS_SAID_BACK : MPB_TERMS_ASKED);
		assert_true(t.rate == o[4] * 256 + o[5] && t.idle == (o[6] & 0x7f) * 256 + o[7]);
	}
	free(o);
}

static void malformed(void **unused)
{
	static const uint8_t good[] = { 254, 8, 'm', 'b', 0x13, 0x88, 0, 60 };
	uint64_t state = 4;
	uint8_t o[40];

	(void)unused;
	for (int n = 0; n < (int)sizeof(o); n++) {
		memset(o, 0, sizeof(o));
		memcpy(o, good, sizeof(good));
		check(o, n);
		o[1] = n;
		check(o, n);
	}
	for (unsigned int at = 0; at < sizeof(good); at++) {
		for (int byte = 0; byte < 256; byte++) {
			memcpy(o, good, sizeof(good));
			o[at] = byte;
			check(o, sizeof(good));
		}
	}
	for (int i = 0; i < NOISE; i++) {
		int n = rnd(&state) % 4 ? (int)sizeof(good) : (int)(rnd(&state) % sizeof(o));

		for (int k = 0; k < n; k++)
			o[k] = rnd(&state) % 4 && k < 4 ? good[k] : rnd(&state);
		check(o, n);
	}
}

static void bearable(void **unused)
{
	const uint64_t floor = 125000; /* 1 Mbit/s */

	(void)unused;
	assert_true(mpb_terms_bearable((struct mpb_terms){ 0, 0 }, floor));
	assert_true(mpb_terms_bearable((struct mpb_terms){ mpb_terms_rate(1000), 10 }, floor));
	assert_false(mpb_terms_bearable((struct mpb_terms){ mpb_terms_rate(999), 0 }, floor));
	assert_false(mpb_terms_bearable((struct mpb_terms){ 0, 9 }, floor));
	assert_false(mpb_terms_bearable((struct mpb_terms){ mpb_terms_rate(5000), 1 }, floor));
}

/* What is new is said often at first, and what holds is said more than once before it would lapse. */
static void pauses(void **unused)
{
	uint64_t sum = 0;

	(void)unused;
	for (unsigned int said = 0; said < 100; said++) {
		assert_in_range(mpb_terms_pause(said), said ? mpb_terms_pause(said - 1) : MPB_TERMS_FIRST_NS, MPB_TERMS_AGAIN_NS);
		if (said < MPB_TERMS_TIMES)
			sum += mpb_terms_pause(said);
	}
	assert_in_range(sum, 30 * 1000000000ULL, 60 * 1000000000ULL);
	assert_true(mpb_terms_pause(99) * 8 < MPB_TERMS_HOLD_NS);
}

UNIT_MAIN(cmocka_unit_test(words), cmocka_unit_test(rates), cmocka_unit_test(there_and_back), cmocka_unit_test(malformed), cmocka_unit_test(bearable),
	  cmocka_unit_test(pauses))
