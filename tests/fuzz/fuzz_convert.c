/* SPDX-License-Identifier: GPL-2.0-only */
/* Bytes as a Convert message: nothing outside it is read, and what is accepted lies inside, once, in whole words, and reads back the same. */
#include <mptcp_bpf/convert.h>
#include <string.h>
#include "fuzz.h"

static void check(const uint8_t *msg, uint32_t len, const struct mpb_convert_msg *m, uint32_t known)
{
	FUZZ_ASSERT(!(m->seen & ~known));
	FUZZ_ASSERT(m->options + m->options_len <= len && m->cookie + m->cookie_len <= len);
	FUZZ_ASSERT(!m->error || (m->error >= 6 && m->error + 1 + m->error_len <= len));
	if (m->connect) {
		struct mpb_convert_connect c;

		FUZZ_ASSERT(m->seen & 1U << CONVERT_CONNECT);
		memcpy(&c, msg + m->connect, sizeof(c));
		FUZZ_ASSERT(c.tlv.type == CONVERT_CONNECT && c.tlv.words >= 5);
	}
	for (uint32_t at = 0; at < m->options_len; at += msg[m->options + at + 1]) {
		FUZZ_ASSERT(msg[m->options + at] > 1);
		FUZZ_ASSERT(msg[m->options + at + 1] >= 2 && at + msg[m->options + at + 1] <= m->options_len);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint32_t sides[] = { MPB_CONVERT_REQUESTS, MPB_CONVERT_REPLIES };
	struct mpb_convert_head head;
	uint32_t len;
	uint8_t *msg;

	if (size < sizeof(head))
		return 0;
	memcpy(&head, data, sizeof(head));
	if (mpb_convert_head(&head, &len) != MPB_CONVERT_OK || len > size)
		return 0;
	FUZZ_ASSERT(len >= 4 && len <= MPB_CONVERT_MAX);
	msg = malloc(len); /* of this size, so that a byte beyond is noticed */
	if (!msg)
		return 0;
	memcpy(msg, data, len);
	for (int i = 0; i < 2; i++) {
		struct mpb_convert_msg m;

		if (mpb_convert_parse(msg, len, sides[i], &m) == MPB_CONVERT_OK)
			check(msg, len, &m, sides[i]);
	}
	free(msg);
	return 0;
}
