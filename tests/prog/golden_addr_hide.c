/* SPDX-License-Identifier: GPL-2.0-only */
/* addr_hide: every ADD_ADDR of RFC 8684 section 3.4.1 and RFC 6824 section 3.4.1, under every tunable. */
#include <string.h>
#include "../lib/tap.h"
#include "golden.h"

#define DSS "1e 08 20 01 aa bb cc dd "
#define ADDR_AT 4 /* offset of the address in the option */
#define HEX_ROOM 256

/* The kinds of announcement; nibble: the one behind the subtype. RFC 8684: 1 is an echo. RFC 6824: the IP version. */
static const struct announcement {
	const char *title;
	int len, family, nibble;
	bool port, hmac, echo;
} announcements[] = {
	{ "IPv4", 16, 4, 0, false, true, false },
	{ "IPv4 and port", 18, 4, 0, true, true, false },
	{ "IPv6", 28, 6, 0, false, true, false },
	{ "IPv6 and port", 30, 6, 0, true, true, false },
	{ "IPv4, echo", 8, 4, 1, false, false, true },
	{ "IPv4 and port, echo", 10, 4, 1, true, false, true },
	{ "IPv6, echo", 20, 6, 1, false, false, true },
	{ "IPv6 and port, echo", 22, 6, 1, true, false, true },
	{ "IPv4 of RFC 6824", 8, 4, 4, false, false, false },
	{ "IPv4 and port of RFC 6824", 10, 4, 4, true, false, false },
	{ "IPv6 of RFC 6824", 20, 6, 6, false, false, false },
	{ "IPv6 and port of RFC 6824", 22, 6, 6, true, false, false },
};
#define NANNOUNCEMENTS (int)(sizeof(announcements) / sizeof(announcements[0]))

/* What a load sets, and what is hidden then. */
static const struct setting {
	const char *tunables;
	bool v4, v6, with_port, without_port, echo;
} settings[] = {
	{ "", true, true, true, true, false },
	{ "ipv4=0", false, true, true, true, false },
	{ "ipv6=0", true, false, true, true, false },
	{ "with_port=0", true, true, false, true, false },
	{ "without_port=0", true, true, true, false, false },
	{ "echo=1", true, true, true, true, true },
	{ "echo=1 ipv4=0 with_port=0", false, true, false, true, true },
	{ "echo=1 ipv4=0 ipv6=0", false, false, true, true, true },
	{ "echo=1 with_port=0 without_port=0", true, true, false, false, true },
};
#define NSETTINGS (int)(sizeof(settings) / sizeof(settings[0]))

static const struct golden others[] = {
	CASE("REMOVE_ADDR passes", "1e 05 40 02 03", NULL, ""),
	CASE("MP_CAPABLE passes", "1e 0c 01 81 11 22 33 44 55 66 77 88", NULL, ""),
	CASE("two IPv4, the first blanked, the second removed",
	     "1e 10 30 02 0a 4d 02 02 11 22 33 44 55 66 77 88 1e 10 30 03 0a 4d 03 02 11 22 33 44 55 66 77 88",
	     "1e 10 30 02 00 00 00 00 00 00 00 00 00 00 00 00 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01",
	     "rewritten=1 hidden=2"),
	CASE("IPv4, then a DSS", "1e 10 30 02 0a 4d 02 02 11 22 33 44 55 66 77 88 " DSS,
	     "1e 10 30 02 00 00 00 00 00 00 00 00 00 00 00 00 " DSS, "rewritten=1 hidden=1"),
	CASE("IPv4 behind a timestamp is still the first MPTCP option",
	     "01 01 08 0a 11 22 33 44 55 66 77 88 1e 10 30 02 0a 4d 02 02 11 22 33 44 55 66 77 88",
	     "01 01 08 0a 11 22 33 44 55 66 77 88 1e 10 30 02 00 00 00 00 00 00 00 00 00 00 00 00",
	     "rewritten=1 hidden=1"),
	CASE("an echo and an address", DSS "1e 08 31 02 0a 4d 02 02 1e 10 30 02 0a 4d 02 02 11 22 33 44 55 66 77 88",
	     DSS "1e 08 31 02 0a 4d 02 02 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01",
	     "rewritten=1 hidden=1 passed=1"),
};

/* Bytes of an ADD_ADDR behind `front`: as sent, as NOPs, or blanked from the address on. */
enum form { SENT, NOPS, BLANK };

static void option(const char *front, int len, int nibble, enum form form, char *hex)
{
	int n = snprintf(hex, HEX_ROOM, "%s", front);

	for (int i = 0; i < len; i++) {
		int b = i == 0 ? 0x1e : i == 1 ? len : i == 2 ? 0x30 | nibble : (0x81 + 5 * i) & 0xff;

		if (form == NOPS)
			b = 1;
		else if (form == BLANK && i >= ADDR_AT)
			b = 0;
		n += snprintf(hex + n, HEX_ROOM - n, "%02x ", b);
	}
}

static void announcement(const struct subject *s, const struct setting *set, const struct announcement *a, bool first)
{
	char in[HEX_ROOM], want[HEX_ROOM], title[HEX_ROOM];
	const char *front = first ? "" : DSS;
	bool hidden = (a->family == 4 ? set->v4 : set->v6) && (a->port ? set->with_port : set->without_port) &&
		      (!a->echo || set->echo);
	struct golden c = { .title = title, .in = in, .want = want, .counts = "passed=1" };
	enum form form = SENT;

	if (hidden) {
		form = first && a->hmac ? BLANK : NOPS;
		c.counts = a->echo ? "rewritten=1 echo_hidden=1" : "rewritten=1 hidden=1";
	}
	snprintf(title, sizeof(title), "%s%s: %s%s", set->tunables, *set->tunables ? "" : "defaults", a->title,
		 first ? "" : ", behind a DSS");
	option(front, a->len, a->nibble, SENT, in);
	option(front, a->len, a->nibble, form, want);
	golden(s, &c, 1);
}

/* Every other length; and an echo has no HMAC (RFC 8684: "the HMAC is omitted"). */
static void unknown_lengths(const struct subject *s)
{
	char in[HEX_ROOM], title[HEX_ROOM];
	struct golden c = { .title = title, .in = in, .counts = "unknown_length=1" };

	for (int len = 3; len <= PKT_OPTS_MAX; len++) {
		bool hmac = false, known = false;

		for (int i = 0; i < NANNOUNCEMENTS; i++) {
			known |= announcements[i].len == len;
			hmac |= announcements[i].len == len && announcements[i].hmac;
		}
		if (!known || hmac) {
			snprintf(title, sizeof(title), "length %d%s passes", len, hmac ? " with the echo flag" : "");
			option("", len, hmac, SENT, in);
			golden(s, &c, 1);
		}
	}
}

int main(void)
{
	static const struct golden template =
		CASE("", "1e 08 34 02 0a 4d 02 02", "01 01 01 01 01 01 01 01", "rewritten=1 hidden=1");
	static const struct golden blanked =
		CASE("", "1e 10 30 02 0a 4d 02 02 11 22 33 44 55 66 77 88",
		     "1e 10 30 02 00 00 00 00 00 00 00 00 00 00 00 00", "rewritten=1 hidden=1");
	struct subject s;

	for (int i = 0; i < NSETTINGS; i++) {
		subject_open(&s, "addr_hide", settings[i].tunables);
		for (int first = 0; first < 2; first++)
			for (int a = 0; a < NANNOUNCEMENTS; a++)
				announcement(&s, &settings[i], &announcements[a], first);
		subject_close(&s);
	}
	subject_open(&s, "addr_hide", "");
	golden(&s, others, NCASES(others));
	unknown_lengths(&s);
	golden_common(&s, &template);
	golden_common(&s, &blanked);
	subject_close(&s);
	return tap_done();
}
