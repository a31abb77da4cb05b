/* SPDX-License-Identifier: GPL-2.0-only */
/* opt_count: every subtype and every reset reason has its counter, and no frame changes. */
#include <string.h>
#include "../lib/tap.h"
#include "golden.h"

#define DSS "1e 08 20 01 aa bb cc dd "
#define HEX_ROOM 128
#define REASONS_KNOWN 7 /* 0..6: RFC 8684 section 3.6 */

/* IANA registry "MPTCP Option Subtypes", by number. */
static const char *const subtypes[] = {
	"mp_capable", "mp_join",      "dss",        "add_addr",        "remove_addr", "mp_prio",
	"mp_fail",    "mp_fastclose", "mp_tcprst",  "subtype_9",       "subtype_10",  "subtype_11",
	"subtype_12", "subtype_13",   "subtype_14", "mp_experimental",
};
#define NSUBTYPES (int)(sizeof(subtypes) / sizeof(subtypes[0]))

static const char *const reasons[REASONS_KNOWN] = {
	"rst_unspecified",      "rst_mptcp",       "rst_resources", "rst_prohibited",
	"rst_outstanding_data", "rst_performance", "rst_middlebox",
};

static const struct golden several[] = {
	CASE("several in a segment", DSS "1e 03 51 1e 04 50 02 1e 08 31 02 0a 4d 02 02", NULL,
	     "dss=1 mp_prio=2 add_addr=1"),
	CASE("thirteen of the shortest",
	     "1e 03 50 1e 03 50 1e 03 50 1e 03 50 1e 03 50 1e 03 50 1e 03 50 1e 03 50 1e 03 50 1e 03 50 1e 03 50 1e 03 50 1e 03 50",
	     NULL, "mp_prio=13"),
	CASE_OF("two resets", "1e 04 80 01 1e 04 81 63", NULL, "mp_tcprst=2 rst_mptcp=1 rst_unknown=1", .flags = TCP_RST),
	CASE_OF("a reset without a reason", "1e 03 80", NULL, "mp_tcprst=1", .flags = TCP_RST),
	CASE_OF("a reset longer than is known", "1e 05 80 01 01", NULL, "mp_tcprst=1", .flags = TCP_RST),
	CASE_OF("MP_CAPABLE of a SYN", "02 04 05 b4 1e 04 01 81", NULL, "mp_capable=1", .flags = TCP_SYN),
};

static void by_subtype(const struct subject *s)
{
	char in[HEX_ROOM], title[HEX_ROOM], counts[HEX_ROOM];
	struct golden c = { .title = title, .in = in, .counts = counts };

	for (int i = 0; i < NSUBTYPES; i++) {
		snprintf(title, sizeof(title), "subtype %d, alone", i);
		snprintf(in, sizeof(in), "1e 03 %02x", i << 4 | 0x0b);
		snprintf(counts, sizeof(counts), "%s=1", subtypes[i]);
		golden(s, &c, 1);
		snprintf(title, sizeof(title), "subtype %d, behind a DSS", i);
		snprintf(in, sizeof(in), DSS "1e 0c %02x 01 02 03 04 05 06 07 08 09", i << 4);
		snprintf(counts, sizeof(counts), "dss=1 %s=1", subtypes[i]);
		golden(s, &c, 1);
	}
}

static void by_reason(const struct subject *s)
{
	char in[HEX_ROOM], counts[HEX_ROOM];
	struct golden c = { .in = in, .counts = counts, .flags = TCP_RST };
	bool right = true;

	for (int i = 0; i < 256; i++) {
		const char *name = i < REASONS_KNOWN ? reasons[i] : "rst_unknown";

		snprintf(in, sizeof(in), "1e 04 8%x %02x", i & 1, i); /* the flag T is no part of it */
		snprintf(counts, sizeof(counts), "mp_tcprst=1 %s=1", name);
		right = right && golden_case(s, &c);
		if (i < REASONS_KNOWN || i == 255)
			tap_ok(right, "%s: reset reason %d%s: %s", s->name, i < REASONS_KNOWN ? i : REASONS_KNOWN,
			       i == 255 ? "..255" : "", name);
	}
}

int main(void)
{
	static const struct golden template = CASE("", "1e 03 51", NULL, "mp_prio=1");
	struct subject s;

	subject_open(&s, "opt_count", "");
	by_subtype(&s);
	by_reason(&s);
	golden(&s, several, NCASES(several));
	golden_common(&s, &template);
	subject_close(&s);
	return tap_done();
}
