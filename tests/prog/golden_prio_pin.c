/* SPDX-License-Identifier: GPL-2.0-only */
/* prio_pin: what each action makes of MP_PRIO, in both lengths (RFC 8684 section 3.3.8: 3; RFC 6824: 4, with an address ID). */
#include "../lib/tap.h"
#include "golden.h"

#define DSS "1e 08 20 01 aa bb cc dd"
#define DSS_LONG "1e 14 20 05 aa bb cc dd 11 22 33 44 55 66 77 88 00 10 be ef"
#define TS "01 01 08 0a 11 22 33 44 55 66 77 88"

enum { PASS, DROP, BACKUP, ACTIVE };

static const struct golden pass[] = {
	CASE("pass: backup", "1e 03 51", NULL, "passed=1"),
	CASE("pass: not backup, with ID", "1e 04 50 02", NULL, "passed=1"),
	CASE("pass: two, behind a DSS", DSS " 1e 03 51 1e 04 50 02", NULL, "passed=2"),
};

static const struct golden drop[] = {
	CASE("drop: backup", "1e 03 51", "01 01 01", "rewritten=1 removed=1"),
	CASE("drop: not backup", "1e 03 50", "01 01 01", "rewritten=1 removed=1"),
	CASE("drop: with ID", "1e 04 51 02", "01 01 01 01", "rewritten=1 removed=1"),
	CASE("drop: behind a DSS", DSS " 1e 03 51", DSS " 01 01 01", "rewritten=1 removed=1"),
	CASE("drop: behind a timestamp and a long DSS", TS " " DSS_LONG " 1e 04 51 02", TS " " DSS_LONG " 01 01 01 01",
	     "rewritten=1 removed=1"),
	CASE("drop: three in a segment", "1e 03 51 01 1e 04 50 02 " DSS " 1e 03 50",
	     "01 01 01 01 01 01 01 01 " DSS " 01 01 01", "rewritten=1 removed=3"),
	CASE("drop: a longer one than is known", "1e 06 51 02 03 04", "01 01 01 01 01 01", "rewritten=1 removed=1"),
	CASE("drop: other subtypes pass", "1e 0c 81 10 00 00 00 00 00 00 00 01", NULL, ""),
};

static const struct golden backup[] = {
	CASE("backup: set", "1e 03 50", "1e 03 51", "rewritten=1 forced=1"),
	CASE("backup: set with ID, other bits stay", "1e 04 5e 02", "1e 04 5f 02", "rewritten=1 forced=1"),
	CASE("backup: already", "1e 03 51", NULL, "passed=1"),
	CASE("backup: one of two, behind a DSS", DSS " 1e 03 51 1e 03 50", DSS " 1e 03 51 1e 03 51",
	     "rewritten=1 forced=1 passed=1"),
};

static const struct golden active[] = {
	CASE("active: cleared", "1e 03 51", "1e 03 50", "rewritten=1 forced=1"),
	CASE("active: cleared with ID, other bits stay", "1e 04 5f 02", "1e 04 5e 02", "rewritten=1 forced=1"),
	CASE("active: already", "1e 03 50", NULL, "passed=1"),
	CASE("active: three in a segment", "1e 03 51 1e 03 50 1e 03 51", "1e 03 50 1e 03 50 1e 03 50",
	     "rewritten=1 forced=2 passed=1"),
};

static const struct golden on_other_device[] = {
	CASE("another device's own value means nothing here", "1e 03 51", NULL, "passed=1"),
};

static const struct golden on_device[] = {
	CASE("a device's own value goes before the general one", "1e 03 51", "01 01 01", "rewritten=1 removed=1"),
};

static const struct golden on_device_pass[] = {
	CASE("a device's own 0 too", "1e 03 51", NULL, "passed=1"),
};

static void action(const char *tunables, const struct golden *cases, int n)
{
	struct subject s;

	subject_open(&s, "prio_pin", tunables);
	golden(&s, cases, n);
	subject_close(&s);
}

int main(void)
{
	struct subject s;

	action("action=0", pass, NCASES(pass));
	action("", drop, NCASES(drop)); /* the default */
	action("action=1", drop, NCASES(drop));
	action("action=2", backup, NCASES(backup));
	action("action=3", active, NCASES(active));

	subject_open(&s, "prio_pin", "action=0");
	subject_tune_dev(&s, RUN_IFINDEX + 1, "action", DROP);
	golden(&s, on_other_device, NCASES(on_other_device));
	subject_tune_dev(&s, RUN_IFINDEX, "action", DROP);
	golden(&s, on_device, NCASES(on_device));
	subject_close(&s);

	subject_open(&s, "prio_pin", "action=2");
	subject_tune_dev(&s, RUN_IFINDEX, "action", PASS);
	golden(&s, on_device_pass, NCASES(on_device_pass));
	golden_common(&s, &on_device_pass[0]);
	subject_tune_dev(&s, RUN_IFINDEX, "action", ACTIVE);
	golden(&s, active, NCASES(active));
	golden_common(&s, &active[0]);
	subject_close(&s);
	return tap_done();
}
