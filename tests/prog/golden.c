/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "../lib/tap.h"
#include "golden.h"

#define HOP 0
#define ROUTE 43
#define AUTH 51
#define DEST 60

/* What stands between the IP header and TCP. */
static const struct between {
	int family, ip_opts, next;
	struct pkt_ext ext[4];
} betweens[] = {
	{ .family = 4 },
	{ .family = 4, .ip_opts = 4 },
	{ .family = 4, .ip_opts = 40 },
	{ .family = 6 },
	{ .family = 6, .next = 1, .ext = { { HOP, 8 } } },
	{ .family = 6, .next = 1, .ext = { { ROUTE, 24 } } },
	{ .family = 6, .next = 1, .ext = { { DEST, 16 } } },
	{ .family = 6, .next = 1, .ext = { { AUTH, 24 } } },
	{ .family = 6, .next = 4, .ext = { { HOP, 8 }, { DEST, 24 }, { ROUTE, 24 }, { AUTH, 28 } } },
};
#define NBETWEENS (int)(sizeof(betweens) / sizeof(betweens[0]))

static const int payloads[] = { 0, 1, 1000 };
#define NPAYLOADS (int)(sizeof(payloads) / sizeof(payloads[0]))
#define VLANS 3
#define ALIGNMENTS 4

static void hex_diag(const char *what, const uint8_t *b, size_t n)
{
	char line[3 * 128 + 1];

	if (n > 128)
		n = 128;
	for (size_t i = 0; i < n; i++)
		snprintf(line + 3 * i, 4, "%02x ", b[i]);
	tap_diag("%-5s %s", what, n ? line : "nothing");
}

static void explain(const struct subject *s, enum entry e, const struct pkt_spec *in, const struct pkt *sent,
		    const struct pkt *want, const uint8_t *got, size_t len, int verdict)
{
	size_t n = len > want->l4 ? len - want->l4 : 0;

	tap_diag("%s_%s: IPv%d, %d VLANs, %d bytes of IP options, %d extension headers, %d of payload: verdict %d, %zu bytes, wanted %zu",
		 s->name, entries[e].suffix, in->family, in->vlans, in->ip_opts, in->next, in->payload, verdict, len,
		 want->len);
	hex_diag("sent", sent->b + sent->l4, sent->len - sent->l4);
	hex_diag("want", want->b + want->l4, want->len - want->l4);
	hex_diag("got", got + want->l4, n);
}

static bool counters_are(const struct subject *s, bool in, const char *counts)
{
	static const struct counters none;
	struct counters want, got, other;

	counters_parse(s, counts, &want);
	subject_counters(s, in, &got);
	subject_counters(s, !in, &other);
	if (!memcmp(&got, &want, sizeof(got)) && !memcmp(&other, &none, sizeof(other)))
		return true;
	counters_diag(s, "counters, want", &want);
	counters_diag(s, "counters, got", &got);
	counters_diag(s, "of the other direction, got", &other);
	return false;
}

bool golden_one(const struct subject *s, enum entry e, const struct pkt_spec *in, const struct pkt_spec *want,
		const char *counts)
{
	static struct pkt sent, wanted;
	static uint8_t got[RUN_ROOM];
	size_t len;
	int verdict;
	bool same;

	pkt_build(in, &sent);
	pkt_build(want, &wanted);
	subject_zero(s);
	verdict = subject_run(s, e, sent.b, sent.len, 0, got, &len);
	same = entry_passes(e, verdict) && len == wanted.len && !memcmp(got, wanted.b, len);
	if (!same || !counters_are(s, entries[e].in, counts)) {
		explain(s, e, in, &sent, &wanted, got, len, verdict);
		return false;
	}
	return true;
}

bool golden_shape(int i, struct pkt_spec *p)
{
	if (i >= NBETWEENS)
		return false;
	p->family = betweens[i].family;
	p->ip_opts = betweens[i].ip_opts;
	p->next = betweens[i].next;
	memcpy(p->ext, betweens[i].ext, sizeof(betweens[i].ext));
	return true;
}

/* Both frames of a case. Returns false where the options do not fit with so many NOPs in front. */
static bool frames(const struct golden *g, enum entry e, int nops, int shape, struct pkt_spec *in, struct pkt_spec *want)
{
	memset(in, 0, sizeof(*in));
	in->bare = entries[e].bare;
	in->flags = g->flags;
	golden_shape(shape, in);
	pkt_flow(in, FLOW, false);
	*want = *in;
	return pkt_opts(in, nops, g->in, 0) && pkt_opts(want, nops, g->want ? g->want : g->in, 0);
}

static bool entry_is_of(enum entry e, int sides)
{
	return !sides || sides & (entries[e].in ? GOLDEN_IN : GOLDEN_OUT);
}

bool golden_left_out(void)
{
	static long stride, seen;
	const char *word = getenv("STRIDE");

	if (!stride)
		stride = word ? strtol(word, NULL, 0) : 1;
	if (stride < 1)
		tap_bail("STRIDE=%s is no number of frames", word);
	return seen++ % stride;
}

/* Returns how many frames went right, or -1 at the first that did not. */
static int matrix(const struct subject *s, enum entry e, const struct golden *g, int shape)
{
	struct pkt_spec in, want;
	int n = 0;

	for (int nops = 0; nops < ALIGNMENTS && frames(g, e, nops, shape, &in, &want); nops++) {
		for (int vlans = 0; vlans < (entries[e].bare ? 1 : VLANS); vlans++) {
			for (int i = 0; i < NPAYLOADS; i++) {
				in.vlans = want.vlans = vlans;
				in.payload = want.payload = payloads[i];
				if (golden_left_out())
					continue;
				if (!golden_one(s, e, &in, &want, g->counts))
					return -1;
				n++;
			}
		}
	}
	return n;
}

int golden_case(const struct subject *s, const struct golden *g)
{
	int frames_right = 0;

	for (int e = 0; e < NENTRIES; e++) {
		for (int shape = 0; entry_is_of(e, g->sides) && shape < NBETWEENS; shape++) {
			int n = matrix(s, e, g, shape);

			if (n < 0)
				return 0;
			frames_right += n;
		}
	}
	return frames_right;
}

void golden(const struct subject *s, const struct golden *cases, int n)
{
	for (int i = 0; i < n; i++) {
		int frames_right = golden_case(s, &cases[i]);

		tap_ok(frames_right, "%s: %s (%d frames)", s->name, cases[i].title, frames_right);
	}
}
