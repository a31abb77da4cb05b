/* SPDX-License-Identifier: GPL-2.0-only */
/* Random valid segments through every policy that rewrites: whatever it does, the checksum that comes out is right, by a sum over the whole segment, and
 * nothing but the options and the checksum has changed. PACKETS per program and direction (default 100,000); SEED as printed. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "../lib/tap.h"
#include "packet.h"
#include "prog_run.h"
#include "random.h"

#define PACKETS_DEFAULT 100000
#define SHARE_MIN 50 /* percent of the packets that must be rewritten, or the test shows little */
#define WRONG_SHOWN 3

/* What the checksum field holds. */
enum field {
	FIELD_FULL,    /* the checksum */
	FIELD_PARTIAL, /* the pseudo-header sum, for the device to complete: stays as it is */
	FIELD_TWIN,    /* the checksum, which equals the pseudo-header sum by chance: is mended */
};

struct tally {
	long packets, rewritten, wrong;
};

static struct pkt sent;
static uint8_t got[RUN_ROOM];

/* Chooses the source address so that the folded pseudo-header sum is 0xffff, which is also 0. */
static void make_pseudo_zero(struct pkt_spec *p)
{
	uint32_t word;

	pkt_build(p, &sent);
	word = pkt_fold((p->src[2] << 8 | p->src[3]) + 0xffff - pkt_pseudo(&sent));
	p->src[2] = word >> 8;
	p->src[3] = word;
}

/* Chooses the window so that the checksum equals the folded pseudo-header sum. */
static void make_twin(struct pkt_spec *p)
{
	p->window = 0;
	p->csum = CSUM_PARTIAL;
	pkt_build(p, &sent);
	p->window = 0xffff - pkt_fold(pkt_pseudo(&sent) + pkt_words(sent.b + sent.l4, sent.seg));
	pkt_build(p, &sent);
	if (!pkt_valid(&sent, sent.b) || pkt_csum(&sent, sent.b) != pkt_pseudo(&sent))
		tap_bail("a crafted checksum is not what it should be");
	p->csum = CSUM_FULL;
}

/* Builds the next frame in `sent`. */
static void next_frame(struct rng *r, const struct flavour *f, enum entry e, enum field field)
{
	struct pkt_spec p;

	do {
		random_spec(r, f, e, &p);
		if (!rng_below(r, 16))
			make_pseudo_zero(&p);
		if (field == FIELD_TWIN)
			make_twin(&p);
		else if (field == FIELD_PARTIAL)
			p.csum = CSUM_PARTIAL;
		else if (!rng_below(r, 4))
			p.csum = CSUM_MINUS0;
		pkt_build(&p, &sent);
		if (field == FIELD_TWIN && pkt_pseudo(&sent) == 0xffff && rng_below(r, 2)) { /* the other zero */
			sent.b[sent.l4 + 16] ^= 0xff;
			sent.b[sent.l4 + 17] ^= 0xff;
		}
	} while (field == FIELD_PARTIAL &&
		 pkt_valid(&sent, sent.b)); /* one in 65,535 is a checksum by chance: nobody can tell */
}

/* Is everything but the options and the checksum as it was sent? */
static bool rest_is_same(size_t len)
{
	size_t csum = sent.l4 + 16, options_end = sent.l4 + (sent.b[sent.l4 + 12] >> 4) * 4;

	return len == sent.len && !memcmp(got, sent.b, csum) &&
	       !memcmp(got + csum + 2, sent.b + csum + 2, sent.opts - csum - 2) &&
	       !memcmp(got + options_end, sent.b + options_end, len - options_end);
}

static bool came_out_right(enum entry e, enum field field, int verdict, size_t len)
{
	if (!entry_passes(e, verdict) || !rest_is_same(len))
		return false;
	if (field == FIELD_PARTIAL)
		return pkt_csum(&sent, got) == pkt_csum(&sent, sent.b);
	return pkt_valid(&sent, got);
}

static void show(const struct subject *s, enum entry e, int verdict, size_t len)
{
	char hex[3 * 60 + 1] = "";
	size_t header = (sent.b[sent.l4 + 12] >> 4) * 4;

	tap_diag("%s_%s: verdict %d, %zu bytes in, %zu out, pseudo-header sum %04x, TCP header in and out:", s->name,
		 entries[e].suffix, verdict, sent.len, len, pkt_pseudo(&sent));
	for (int out = 0; out < 2; out++) {
		for (size_t i = 0; i < header; i++)
			snprintf(hex + 3 * i, 4, "%02x ", (out ? got : sent.b)[sent.l4 + i]);
		tap_diag("%s", hex);
	}
}

static void run(const struct subject *s, struct rng *r, const struct flavour *f, enum entry e, enum field field,
		struct tally *t)
{
	size_t len;
	int verdict;

	next_frame(r, f, e, field);
	verdict = subject_run(s, e, sent.b, sent.len, 0, got, &len);
	t->packets++;
	t->rewritten += len == sent.len && memcmp(got, sent.b, len);
	if (!came_out_right(e, field, verdict, len) && t->wrong++ < WRONG_SHOWN)
		show(s, e, verdict, len);
}

static uint64_t counter(const struct subject *s, bool in, const char *pair)
{
	struct counters which, got_now;
	uint64_t n = 0;

	counters_parse(s, pair, &which);
	subject_counters(s, in, &got_now);
	for (int i = 0; i < COUNTERS_ROOM; i++)
		n += which.n[i] * got_now.n[i];
	return n;
}

static void batch(const struct subject *s, struct rng *r, const struct flavour *f, enum entry e, enum field field,
		  long packets, const char *title)
{
	enum entry bare = e + ENTRY_IN3 - ENTRY_IN;
	struct tally t = { 0 };
	long share, counted, failures;

	subject_zero(s);
	while (t.packets < packets)
		run(s, r, f, rng_below(r, 4) ? e : bare, field, &t);
	share = t.packets ? 100 * t.rewritten / t.packets : 0;
	counted = counter(s, entries[e].in, "rewritten=1");
	failures = counter(s, entries[e].in, "malformed=1 unwritable=1 dropped=1");
	tap_diag("%ld packets, %ld rewritten, %ld wrong", t.packets, t.rewritten, t.wrong);
	tap_ok(!t.wrong && share >= SHARE_MIN && counted == t.rewritten && !failures,
	       "%s %s_%s: %s (%ld %% rewritten, %ld counted, %ld refused)", f->tunables, s->name, entries[e].suffix,
	       title, share, counted, failures);
}

static void flavour(const struct flavour *f, struct rng *r, long packets)
{
	struct subject s;
	bool complete;

	subject_open(&s, f->policy, f->tunables);
	random_knowledge(r, &s);
	complete = subject_complete(&s);
	for (int e = ENTRY_IN; e <= ENTRY_XDP; e++)
		batch(&s, r, f, e, FIELD_FULL, packets,
		      complete && !entries[e].xdp ? "checksum, and the device's sum" : "checksum");
	batch(&s, r, f, ENTRY_XDP, FIELD_PARTIAL, packets, "half-done checksum");
	batch(&s, r, f, ENTRY_XDP, FIELD_TWIN, packets, "checksum that equals the pseudo-header sum");
	subject_close(&s);
}

/* The verifier itself: the example of RFC 1071 section 3, and that a flipped bit is seen. */
static void verifier(void)
{
	static const uint8_t example[] = { 0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7 };
	struct pkt_spec p = { .family = 4, .payload = 101 };
	bool seen = true;

	tap_ok(pkt_fold(pkt_words(example, sizeof(example))) == 0xddf2, "the sum of RFC 1071's example");
	for (p.family = 4; p.family <= 6; p.family += 2) {
		pkt_flow(&p, 1, false);
		pkt_build(&p, &sent);
		seen = seen && pkt_valid(&sent, sent.b);
		for (size_t bit = 0; bit < 8 * sent.seg; bit++) {
			sent.b[sent.l4 + bit / 8] ^= 1 << bit % 8;
			seen = seen && !pkt_valid(&sent, sent.b);
			sent.b[sent.l4 + bit / 8] ^= 1 << bit % 8;
		}
	}
	tap_ok(seen, "a valid segment is valid, and is not with any bit of it flipped");
}

int main(void)
{
	const char *seed_word = getenv("SEED"), *packets_word = getenv("PACKETS");
	uint64_t seed = seed_word ? strtoull(seed_word, NULL, 0) : (uint64_t)time(NULL);
	long packets = packets_word ? strtol(packets_word, NULL, 0) : PACKETS_DEFAULT;
	struct rng r = { .s = seed ? seed * 0x9e3779b97f4a7c15ULL : 1 };

	if (packets < 1)
		tap_bail("PACKETS=%s is no number of packets", packets_word);
	tap_diag("SEED=%llu PACKETS=%ld", (unsigned long long)seed, packets);
	verifier();
	for (int i = 0; i < nflavours; i++)
		flavour(&flavours[i], &r, packets);
	return tap_done();
}
