/* SPDX-License-Identifier: GPL-2.0-only */
/* Frames that end early: nothing is read or written beyond them, and what comes out is what went in, or (the options being there in full) the beginning of
 * the frame that was wanted. */
#include <errno.h>
#include <string.h>
#include "../lib/tap.h"
#include "golden.h"

#define SHORTEST 14 /* bytes; the kernel runs no shorter frames */
#define TCP_FIXED 20
#define VLANS 3

static struct pkt sent, want;
static uint8_t got[RUN_ROOM];

static bool build(const struct golden *g, struct pkt_spec *spec, int nops)
{
	if (!pkt_opts(spec, nops, g->want ? g->want : g->in, 0))
		return false;
	pkt_build(spec, &want);
	if (!pkt_opts(spec, nops, g->in, 0))
		return false;
	pkt_build(spec, &sent);
	return true;
}

static bool nothing_counted(const struct subject *s)
{
	struct counters in, out;

	subject_counters(s, true, &in);
	subject_counters(s, false, &out);
	for (int i = 0; i < COUNTERS_ROOM; i++)
		if (in.n[i] || out.n[i])
			return false;
	return true;
}

static bool is_prefix(const struct pkt *of, size_t len, size_t outlen)
{
	return outlen == len && !memcmp(got, of->b, len);
}

/* A frame that the kernel itself will not run: no IP header in its first bytes. */
static bool refused(const struct pkt_spec *spec, int verdict, size_t bytes)
{
	return verdict == -EINVAL && bytes < sent.l3 + (spec->family == 4 ? 20 : 40);
}

/* Every prefix. One that does not hold all options is not even counted. */
static bool cut(const struct subject *s, enum entry e, const struct pkt_spec *spec)
{
	for (size_t len = SHORTEST; len <= sent.len; len++) {
		size_t outlen, options_end = sent.opts + spec->optlen;
		bool right;
		int verdict;

		if (golden_left_out())
			continue;
		subject_zero(s);
		verdict = subject_run(s, e, sent.b, len, 0, got, &outlen);
		if (refused(spec, verdict, len))
			continue;
		right = entry_passes(e, verdict);
		if (len < options_end)
			right = right && is_prefix(&sent, len, outlen) && nothing_counted(s);
		else if (len < sent.len)
			right = right && (is_prefix(&sent, len, outlen) || is_prefix(&want, len, outlen));
		else
			right = right && is_prefix(&want, len, outlen);
		if (!right) {
			tap_diag("%s_%s, IPv%d, %d VLANs: cut to %zu of %zu bytes: verdict %d, %zu bytes out", s->name,
				 entries[e].suffix, spec->family, spec->vlans, len, sent.len, verdict, outlen);
			return false;
		}
	}
	return true;
}

/* The whole frame, the first bytes of it in the linear part and the rest in a fragment. XDP needs the TCP header in the linear part; tc pulls it there. */
static bool split(const struct subject *s, enum entry e, const struct pkt_spec *spec)
{
	for (size_t linear = SHORTEST; linear <= sent.len; linear++) {
		size_t outlen;
		int verdict;
		bool right;

		if (golden_left_out())
			continue;
		verdict = subject_run(s, e, sent.b, sent.len, linear, got, &outlen);
		if (refused(spec, verdict, linear))
			continue;
		right = entry_passes(e, verdict) && is_prefix(&want, sent.len, outlen);
		if (!right && entries[e].xdp && linear < sent.l4 + TCP_FIXED + spec->optlen)
			right = entry_passes(e, verdict) && is_prefix(&sent, sent.len, outlen);
		if (!right) {
			tap_diag("%s_%s, IPv%d, %d VLANs: %zu of %zu bytes linear: verdict %d, %zu bytes out", s->name,
				 entries[e].suffix, spec->family, spec->vlans, linear, sent.len, verdict, outlen);
			return false;
		}
	}
	return true;
}

static bool every_shape(const struct subject *s, const struct golden *g, enum entry e, int payload,
			bool (*each)(const struct subject *s, enum entry e, const struct pkt_spec *spec))
{
	struct pkt_spec spec = { .bare = entries[e].bare, .flags = g->flags, .payload = payload };

	for (int shape = 0; golden_shape(shape, &spec); shape++) {
		pkt_flow(&spec, FLOW, false);
		for (spec.vlans = 0; spec.vlans < (spec.bare ? 1 : VLANS); spec.vlans++)
			for (int nops = 0; nops < 2; nops++)
				if (build(g, &spec, nops) && !each(s, e, &spec))
					return false;
	}
	return true;
}

void golden_cut(const struct subject *s, const struct golden *g)
{
	bool right = true;

	for (int e = 0; right && e < NENTRIES; e++)
		right = every_shape(s, g, e, 0, cut) && every_shape(s, g, e, 9, cut);
	tap_ok(right, "%s: frames cut off at every length", s->name);
	for (int e = 0; e < NENTRIES; e++) {
		if (!subject_can_split(s, e)) {
			tap_diag("%s_%s: this kernel's test runs have no frames in parts", s->name, entries[e].suffix);
			continue;
		}
		right = every_shape(s, g, e, 9, split) && every_shape(s, g, e, 1000, split);
		tap_ok(right, "%s_%s: frames in parts, split at every byte", s->name, entries[e].suffix);
	}
}
