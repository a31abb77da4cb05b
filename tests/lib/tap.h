/* SPDX-License-Identifier: GPL-2.0-only */
/* TAP for tests in C: tap_ok() a line, tap_diag() what explains it, and tap_done() as the exit status of main. */
#ifndef MPB_TESTS_TAP_H
#define MPB_TESTS_TAP_H

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

struct tap_state {
	int n, failed;
};
struct tap_state tap __attribute__((weak)); /* one for all files of a test */

__attribute__((format(printf, 2, 3))) static inline bool tap_ok(bool ok, const char *fmt, ...)
{
	va_list ap;

	tap.n++;
	tap.failed += !ok;
	printf("%s %d - ", ok ? "ok" : "not ok", tap.n);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	fflush(stdout);
	return ok;
}

__attribute__((format(printf, 1, 2))) static inline void tap_diag(const char *fmt, ...)
{
	va_list ap;

	printf("# ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
}

/* What cannot be shown here, as is known. */
static inline void tap_skip_known(const char *reason, const char *what)
{
	tap.n++;
	printf("ok %d - %s # SKIP %s\n", tap.n, what, reason);
}

/* What this machine cannot show; a failure where every feature is expected, as in tap.sh. */
static inline void tap_skip(const char *reason, const char *what)
{
	const char *all = getenv("MPTCP_BPF_EXPECT_ALL");

	if (all && all[0] == '1')
		tap_ok(false, "%s (expected here, but: %s)", what, reason);
	else
		tap_skip_known(reason, what);
}

__attribute__((noreturn, format(printf, 1, 2))) static inline void tap_bail(const char *fmt, ...)
{
	va_list ap;

	printf("Bail out! ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	putchar('\n');
	exit(1);
}

static inline int tap_done(void)
{
	printf("1..%d\n", tap.n);
	return tap.failed ? 1 : 0;
}

#endif
