/* SPDX-License-Identifier: GPL-2.0-only */
/* Option areas of TCP headers: made at random, and read by a parser of their own, written from the format alone (RFC 9293 section 3.1: kind, length,
 * value; kinds 0 and 1 are one byte; RFC 8684 section 3: kind 30, the subtype in the upper half of the third byte). It shares no line with the walk
 * under test. For the unit tests and the fuzzer. */
#ifndef MPB_TEST_AREA_H
#define MPB_TEST_AREA_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <mptcp_bpf/option.h>

#define AREA_MAX 40

struct area {
	uint8_t b[AREA_MAX];
	unsigned int len;
};

struct found {
	unsigned int off, len, subtype;
};

struct reading {
	struct found opt[AREA_MAX / 3];
	unsigned int n;
	bool malformed;
};

static inline void area_read(const uint8_t *b, unsigned int len, struct reading *r)
{
	const uint8_t *p = b, *end = b + len;

	memset(r, 0, sizeof(*r));
	while (p < end && *p != 0) {
		if (*p == 1) {
			p++;
			continue;
		}
		if (end - p == 1 || p[1] < 2 || p + p[1] > end || (*p == 30 && p[1] == 2)) {
			r->malformed = true;
			return;
		}
		if (*p == 30)
			r->opt[r->n++] = (struct found){ p - b, p[1], p[2] / 16 };
		p += p[1];
	}
}

/* xorshift64: the same areas in every run. */
static inline uint32_t rnd(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state >> 32;
}

/* One option, or what is left of the room: mostly MPTCP, of the subtype asked for (or any) and of a length it has on the wire. */
static inline void area_add(struct area *a, uint64_t *state, int subtype)
{
	static const uint8_t mptcp[] = { 3, 4, 4, 4, 8, 10, 12, 12, 16, 18, 20, 20, 22, 24, 26, 28, 30 };
	static const uint8_t other[][2] = { { 2, 4 }, { 3, 3 }, { 4, 2 }, { 5, 10 }, { 8, 10 }, { 28, 4 }, { 253, 5 }, { 31, 30 } };
	uint8_t *p = a->b + a->len;
	unsigned int room = AREA_MAX - a->len, len, i;

	for (i = 0; i < room; i++)
		p[i] = rnd(state);
	switch (rnd(state) % 8) {
	case 0:
		p[0] = 1;
		a->len++;
		return;
	case 1:
		i = rnd(state) % (sizeof(other) / sizeof(other[0]));
		if (other[i][1] > room)
			return;
		p[0] = other[i][0];
		p[1] = other[i][1];
		a->len += p[1];
		return;
	default:
		len = rnd(state) % 8 ? mptcp[rnd(state) % sizeof(mptcp)] : 3 + rnd(state) % 38;
		if (len > room)
			return;
		p[0] = 30;
		p[1] = len;
		p[2] = (rnd(state) % 3 ? (unsigned int)subtype : rnd(state)) << 4 | (rnd(state) & 0x0f);
		a->len += len;
	}
}

/* A third are noise, a third well-formed, a third well-formed with a byte changed; of any length from 0 to 40. subtype -1: any. */
static inline void area_random(struct area *a, uint64_t *state, int subtype)
{
	unsigned int how = rnd(state) % 3, want = rnd(state) % 4 ? 4 * (1 + rnd(state) % 10) : rnd(state) % (AREA_MAX + 1);

	memset(a, 0, sizeof(*a));
	if (how == 0) {
		for (unsigned int i = 0; i < want; i++)
			a->b[i] = rnd(state) % 3 ? rnd(state) % 32 : rnd(state);
	} else {
		if (rnd(state) % 2) {
			memcpy(a->b, (uint8_t[]){ 1, 1, 8, 10 }, 4);
			a->len = 12;
		}
		for (int i = 0; i < 12; i++)
			area_add(a, state, subtype < 0 ? (int)(rnd(state) % 16) : subtype);
		memset(a->b + a->len, rnd(state) % 2, AREA_MAX - a->len);
		if (how == 2)
			a->b[rnd(state) % AREA_MAX] = rnd(state) % 2 ? rnd(state) : rnd(state) % 33;
		if (rnd(state) % 2)
			want = (a->len + 3) / 4 * 4;
	}
	a->len = want;
}

/* A segment with this area. What lies behind the area in the copy is noise, so that whoever looks at it is found out. */
static inline void area_segment(const struct area *a, uint64_t *state, struct mpb_seg *s)
{
	memset(s, 0, sizeof(*s));
	for (unsigned int i = 0; i < sizeof(s->opts); i++)
		s->opts[i] = i < a->len ? a->b[i] : rnd(state);
	s->pkt.optlen = a->len;
}

/* The runtime's walk (mpb_opt_visit), with what it may rely on checked at each step. Returns the steps taken, 0 if a check failed. */
static inline unsigned int area_walk(struct mpb_seg *s, void (*option)(struct mpb_seg *s))
{
	mpb_opt_begin(s);
	for (unsigned int steps = 1; steps <= MPB_OPT_STEPS; steps++) {
		uint32_t was = s->off;
		enum mpb_step step = mpb_opt_step(s);

		if (step == MPB_STEP_END)
			return s->off == was && s->off <= s->pkt.optlen ? steps : 0;
		if (step == MPB_STEP_OPTION) {
			if (s->off != was || s->optlen < 3 || s->optlen > s->pkt.optlen - s->off)
				return 0;
			option(s);
			mpb_opt_skip(s);
		}
		if (s->off <= was || s->off > s->pkt.optlen)
			return 0;
	}
	return 0;
}

#endif
