/* SPDX-License-Identifier: GPL-2.0-only */
/* Sequence numbers in options, translated around a converter's reply: SACK, DATA_ACK, mappings before, in and behind the reply, DATA_FIN, 64-bit numbers that
 * borrow and carry, DSS checksums against a sum over everything that they cover. */
#include <arpa/inet.h>
#include <mptcp_bpf/translate.h>
#include "unit.h"
#include "area.h"

#define REPLY 4

static struct mpb_translation t;

static void options(const void *bytes, uint32_t len)
{
	memset(&t, 0, sizeof(t));
	memcpy(t.seg.opts, bytes, len);
	t.seg.pkt.optlen = len;
}

static void walk(void)
{
	mpb_opt_begin(&t.seg);
	while (mpb_translate_step(&t) != MPB_STEP_END)
		;
}

#define OPTIONS(_bytes) options(_bytes, sizeof(_bytes) - 1)
#define HAS(_bytes) assert_memory_equal(t.seg.opts, _bytes, sizeof(_bytes) - 1)

static void sack(void **unused)
{
	(void)unused;
	OPTIONS("\x01\x01\x05\x12\0\0\0\x20\0\0\0\x30\xff\xff\xff\xfe\0\0\0\x10");
	t.sack = 4;
	walk();
	HAS("\x01\x01\x05\x12\0\0\0\x24\0\0\0\x34\0\0\0\x02\0\0\0\x14");
	t.sack = -4;
	walk();
	HAS("\x01\x01\x05\x12\0\0\0\x20\0\0\0\x30\xff\xff\xff\xfe\0\0\0\x10");
	OPTIONS("\x05\x07\0\0\0\x20\x55\x01"); /* of a wrong length: no more than it has */
	t.sack = 4;
	walk();
	HAS("\x05\x07\0\0\0\x24\x55\x01");
}

static void data_ack(void **unused)
{
	(void)unused;
	OPTIONS("\x1e\x08\x20\x01\xff\xff\xff\xfe");
	t.dack = 4;
	walk();
	HAS("\x1e\x08\x20\x01\0\0\0\x02");
	OPTIONS("\x1e\x0c\x20\x03\0\0\0\x01\xff\xff\xff\xfe"); /* carries */
	t.dack = 4;
	walk();
	HAS("\x1e\x0c\x20\x03\0\0\0\x02\0\0\0\x02");
}

static void mapping(const char *bytes, uint32_t len, int initial)
{
	options(bytes, len);
	t.reply = REPLY;
	t.initial = initial;
	walk();
}
#define MAPPING(_bytes, _initial) mapping(_bytes, sizeof(_bytes) - 1, _initial)

static void mappings(void **unused)
{
	(void)unused;
	MAPPING("\x1e\x0e\x20\x04\0\0\x10\0\0\0\0\x65\0\x50", 1); /* behind the reply */
	HAS("\x1e\x0e\x20\x04\0\0\x0f\xfc\0\0\0\x61\0\x50");
	MAPPING("\x1e\x0e\x20\x04\0\0\x10\0\0\0\0\x65\0\x50", 0); /* on another subflow */
	HAS("\x1e\x0e\x20\x04\0\0\x0f\xfc\0\0\0\x65\0\x50");
	MAPPING("\x1e\x0e\x20\x04\0\0\x10\0\0\0\0\x01\0\x50", 1); /* from the reply on */
	HAS("\x1e\x0e\x20\x04\0\0\x10\0\0\0\0\x01\0\x4c");
	MAPPING("\x1e\x0e\x20\x04\0\0\x10\x02\0\0\0\x03\0\x50", 1); /* from its middle on */
	HAS("\x1e\x0e\x20\x04\0\0\x10\0\0\0\0\x01\0\x4e");
	MAPPING("\x1e\x0e\x20\x04\0\0\x10\0\0\0\0\x01\0\x04", 1); /* nothing but the reply */
	HAS("\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01\x01");
	MAPPING("\x1e\x0e\x20\x14\0\0\x10\0\0\0\0\x01\0\x05", 1); /* with a DATA_FIN */
	HAS("\x1e\x0e\x20\x14\0\0\x10\0\0\0\0\0\0\x01");
	MAPPING("\x1e\x0e\x20\x14\0\0\x10\0\0\0\0\0\0\x01", 1); /* a DATA_FIN alone */
	HAS("\x1e\x0e\x20\x14\0\0\x0f\xfc\0\0\0\0\0\x01");
	MAPPING("\x1e\x12\x20\x0c\0\0\0\x05\0\0\0\x02\0\0\0\x65\0\x50", 1); /* borrows */
	HAS("\x1e\x12\x20\x0c\0\0\0\x04\xff\xff\xff\xfe\0\0\0\x61\0\x50");
	MAPPING("\x1e\x08\x20\x04\0\0\x10\0", 1); /* too short for a mapping: left alone */
	HAS("\x1e\x08\x20\x04\0\0\x10\0");
}

static uint16_t sum(uint64_t x, uint32_t ssn, uint16_t len, const uint8_t *data, uint32_t n)
{
	uint64_t s = (x >> 48) + (x >> 32 & 0xffff) + (x >> 16 & 0xffff) + (x & 0xffff) + (ssn >> 16) + (ssn & 0xffff) + len;

	for (uint32_t i = 0; i < n; i++)
		s += i % 2 ? data[i] : data[i] << 8;
	while (s >> 16)
		s = (s & 0xffff) + (s >> 16);
	return s;
}

/* The receiver adds the checksum to all that it covers: ones, before and after (RFC 8684 section 3.3.1). */
static void checksums(void **unused)
{
	uint64_t state = 1;

	(void)unused;
	for (int i = 0; i < 200000; i++) {
		uint64_t dsn = (uint64_t)rnd(&state) << 32 | (rnd(&state) % 4 ? rnd(&state) : rnd(&state) % 4);
		uint32_t ssn = rnd(&state) % 2 ? 1 : 5 + rnd(&state) % 100000, n = REPLY + 1 + rnd(&state) % 60;
		uint8_t data[64], opt[20] = { 30, 20, 0x20, 0x0c };
		uint64_t got;
		uint32_t cut = ssn == 1 ? REPLY : 0;
		uint16_t check;

		for (uint32_t k = 0; k < n; k++)
			data[k] = rnd(&state);
		check = ~sum(dsn, ssn, n, data, n);
		for (int k = 0; k < 8; k++)
			opt[4 + k] = dsn >> (56 - 8 * k);
		for (int k = 0; k < 4; k++)
			opt[12 + k] = ssn >> (24 - 8 * k);
		opt[16] = n >> 8;
		opt[17] = n;
		opt[18] = check >> 8;
		opt[19] = check;
		options(opt, sizeof(opt));
		t.reply = REPLY;
		t.initial = 1;
		t.sum = sum(0, 0, 0, data, REPLY);
		walk();
		got = 0;
		for (int k = 0; k < 8; k++)
			got = got << 8 | t.seg.opts[4 + k];
		assert_true(got == (ssn == 1 ? dsn : dsn - REPLY));
		t.seg.off = 0;
		assert_int_equal(mpb_opt_get(&t.seg, 12, 4), ssn == 1 ? 1 : ssn - REPLY);
		assert_int_equal((uint16_t)~sum(got, mpb_opt_get(&t.seg, 12, 4), mpb_opt_get(&t.seg, 16, 2), data + cut, n - cut) % 0xffff,
				 mpb_opt_get(&t.seg, 18, 2) % 0xffff);
	}
}

static void fastclose(void **unused)
{
	(void)unused;
	OPTIONS("\x1e\x0e\x20\x04\0\0\x10\0\0\0\0\x01\0\x08\x01\x01");
	t.fastclose = 1;
	memcpy(&t.key, "abcdefgh", 8);
	walk();
	HAS("\x1e\x0c\x70\0" "abcdefgh\x01\x01\x01\x01");
	assert_int_equal(t.fastclose, 2);
	OPTIONS("\x1e\x08\x20\x01\0\0\0\x01"); /* no room */
	t.fastclose = 1;
	walk();
	assert_int_equal(t.fastclose, 1);
}

UNIT_MAIN(cmocka_unit_test(sack), cmocka_unit_test(data_ack), cmocka_unit_test(mappings), cmocka_unit_test(checksums), cmocka_unit_test(fastclose))
