/* SPDX-License-Identifier: GPL-2.0-only */
/* Bytes -> a segment's flags, direction and option area -> the walk, with every policy of bpf/opt. Whatever the area holds, a policy changes nothing
 * but MPTCP options that an independent parser finds there too, leaves an area that reads on as before, and changes none of its own result. */
#include <string.h>
#include <mptcp_bpf/addr_id.bpf.h>
#include <mptcp_bpf/wait.bpf.h>
#include "option.h"
#include "../unit/area.h"

static struct fuzz_policy *policies, *running;
static int sender_id; /* MPB_ID_UNKNOWN or an ID */

void fuzz_policy(struct fuzz_policy *p)
{
	p->next = policies;
	policies = p;
}

void mpb_count(struct mpb_seg *s, unsigned int counter)
{
	(void)s;
	FUZZ_ASSERT(counter < running->ncounters);
}

void mpb_learn_id(struct mpb_seg *s, __u8 id)
{
	FUZZ_ASSERT(s->pkt.flags & MPB_TCP_SYN);
	sender_id = id;
}

int mpb_sender_id(struct mpb_seg *s)
{
	(void)s;
	return sender_id;
}

int mpb_wait(struct mpb_seg *s)
{
	FUZZ_ASSERT(s->dir == MPB_IN);
	return 1;
}

int mpb_signal(struct mpb_seg *s)
{
	return sender_id >= 0 && s->subtype != MPTCP_DSS;
}

static void no_policy(struct mpb_seg *s)
{
	(void)s;
}

static const struct found *option_at(const struct reading *r, unsigned int off)
{
	for (unsigned int i = 0; i < r->n; i++)
		if (off >= r->opt[i].off && off < r->opt[i].off + r->opt[i].len)
			return &r->opt[i];
	return NULL;
}

static void check_result(const struct mpb_seg *was, const struct mpb_seg *is)
{
	struct reading before, after;

	area_read(was->opts, was->pkt.optlen, &before);
	area_read(is->opts, is->pkt.optlen, &after);
	for (unsigned int i = 0; i < MPB_OPTS_BUF; i++)
		FUZZ_ASSERT(is->opts[i] == was->opts[i] || (is->changed && option_at(&before, i)));
	FUZZ_ASSERT(!memcmp(&is->pkt, &was->pkt, sizeof(is->pkt)) && is->dir == was->dir && is->port == was->port);
	FUZZ_ASSERT(is->malformed == before.malformed && after.malformed == before.malformed);
	for (unsigned int i = 0; i < after.n; i++) {
		const struct found *o = option_at(&before, after.opt[i].off);

		FUZZ_ASSERT(o && o->off == after.opt[i].off && o->subtype == after.opt[i].subtype && o->len >= after.opt[i].len);
	}
}

static void run(struct fuzz_policy *p, const struct mpb_seg *seg, int id, const uint8_t *tunes)
{
	struct mpb_seg once = *seg, again = *seg;

	running = p;
	for (unsigned int i = 0; i < p->ntunes; i++) {
		const struct fuzz_tune *t = &p->tunes[i];
		uint64_t n = t->max - t->min;

		t->set(tunes[i % 8] == 0xff ? t->dfl : t->min + (n < 255 ? tunes[i % 8] % (n + 1) : n / 254 * tunes[i % 8]));
	}
	sender_id = id;
	FUZZ_ASSERT(area_walk(&once, p->ops->option));
	check_result(seg, &once);

	memcpy(again.opts, once.opts, sizeof(again.opts));
	sender_id = id;
	FUZZ_ASSERT(area_walk(&again, p->ops->option));
	FUZZ_ASSERT(!memcmp(again.opts, once.opts, sizeof(again.opts)));
}

/* flags, direction and what is known of the sender, its ID, 8 bytes for tunables; the rest is the area, at most 40 bytes. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct mpb_seg seg = {}, walked;
	struct reading want;
	uint64_t noise = 1;

	if (size < 11)
		return 0;
	seg.pkt.flags = data[0];
	seg.dir = data[1] & 1;
	seg.pkt.optlen = size - 11 < AREA_MAX ? size - 11 : AREA_MAX;
	for (unsigned int i = 0; i < MPB_OPTS_BUF; i++)
		seg.opts[i] = i < seg.pkt.optlen ? data[11 + i] : rnd(&noise);

	walked = seg;
	FUZZ_ASSERT(area_walk(&walked, no_policy));
	area_read(seg.opts, seg.pkt.optlen, &want);
	FUZZ_ASSERT(walked.malformed == want.malformed);
	FUZZ_ASSERT(!memcmp(walked.opts, seg.opts, sizeof(seg.opts)) && !walked.changed);

	FUZZ_ASSERT(policies);
	for (struct fuzz_policy *p = policies; p; p = p->next)
		run(p, &seg, data[1] & 2 ? data[2] : MPB_ID_UNKNOWN, data + 3);
	return 0;
}
