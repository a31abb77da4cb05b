/* SPDX-License-Identifier: GPL-2.0-only */
/* prio_strip: an ID of the carrying subflow is taken out, any other takes the option with it. Who knows the ID: the host's own subflows (whose key has the
 * local end first: on ingress that is the destination, and the sender's ID is the remote one), or what passed in a handshake. */
#include <string.h>
#include "../lib/tap.h"
#include "golden.h"

#define DSS "1e 08 20 01 aa bb cc dd"
#define TS "01 01 08 0a 11 22 33 44 55 66 77 88"
#define LOCAL 3
#define REMOTE 9
#define LEARNED 5

#define OWN "rewritten=1 stripped=1"
#define OTHER "rewritten=1 removed_other_id=1"
#define UNKNOWN "rewritten=1 removed_unknown_id=1"

static const struct golden unknown[] = {
	CASE("no ID is known", "1e 04 51 00", "01 01 01 01", UNKNOWN),
	CASE("no ID is known: 255", "1e 04 50 ff", "01 01 01 01", UNKNOWN),
	CASE("no ID is known: two, behind a DSS", DSS " 1e 04 51 00 1e 04 50 01", DSS " 01 01 01 01 01 01 01 01",
	     "rewritten=1 removed_unknown_id=2"),
	CASE("length 3 is the newer form already", "1e 03 51", NULL, ""),
	CASE("length 3 behind a DSS", DSS " 1e 03 50", NULL, ""),
	CASE("length 5 is no MP_PRIO of any RFC", "1e 05 51 00 00", NULL, ""),
};

static const struct golden in_known[] = {
	CASE_OF("in: the sender's ID", "1e 04 51 09", "1e 03 51 01", OWN, .sides = GOLDEN_IN),
	CASE_OF("in: the sender's ID, not backup", "1e 04 50 09", "1e 03 50 01", OWN, .sides = GOLDEN_IN),
	CASE_OF("in: the receiver's ID", "1e 04 51 03", "01 01 01 01", OTHER, .sides = GOLDEN_IN),
	CASE_OF("in: nobody's ID", "1e 04 51 00", "01 01 01 01", OTHER, .sides = GOLDEN_IN),
	CASE_OF("in: behind a timestamp and a DSS", TS " " DSS " 1e 04 51 09", TS " " DSS " 1e 03 51 01", OWN,
		.sides = GOLDEN_IN),
	CASE_OF("in: own, newer form, other", "1e 04 51 09 1e 03 50 1e 04 50 04", "1e 03 51 01 1e 03 50 01 01 01 01",
		"rewritten=1 stripped=1 removed_other_id=1", .sides = GOLDEN_IN),
};

static const struct golden out_known[] = {
	CASE_OF("out: the sender's ID", "1e 04 51 03", "1e 03 51 01", OWN, .sides = GOLDEN_OUT),
	CASE_OF("out: the receiver's ID", "1e 04 51 09", "01 01 01 01", OTHER, .sides = GOLDEN_OUT),
	CASE_OF("out: nobody's ID", "1e 04 50 00", "01 01 01 01", OTHER, .sides = GOLDEN_OUT),
	CASE_OF("out: behind a DSS, twice", DSS " 1e 04 51 03 1e 04 50 03", DSS " 1e 03 51 01 1e 03 50 01",
		"rewritten=1 stripped=2", .sides = GOLDEN_OUT),
};

static const struct golden in_turned[] = {
	CASE_OF("in: the key of the other direction is another subflow", "1e 04 51 09", "01 01 01 01", UNKNOWN,
		.sides = GOLDEN_IN),
};

static const struct golden out_turned[] = {
	CASE_OF("out: the key of the other direction is another subflow", "1e 04 51 03", "01 01 01 01", UNKNOWN,
		.sides = GOLDEN_OUT),
};

static const struct golden learned[] = {
	CASE("learned: the sender's ID", "1e 04 51 05", "1e 03 51 01", OWN),
	CASE("learned: another ID", "1e 04 51 09", "01 01 01 01", OTHER),
};

static const struct golden learned_turned[] = {
	CASE("learned of the other direction only", "1e 04 51 05", "01 01 01 01", UNKNOWN),
};

/* Handshakes (RFC 8684 sections 3.1, 3.2): what they teach. */
static const struct {
	const char *title, *opts;
	uint8_t flags;
	int id; /* -1: nothing */
} handshakes[] = {
	{ "MP_CAPABLE SYN", "1e 04 01 81", TCP_SYN, 0 },
	{ "MP_CAPABLE SYN of RFC 6824", "1e 0c 00 81 11 22 33 44 55 66 77 88", TCP_SYN, 0 },
	{ "MP_CAPABLE SYN-ACK", "02 04 05 b4 1e 0c 01 81 11 22 33 44 55 66 77 88", TCP_SYN | TCP_ACK, 0 },
	{ "MP_JOIN SYN",
	  "02 04 05 b4 04 02 08 0a 11 22 33 44 00 00 00 00 01 03 03 07 1e 0c 10 07 11 22 33 44 55 66 77 88", TCP_SYN, 7 },
	{ "MP_JOIN SYN at an odd offset", "01 1e 0c 11 ff 11 22 33 44 55 66 77 88", TCP_SYN, 255 },
	{ "MP_JOIN SYN-ACK", "1e 10 10 04 01 02 03 04 05 06 07 08 11 22 33 44", TCP_SYN | TCP_ACK, 4 },
	{ "MP_JOIN ACK", "1e 18 10 00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f 10 11 12 13 14", TCP_ACK, -1 },
	{ "MP_CAPABLE ACK", "1e 14 01 81 11 22 33 44 55 66 77 88 99 aa bb cc dd ee ff 00", TCP_ACK, -1 },
	{ "plain SYN", "02 04 05 b4 01 03 03 07", TCP_SYN, -1 },
	{ "MP_JOIN cut to 3 bytes", "1e 03 10", TCP_SYN, -1 },
};

static struct pkt_spec frame(enum entry e, int family, uint8_t flags, const char *opts)
{
	struct pkt_spec p = { .family = family, .bare = entries[e].bare, .flags = flags };

	pkt_flow(&p, FLOW, false);
	if (!pkt_opts(&p, 0, opts, 0))
		tap_bail("'%s' are no options", opts);
	return p;
}

static bool handshake_teaches(const struct subject *s, enum entry e, int family, int i)
{
	struct pkt_spec syn = frame(e, family, handshakes[i].flags, handshakes[i].opts), prio, want;
	char own[24];
	int id = handshakes[i].id < 0 ? 0 : handshakes[i].id;

	subject_forget(s, &syn);
	if (!golden_one(s, e, &syn, &syn, ""))
		return false;
	if (subject_learned(s, &syn, false) != handshakes[i].id || subject_learned(s, &syn, true) != -1) {
		tap_diag("%s_%s, IPv%d: learned %d, turned %d", s->name, entries[e].suffix, family,
			 subject_learned(s, &syn, false), subject_learned(s, &syn, true));
		return false;
	}
	snprintf(own, sizeof(own), "1e 04 51 %02x", id);
	prio = frame(e, family, TCP_ACK, own);
	want = frame(e, family, TCP_ACK, handshakes[i].id < 0 ? "01 01 01 01" : "1e 03 51 01");
	if (!golden_one(s, e, &prio, &want, handshakes[i].id < 0 ? UNKNOWN : OWN))
		return false;
	snprintf(own, sizeof(own), "1e 04 51 %02x", id ^ 1);
	prio = frame(e, family, TCP_ACK, own);
	want = frame(e, family, TCP_ACK, "01 01 01 01");
	return golden_one(s, e, &prio, &want, handshakes[i].id < 0 ? UNKNOWN : OTHER);
}

/* A later handshake of the same addresses and ports is another connection. */
static bool learns_anew(const struct subject *s, enum entry e, int family)
{
	struct pkt_spec syn = frame(e, family, TCP_SYN, "1e 0c 10 07 11 22 33 44 55 66 77 88");
	struct pkt_spec again = frame(e, family, TCP_SYN, "1e 04 01 81");

	subject_forget(s, &syn);
	return golden_one(s, e, &syn, &syn, "") && subject_learned(s, &syn, false) == 7 &&
	       golden_one(s, e, &again, &again, "") && subject_learned(s, &syn, false) == 0;
}

static void forwarder(const struct subject *s)
{
	bool right = true;

	for (size_t i = 0; i < sizeof(handshakes) / sizeof(handshakes[0]); i++) {
		right = true;
		for (int e = 0; right && e < NENTRIES; e++)
			right = handshake_teaches(s, e, 4, i) && handshake_teaches(s, e, 6, i);
		tap_ok(right, "%s: %s teaches %d", s->name, handshakes[i].title, handshakes[i].id);
	}
	for (int e = 0; right && e < NENTRIES; e++)
		right = learns_anew(s, e, 4) && learns_anew(s, e, 6);
	tap_ok(right, "%s: a later handshake replaces what was learned", s->name);
}

/* Runs the cases with what the policy knows of the flow of every frame, in both families. */
enum knowledge { NOTHING, SUBFLOW, ID, BOTH };

static void known(const struct subject *s, enum knowledge k, bool turned, const struct golden *cases, int n)
{
	for (int family = 4; family <= 6; family += 2) {
		struct pkt_spec p = frame(ENTRY_IN, family, TCP_ACK, "");

		subject_forget(s, &p);
		if (k & SUBFLOW)
			subject_know(s, &p, turned, LOCAL, REMOTE);
		if (k & ID)
			subject_learn(s, &p, k != BOTH && turned, LEARNED);
	}
	golden(s, cases, n);
}

int main(void)
{
	struct subject s;

	subject_open(&s, "prio_strip", "");
	known(&s, NOTHING, false, unknown, NCASES(unknown));
	known(&s, SUBFLOW, true, in_known, NCASES(in_known));
	known(&s, SUBFLOW, false, in_turned, NCASES(in_turned));
	known(&s, SUBFLOW, false, out_known, NCASES(out_known));
	known(&s, SUBFLOW, true, out_turned, NCASES(out_turned));
	known(&s, ID, false, learned, NCASES(learned));
	known(&s, ID, true, learned_turned, NCASES(learned_turned));
	known(&s, BOTH, true, in_known, NCASES(in_known)); /* the host's own subflows go before what passed */
	known(&s, BOTH, false, out_known, NCASES(out_known));
	forwarder(&s);
	known(&s, NOTHING, false, unknown, 1);
	golden_common(&s, &unknown[0]);
	subject_close(&s);
	return tap_done();
}
