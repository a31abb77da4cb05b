/* SPDX-License-Identifier: GPL-2.0-only */
/* Numbers to translate by, then TCP options. The walk ends and changes nothing behind the options, and a translation
 * by nothing changes nothing. */
#include <mptcp_bpf/translate.h>
#include <string.h>
#include "fuzz.h"

static void walk(struct mpb_translation *t)
{
	int steps = 0;

	mpb_opt_begin(&t->seg);
	while (mpb_translate_step(t) != MPB_STEP_END)
		FUZZ_ASSERT(++steps <= MPB_OPT_STEPS);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mpb_translation *t = calloc(1, sizeof(*t));
	uint8_t before[MPB_OPTS_BUF];
	int32_t by[3];

	if (!t || size < sizeof(by) + 2 || size - sizeof(by) - 2 > MPB_OPTS_MAX)
		goto out;
	memcpy(by, data, sizeof(by));
	t->seg.pkt.optlen = size - sizeof(by) - 2;
	memset(t->seg.opts, 0xa5, sizeof(t->seg.opts));
	memcpy(t->seg.opts, data + sizeof(by) + 2, t->seg.pkt.optlen);
	memcpy(before, t->seg.opts, sizeof(before));
	walk(t);
	FUZZ_ASSERT(!memcmp(before, t->seg.opts, sizeof(before)));
	t->sack = by[0];
	t->dack = by[1];
	t->reply = by[2] & 0xff;
	t->initial = data[sizeof(by)] & 1;
	t->fastclose = data[sizeof(by)] >> 1 & 1;
	t->sum = data[sizeof(by) + 1] * 257;
	walk(t);
	FUZZ_ASSERT(!memcmp(before + t->seg.pkt.optlen, t->seg.opts + t->seg.pkt.optlen, sizeof(before) - t->seg.pkt.optlen));
out:
	free(t);
	return 0;
}
