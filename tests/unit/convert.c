/* SPDX-License-Identifier: GPL-2.0-only */
/* Convert messages: what RFC 8803 section 6 allows is taken apart rightly, and each fault gets the error that it names. */
#include <mptcp_bpf/convert.h>
#include <arpa/inet.h>
#include "unit.h"

static struct mpb_convert_msg m;

/* A request of these TLVs, parsed. */
static int request(const char *body, uint32_t len)
{
	uint8_t msg[MPB_CONVERT_MAX] = { 1, (len + 4) / 4, 0x22, 0x63 };

	memcpy(msg + 4, body, len);
	return mpb_convert_parse(msg, len + 4, MPB_CONVERT_REQUESTS, &m);
}
#define REQUEST(_body) request(_body, sizeof(_body) - 1)

#define INFO "\x01\x01\0\0"
#define ADDRESS "\x01\xbb\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\x02\x01"
#define CONNECT "\x0a\x05" ADDRESS
#define COOKIE "\x16\x03\0\0abcdefgh"

static void header(void **unused)
{
	uint32_t len;

	(void)unused;
	assert_int_equal(mpb_convert_head(&(struct mpb_convert_head){ 1, 6, htons(0x2263) }, &len), MPB_CONVERT_OK);
	assert_int_equal(len, 24);
	assert_int_equal(mpb_convert_head(&(struct mpb_convert_head){ 1, 255, htons(0x2263) }, &len), MPB_CONVERT_OK);
	assert_int_equal(len, 1020);
	assert_int_equal(mpb_convert_head(&(struct mpb_convert_head){ 2, 6, htons(0x2263) }, &len), CONVERT_unsupported_version);
	assert_int_equal(mpb_convert_head(&(struct mpb_convert_head){ 1, 0, htons(0x2263) }, &len), MPB_CONVERT_RESET);
	assert_int_equal(mpb_convert_head(&(struct mpb_convert_head){ 1, 6, htons(0x2264) }, &len), MPB_CONVERT_RESET);
}

static void requests(void **unused)
{
	(void)unused;
	assert_int_equal(REQUEST(INFO), MPB_CONVERT_OK);
	assert_int_equal(m.seen, 1U << CONVERT_INFO);
	assert_int_equal(REQUEST(CONNECT), MPB_CONVERT_OK);
	assert_int_equal(m.connect, 4);
	assert_int_equal(m.options_len, 0);
	assert_int_equal(REQUEST(COOKIE CONNECT), MPB_CONVERT_OK);
	assert_int_equal(m.cookie, 8);
	assert_int_equal(m.cookie_len, 8);
	assert_int_equal(m.connect, 16);
	assert_int_equal(REQUEST("\x0a\x07" ADDRESS "\x02\x04\x05\xb4\x04\x02\0\0"), MPB_CONVERT_OK);
	assert_int_equal(m.options, 24);
	assert_int_equal(m.options_len, 6);
}

static void faults(void **unused)
{
	(void)unused;
	assert_int_equal(REQUEST("\0\x01\0\0"), CONVERT_unsupported_message);
	assert_int_equal(REQUEST("\x02\x01\0\0"), CONVERT_unsupported_message);
	assert_int_equal(REQUEST("\xc0\x01\0\0"), CONVERT_unsupported_message);
	assert_int_equal(REQUEST("\x2a\x05" ADDRESS), CONVERT_unsupported_message); /* 10 + 32 */
	assert_int_equal(REQUEST("\x1e\x01\0\0"), CONVERT_unsupported_message);     /* a client sends no Error */
	assert_int_equal(REQUEST(INFO INFO), CONVERT_malformed_message);
	assert_int_equal(REQUEST(CONNECT CONNECT), CONVERT_malformed_message);
	assert_int_equal(REQUEST("\x01\x02\0\0\0\0\0\0"), CONVERT_malformed_message);
	assert_int_equal(REQUEST("\x01\0\0\0"), CONVERT_malformed_message);
	assert_int_equal(REQUEST("\x01\x02\0\0"), CONVERT_malformed_message);
	assert_int_equal(REQUEST("\x0a\x04\x01\xbb\0\0\0\0\0\0\0\0\0\0\xff\xff"), CONVERT_malformed_message);
	assert_int_equal(REQUEST("\x0a\x06" ADDRESS "\x01\x01\x04\x02"), CONVERT_malformed_message); /* NOP */
	assert_int_equal(REQUEST("\x0a\x06" ADDRESS "\0\0\0\0"), CONVERT_malformed_message);         /* a word of nothing */
	assert_int_equal(REQUEST("\x0a\x06" ADDRESS "\x02\x05\x05\xb4"), CONVERT_malformed_message); /* beyond the TLV */
	assert_int_equal(REQUEST("\x0a\x06" ADDRESS "\x04\x02\0\x01"), CONVERT_malformed_message);   /* padding that is none */
}

static void replies(void **unused)
{
	static const uint8_t error[] = { 1, 3, 0x22, 0x63, 30, 2, 3, 0, 'c', 'o', 'o', 'k' }, bare[] = { 1, 1, 0x22, 0x63 };

	(void)unused;
	assert_int_equal(mpb_convert_parse(bare, sizeof(bare), MPB_CONVERT_REPLIES, &m), MPB_CONVERT_OK);
	assert_int_equal(m.seen, 0);
	assert_int_equal(mpb_convert_parse(error, sizeof(error), MPB_CONVERT_REPLIES, &m), MPB_CONVERT_OK);
	assert_int_equal(error[m.error], CONVERT_missing_cookie);
	assert_int_equal(m.error_len, 5);
	assert_int_equal(mpb_convert_parse(error, sizeof(error), MPB_CONVERT_REQUESTS, &m), CONVERT_unsupported_message);
}

static void what_a_client_writes(void **unused)
{
	const __be32 addr[4] = { 0, 0, htonl(0xffff), htonl(0xc0000201) };
	struct mpb_convert_syn syn;

	(void)unused;
	mpb_convert_syn_fill(&syn, addr, htons(443));
	assert_memory_equal(&syn, "\x01\x06\x22\x63" CONNECT, sizeof(syn));
}

UNIT_MAIN(cmocka_unit_test(header), cmocka_unit_test(requests), cmocka_unit_test(faults), cmocka_unit_test(replies),
	  cmocka_unit_test(what_a_client_writes))
