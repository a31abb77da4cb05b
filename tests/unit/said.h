/* SPDX-License-Identifier: GPL-2.0-only */
/* What the controller would have told the user. */
#ifndef MPB_TEST_SAID_H
#define MPB_TEST_SAID_H

#include "unit.h"
#include "err.h"

/* The recorded error as printed, "mptcp-bpf: what: why\nhint: ...\n", and forgotten; "" if there is none. */
static inline const char *said(int *status)
{
	static char text[2048];
	FILE *real = stderr;
	char *buf = NULL;
	size_t size = 0;

	stderr = open_memstream(&buf, &size);
	assert_non_null(stderr);
	*status = err_print(0);
	fclose(stderr);
	stderr = real;
	snprintf(text, sizeof(text), "%s", strstr(buf, "failed without a reason") ? "" : buf);
	free(buf);
	err_clear();
	return text;
}

/* The call failed as a usage error (2), with these words in what was said. */
static inline void assert_said(int want_status, const char *words)
{
	int status;
	const char *text = said(&status);

	if (status != want_status || !strstr(text, words))
		fail_msg("status %d, said: %s, want %d and: %s", status, text, want_status, words);
}

#define assert_usage(_call, _words)                   \
	do {                                          \
		err_clear();                          \
		assert_int_equal(_call, -22);         \
		assert_said(EXIT_USAGE, _words);      \
	} while (0)

#define assert_refused(_call, _words)                 \
	do {                                          \
		err_clear();                          \
		assert_true((_call) < 0);             \
		assert_said(EXIT_FAILED, _words);     \
	} while (0)

#endif
