/* SPDX-License-Identifier: GPL-2.0-only */
/* The converter's leaves: which addresses no relay may be led to, cookies, messages. */
#include <arpa/inet.h>
#include <string.h>
#include "unit.h"
#include "convert/acl.h"
#include "convert/cookie.h"
#include "convert/message.h"

static __be32 *addr(const char *text)
{
	static __be32 a[4];

	memset(a, 0, sizeof(a));
	if (inet_pton(AF_INET6, text, a) == 1)
		return a;
	a[2] = htonl(0xffff);
	assert_int_equal(inet_pton(AF_INET, text, &a[3]), 1);
	return a;
}

static void destinations(void **unused)
{
	static const char *const no_host[] = { "0.0.0.0", "127.0.0.1", "127.255.0.1", "224.0.0.1", "239.1.2.3", "255.255.255.255", "::", "::1", "ff02::1" },
				 *const own[] = { "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "169.254.169.254", "100.64.0.1", "198.18.0.1", "fc00::1",
						  "fd12::1", "fe80::1", "64:ff9b::7f00:1", "2002:7f00:1::", "::7f00:1", "2001::1" },
				 *const fine[] = { "1.1.1.1", "172.32.0.1", "100.128.0.1", "192.169.0.1", "2600::1", "2a00:1450::5" };

	(void)unused;
	for (size_t i = 0; i < COUNT(no_host); i++)
		assert_true(addr_is_no_host(addr(no_host[i])));
	for (size_t i = 0; i < COUNT(own); i++)
		assert_true(addr_is_private(addr(own[i])) && !addr_is_no_host(addr(own[i])));
	for (size_t i = 0; i < COUNT(fine); i++)
		assert_true(!addr_is_private(addr(fine[i])) && !addr_is_no_host(addr(fine[i])));
}

/* The paper's example has 15 bytes; of whole words, the reference implementation's vector for the 8 bytes 0..7. */
static void hash(void **unused)
{
	struct cookie_key key = { { 0x0706050403020100, 0x0f0e0d0c0b0a0908 } };
	uint64_t word = 0x0706050403020100;

	(void)unused;
	assert_true(siphash(&key, &word, 1) == 0x93f5f5799a932462);
	assert_true(siphash(&key, &word, 0) == 0x726fdb47dd0e0e31);
}

static void cookies(void **unused)
{
	uint8_t c[COOKIE_LEN];
	struct cookie_key key;

	(void)unused;
	assert_int_equal(cookie_key(&key, NULL), 0);
	cookie_make(&key, addr("192.0.2.1"), c);
	assert_true(cookie_holds(&key, addr("192.0.2.1"), c, sizeof(c)));
	assert_false(cookie_holds(&key, addr("192.0.2.2"), c, sizeof(c)));
	assert_false(cookie_holds(&key, addr("192.0.2.1"), c, sizeof(c) - 1));
	c[0] ^= 1;
	assert_false(cookie_holds(&key, addr("192.0.2.1"), c, sizeof(c)));
}

static void messages(void **unused)
{
	uint8_t cause[MPB_CONVERT_MAX] = { 1, 255, 0x22, 0x63 };
	struct mpb_convert_msg parsed;
	struct message m;

	(void)unused;
	message_begin(&m);
	assert_memory_equal(m.bytes, "\x01\x01\x22\x63", 4);
	message_error(&m, CONVERT_connection_reset, NULL, 0);
	assert_int_equal(m.len, 8);
	assert_memory_equal(m.bytes, "\x01\x02\x22\x63\x1e\x01\x60\0", 8);
	message_begin(&m);
	message_error_echo(&m, CONVERT_malformed_message, cause, sizeof(cause)); /* cut: no message is longer than this */
	assert_int_equal(m.len, MPB_CONVERT_MAX);
	assert_int_equal(m.bytes[1], 255);
	assert_int_equal(mpb_convert_parse(m.bytes, m.len, MPB_CONVERT_REPLIES, &parsed), MPB_CONVERT_OK);
	assert_memory_equal(m.bytes + 8, cause, 1000);
}

UNIT_MAIN(cmocka_unit_test(destinations), cmocka_unit_test(hash), cmocka_unit_test(cookies), cmocka_unit_test(messages))
