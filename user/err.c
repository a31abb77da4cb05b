/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <jansson.h>
#include "err.h"

static struct {
	int status;
	char what[416];
	char why[1024];
	char hint[512];
} error;
static char where[256];

__attribute__((format(printf, 3, 0))) static void record(int status, const char *what, const char *fmt, va_list ap)
{
	if (error.status)
		return;
	error.status = status == EXIT_USAGE && where[0] ? EXIT_FAILED : status;
	snprintf(error.what, sizeof(error.what), "%s%s%s", where, where[0] ? ": " : "", what);
	vsnprintf(error.why, sizeof(error.why), fmt, ap);
}

int err_fail(int errnum, const char *what, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	record(EXIT_FAILED, what, fmt, ap);
	va_end(ap);
	if (errnum == EPERM && !error.hint[0])
		err_hint("run it as root (CAP_BPF, CAP_NET_ADMIN and CAP_SYS_ADMIN)");
	return errnum ? -errnum : -EIO;
}

int err_usage(const char *what, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	record(EXIT_USAGE, what, fmt, ap);
	va_end(ap);
	return -EINVAL;
}

int err_lacks(const char *what, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	record(EXIT_LACKS, what, fmt, ap);
	va_end(ap);
	return -EOPNOTSUPP;
}

void err_hint(const char *fmt, ...)
{
	va_list ap;

	if (error.hint[0])
		return;
	va_start(ap, fmt);
	vsnprintf(error.hint, sizeof(error.hint), fmt, ap);
	va_end(ap);
}

void err_where(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(where, sizeof(where), fmt, ap);
	va_end(ap);
}

void err_clear(void)
{
	memset(&error, 0, sizeof(error));
}

int err_print(int json)
{
	if (!error.status)
		err_fail(EIO, "internal", "failed without a reason");
	if (json) {
		json_t *o = json_pack("{s:{s:s,s:s}}", "error", "what", error.what, "why", error.why);

		if (o && error.hint[0])
			json_object_set_new(json_object_get(o, "error"), "hint", json_string(error.hint));
		if (o)
			json_dumpf(o, stdout, JSON_COMPACT);
		putchar('\n');
		json_decref(o);
	} else {
		fprintf(stderr, "mptcp-bpf: %s: %s\n", error.what, error.why);
		if (error.hint[0])
			fprintf(stderr, "hint: %s\n", error.hint);
	}
	return error.status;
}

void note(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}
