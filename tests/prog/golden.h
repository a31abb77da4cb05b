/* SPDX-License-Identifier: GPL-2.0-only */
/* Golden frames: options go in, options come out, and everything else of the frame is as it must be to the byte. */
#ifndef MPB_TESTS_GOLDEN_H
#define MPB_TESTS_GOLDEN_H

#include <stdbool.h>
#include <stdint.h>
#include "packet.h"
#include "prog_run.h"

#define GOLDEN_IN 1
#define GOLDEN_OUT 2

#define TCP_SYN 0x02
#define TCP_RST 0x04
#define TCP_ACK 0x10

#define FLOW 7 /* of every frame, unless a test says otherwise */

struct golden {
	const char *title;
	const char *in;     /* option bytes in hex */
	const char *want;   /* option bytes afterwards; NULL: the frame is not changed */
	const char *counts; /* counters that go up, by how much; all others must not */
	int sides;          /* GOLDEN_IN | GOLDEN_OUT; 0: both */
	uint8_t flags;      /* of TCP; 0: ACK */
};

/* A case, and one with members of its own: .sides, .flags. */
#define CASE(t, i, w, c)                                            \
	{                                                           \
		.title = (t), .in = (i), .want = (w), .counts = (c) \
	}
#define CASE_OF(t, i, w, c, ...)                                                 \
	{                                                                        \
		.title = (t), .in = (i), .want = (w), .counts = (c), __VA_ARGS__ \
	}
#define NCASES(cases) (int)(sizeof(cases) / sizeof((cases)[0]))

/* The case through every entry point, family, alignment (0..3 NOPs in front, as far as they fit), number of VLAN tags, IP options or extension headers,
 * and payload length. Returns the number of frames, or 0 (having said why) when one went wrong. */
int golden_case(const struct subject *s, const struct golden *g);

/* The same, with a line of TAP for each. */
void golden(const struct subject *s, const struct golden *cases, int n);

/* What no policy touches, and what ends a walk. The option is one that the policy would rewrite (if it rewrites any) to `want`, counting `counts`. */
void golden_common(const struct subject *s, const struct golden *g);

/* Frames cut off at every length, and frames of which only so much lies in the linear part. */
void golden_cut(const struct subject *s, const struct golden *g);

/* Makes p's IP header and what stands between it and TCP that of shape i; false: there is no such shape. */
bool golden_shape(int i, struct pkt_spec *p);

/* Of the frames of golden_case() and golden_cut() only each STRIDE-th is sent: an emulation takes its time. Default 1: all. */
bool golden_left_out(void);

/* One frame. Returns whether the program left want, and the counters said so; says why not. */
bool golden_one(const struct subject *s, enum entry e, const struct pkt_spec *in, const struct pkt_spec *want,
		const char *counts);

#endif
