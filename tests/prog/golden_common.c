/* SPDX-License-Identifier: GPL-2.0-only */
/* What holds for every option policy, shown with one option that it handles. */
#include <stdio.h>
#include <string.h>
#include "../lib/tap.h"
#include "golden.h"

#define ETH_BYTES 14
#define ICMP 1
#define SCTP 132
#define ICMP6 58
#define DEST 60
#define EXT_WALKED 8       /* IPv6 extension headers that the product follows */
#define HEADERS_WALKED 384 /* bytes of a frame within which the TCP header must begin */
#define HEX_ROOM 256

static const char ts_only[] = "01 01 08 0a 11 22 33 44 55 66 77 88";

/* The frames of a case in one shape, before and after; a test changes both. */
struct pair {
	struct pkt_spec in, want;
};

static struct pair plain(const struct golden *g, enum entry e, int family)
{
	struct pair p = { .in = { .family = family, .bare = entries[e].bare, .flags = g->flags } };

	pkt_flow(&p.in, FLOW, false);
	p.want = p.in;
	if (!pkt_opts(&p.in, 1, g->in, 0) || !pkt_opts(&p.want, 1, g->want ? g->want : g->in, 0))
		tap_bail("'%s' are no options", g->in);
	return p;
}

/* Runs each() for every entry point and both families, as one line of TAP. */
static void everywhere(const struct subject *s, const struct golden *g, const char *title,
		       bool (*each)(const struct subject *s, const struct golden *g, enum entry e, int family))
{
	bool right = true;

	for (int e = 0; right && e < NENTRIES; e++)
		right = each(s, g, e, 4) && each(s, g, e, 6);
	tap_ok(right, "%s: %s", s->name, title);
}

static bool untouched(const struct subject *s, enum entry e, const struct pkt_spec *in)
{
	return golden_one(s, e, in, in, "");
}

static bool fragments(const struct subject *s, const struct golden *g, enum entry e, int family)
{
	struct pair p = plain(g, e, family);

	p.in.payload = 96;
	for (int frag = FRAG_FIRST; frag <= (family == 4 ? FRAG_LATER : FRAG_ATOMIC); frag++) {
		p.in.frag = frag;
		if (!untouched(s, e, &p.in))
			return false;
	}
	return true;
}

static bool other_protocols(const struct subject *s, const struct golden *g, enum entry e, int family)
{
	static const uint8_t protos[] = { PKT_UDP, ICMP, ICMP6, SCTP, 255 };
	struct pair p = plain(g, e, family);

	for (size_t i = 0; i < sizeof(protos); i++) {
		p.in.proto = protos[i];
		if (!untouched(s, e, &p.in))
			return false;
	}
	p.in.proto = 0;
	p.in.optlen = 0;
	return untouched(s, e, &p.in);
}

static bool three_tags(const struct subject *s, const struct golden *g, enum entry e, int family)
{
	struct pair p = plain(g, e, family);

	p.in.vlans = 3;
	return entries[e].bare || untouched(s, e, &p.in);
}

/* A frame whose byte `at` has the value v: what comes out is what went in. */
static bool byte_untouched(const struct subject *s, enum entry e, const struct pkt_spec *in, size_t at, uint8_t v)
{
	static struct pkt p;
	static uint8_t got[RUN_ROOM];
	struct counters c[2];
	size_t len;
	int verdict;

	pkt_build(in, &p);
	p.b[at] = v;
	subject_zero(s);
	verdict = subject_run(s, e, p.b, p.len, 0, got, &len);
	subject_counters(s, true, &c[0]);
	subject_counters(s, false, &c[1]);
	for (int i = 0; i < COUNTERS_ROOM; i++)
		if (c[0].n[i] || c[1].n[i])
			verdict = -1000;
	if (entry_passes(e, verdict) && len == p.len && !memcmp(got, p.b, len))
		return true;
	tap_diag("%s_%s, IPv%d, byte %zu = 0x%02x: changed, counted, or verdict %d", s->name, entries[e].suffix,
		 in->family, at, v, verdict);
	return false;
}

static bool other_types(const struct subject *s, const struct golden *g, enum entry e, int family)
{
	struct pair p = plain(g, e, family);
	size_t l3 = entries[e].bare ? 0 : ETH_BYTES;

	if (!entries[e].bare &&
	    (!byte_untouched(s, e, &p.in, ETH_BYTES - 1, 0x06) || !byte_untouched(s, e, &p.in, ETH_BYTES - 2, 0x05)))
		return false;
	return byte_untouched(s, e, &p.in, l3, 0x55) && byte_untouched(s, e, &p.in, l3, 0x05);
}

/* A data offset below the header's minimum, or one that makes the options longer than the segment. */
static bool data_offset(const struct subject *s, const struct golden *g, enum entry e, int family)
{
	struct pair p = plain(g, e, family);
	size_t at = (entries[e].bare ? 0 : ETH_BYTES) + (family == 4 ? 20 : 40) + 12;

	p.in.payload = 4;
	return byte_untouched(s, e, &p.in, at, 0x00) && byte_untouched(s, e, &p.in, at, 0x40) &&
	       byte_untouched(s, e, &p.in, at, 0x50) && byte_untouched(s, e, &p.in, at, 0xf0);
}

/* Lengths in the IP header that do not even hold the TCP header, whatever else they are. */
static bool short_lengths(const struct subject *s, const struct golden *g, enum entry e, int family)
{
	struct pair p = plain(g, e, family);
	int header = 20 + p.in.optlen, ip = family == 4 ? 20 : 16;

	if (family == 6) {
		p.in.next = 1;
		p.in.ext[0] = (struct pkt_ext){ DEST, 16 };
	}
	p.in.payload = 4;
	for (p.in.short_by = 4 + 1; p.in.short_by < 4 + header + ip; p.in.short_by++) {
		if (!untouched(s, e, &p.in)) {
			tap_diag("the IP header's length is %d bytes less than up to the end of the TCP header",
				 p.in.short_by - 4);
			return false;
		}
	}
	return true;
}

static bool no_length(const struct subject *s, const struct golden *g, enum entry e, int family)
{
	struct pair p = plain(g, e, family);

	for (int big = 0; big < (entries[e].xdp ? 2 : 1); big++) {
		for (int csum = CSUM_FULL; csum <= (entries[e].xdp ? CSUM_PARTIAL : CSUM_FULL); csum++) {
			p.in.no_length = p.want.no_length = true;
			p.in.payload = p.want.payload = big ? 70000 : 1000;
			p.in.csum = p.want.csum = csum;
			if (!golden_one(s, e, &p.in, &p.want, g->counts))
				return false;
		}
	}
	return true;
}

static bool padding(const struct subject *s, const struct golden *g, enum entry e, int family)
{
	struct pair p = plain(g, e, family);

	for (int csum = CSUM_FULL; csum <= (entries[e].xdp ? CSUM_PARTIAL : CSUM_FULL); csum++) {
		p.in.csum = p.want.csum = csum;
		for (p.in.trailer = 1; p.in.trailer < 8; p.in.trailer++) {
			p.want.trailer = p.in.trailer;
			if (!golden_one(s, e, &p.in, &p.want, g->counts))
				return false;
		}
	}
	return true;
}

/* In XDP a field that holds the pseudo-header sum stays; with an odd and with a long payload. */
static bool partial(const struct subject *s, const struct golden *g, enum entry e, int family)
{
	static const int lengths[] = { 0, 1, 63, 64, 65, 1001, 9000, 60001 };
	struct pair p = plain(g, e, family);

	for (size_t i = 0; entries[e].xdp && i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		p.in.csum = p.want.csum = CSUM_PARTIAL;
		p.in.payload = p.want.payload = lengths[i];
		if (!golden_one(s, e, &p.in, &p.want, g->counts))
			return false;
	}
	return true;
}

/* The checksum is that of the final destination, which stands in the routing header (RFC 8200 section 8.1). */
static bool source_route(const struct subject *s, const struct golden *g, enum entry e, int family)
{
	struct pair p = plain(g, e, family);

	p.in.via = p.want.via = true;
	return family == 4 || golden_one(s, e, &p.in, &p.want, g->counts);
}

static bool many_extensions(const struct subject *s, const struct golden *g, enum entry e, int family)
{
	struct pair p = plain(g, e, family);

	for (int i = 0; i < PKT_EXT_MAX; i++)
		p.in.ext[i] = p.want.ext[i] = (struct pkt_ext){ DEST, 8 };
	p.in.next = p.want.next = EXT_WALKED;
	if (family == 4)
		return true;
	if (!golden_one(s, e, &p.in, &p.want, g->counts))
		return false;
	p.in.next++;
	return untouched(s, e, &p.in);
}

static bool long_extensions(const struct subject *s, const struct golden *g, enum entry e, int family)
{
	struct pair p = plain(g, e, family);
	int before = (entries[e].bare ? 0 : ETH_BYTES) + 40 + 8;

	p.in.next = p.want.next = 2;
	p.in.ext[0] = p.want.ext[0] = (struct pkt_ext){ DEST, 8 };
	p.in.ext[1] = p.want.ext[1] = (struct pkt_ext){ DEST, (HEADERS_WALKED - before) / 8 * 8 };
	if (family == 4)
		return true;
	if (!golden_one(s, e, &p.in, &p.want, g->counts))
		return false;
	p.in.ext[1].len += 8;
	return untouched(s, e, &p.in);
}

/* The option at the very end of a 60-byte header, and alone in the shortest. */
static void at_the_end(const struct subject *s, const struct golden *g)
{
	struct pkt_spec probe = { .family = 4 };
	char in[HEX_ROOM], want[HEX_ROOM], front[HEX_ROOM] = "";
	struct golden full = *g;
	int bytes = 0;

	for (const char *c = g->in; *c; c++)
		bytes += *c != ' ';
	bytes /= 2;
	for (int i = 0; i < PKT_OPTS_MAX - bytes; i++)
		strcat(front, "01 ");
	snprintf(in, sizeof(in), "%s%s", front, g->in);
	snprintf(want, sizeof(want), "%s%s", front, g->want ? g->want : g->in);
	full.in = in;
	full.want = want;
	full.title = "at the very end of a 60-byte header";
	if (!pkt_opts(&probe, 0, in, 0) || probe.optlen != PKT_OPTS_MAX)
		tap_bail("'%s' does not fill the header", in);
	golden(s, &full, 1);
}

/* A malformed option ends the walk: what stands before it was handled, what stands behind it is not looked at. */
static void malformed(const struct subject *s, const struct golden *g)
{
	static const struct {
		const char *hex, *what;
	} bad[] = {
		{ "1e 00", "MPTCP of length 0" },
		{ "1e 01", "MPTCP of length 1" },
		{ "1e 02", "MPTCP without a subtype (length 2)" },
		{ "1e 29 50", "MPTCP of length 41, beyond the header" },
		{ "1e ff 50", "MPTCP of length 255" },
		{ "08 00", "another kind of length 0" },
		{ "08 01", "another kind of length 1" },
		{ "fe 28", "another kind of length 40, beyond the header" },
	};
	char in[HEX_ROOM], want[HEX_ROOM], title[HEX_ROOM], counts[HEX_ROOM];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct golden c = { .title = title, .in = in, .counts = "malformed=1", .flags = g->flags };

		snprintf(title, sizeof(title), "%s hides what is behind it", bad[i].what);
		snprintf(in, sizeof(in), "01 %s %s", bad[i].hex, g->in);
		golden(s, &c, 1);
		snprintf(title, sizeof(title), "%s leaves what is before it", bad[i].what);
		snprintf(in, sizeof(in), "%s %s", g->in, bad[i].hex);
		snprintf(want, sizeof(want), "%s %s", g->want ? g->want : g->in, bad[i].hex);
		snprintf(counts, sizeof(counts), "%s malformed=1", g->counts);
		c.want = want;
		c.counts = counts;
		golden(s, &c, 1);
	}
}

static bool kind_without_length(const struct subject *s, const struct golden *g, enum entry e, int family)
{
	struct pair p = plain(g, e, family);

	for (int kind = 2; kind < 256; kind++) {
		p.in.optlen = 4;
		memset(p.in.opts, 1, 3);
		p.in.opts[3] = kind;
		if (!golden_one(s, e, &p.in, &p.in, "malformed=1"))
			return false;
	}
	return true;
}

void golden_common(const struct subject *s, const struct golden *g)
{
	char eol[HEX_ROOM], behind[HEX_ROOM], behind_want[HEX_ROOM];
	const struct golden cases[] = {
		{ .title = "nothing but a timestamp", .in = ts_only, .counts = "" },
		{ .title = "other options only",
		  .in = "02 04 05 b4 04 02 03 03 07 05 0a 11 22 33 44 55 66 77 88",
		  .counts = "" },
		{ .title = "behind EOL", .in = eol, .counts = "" },
		{ .title = "behind a timestamp and a SACK",
		  .in = behind,
		  .want = behind_want,
		  .counts = g->counts,
		  .flags = g->flags },
	};

	snprintf(eol, sizeof(eol), "01 00 %s", g->in);
	snprintf(behind, sizeof(behind), "08 0a 11 22 33 44 55 66 77 88 05 0a 11 22 33 44 55 66 77 88 %s", g->in);
	snprintf(behind_want, sizeof(behind_want), "08 0a 11 22 33 44 55 66 77 88 05 0a 11 22 33 44 55 66 77 88 %s",
		 g->want ? g->want : g->in);
	golden(s, cases, sizeof(cases) / sizeof(cases[0]));
	at_the_end(s, g);
	malformed(s, g);
	everywhere(s, g, "a kind in the last byte, without a length", kind_without_length);
	everywhere(s, g, "fragments are untouched", fragments);
	everywhere(s, g, "other protocols, and TCP without options, are untouched", other_protocols);
	everywhere(s, g, "other EtherTypes and IP versions, and an IHL below 5, are untouched", other_types);
	everywhere(s, g, "three VLAN tags are untouched", three_tags);
	everywhere(s, g, "a data offset below 5 or beyond the segment is untouched", data_offset);
	everywhere(s, g, "an IP length too short for the TCP header is untouched", short_lengths);
	everywhere(s, g, "an IP length of 0 (BIG TCP), to 70,000 bytes in XDP", no_length);
	everywhere(s, g, "Ethernet's padding is left alone", padding);
	everywhere(s, g, "a half-done checksum is left alone in XDP", partial);
	everywhere(s, g, "IPv6 on a source route", source_route);
	everywhere(s, g, "8 extension headers, and 9 untouched", many_extensions);
	golden_cut(s, g);
	everywhere(s, g, "TCP within 384 bytes, and beyond untouched", long_extensions);
}
