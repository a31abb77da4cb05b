/* SPDX-License-Identifier: GPL-2.0-only */
/* What libbpf and the verifier say when the kernel is handed a policy. */
#define _GNU_SOURCE
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <bpf/libbpf.h>
#include "err.h"
#include "policy.h"

static int verbosity;

/* libbpf speaks only when asked; its last warning explains a failure better than an errno does. */
static char last_warning[512];

/* "sock.sk_mark": the field that a program reads and this kernel has not; found in the verifier's log, where libbpf says so. */
static char missing_field[256];

static void find_missing_field(const char *log)
{
	const char *at = strstr(log, "failed to resolve CO-RE relocation ");

	at = at ? strchr(at, ']') : NULL;
	if (!at)
		return;
	at += 2;
	for (const char *const *word = (const char *const[]){ "struct ", "union ", NULL }; *word; word++)
		if (!strncmp(at, *word, strlen(*word)))
			at += strlen(*word);
	snprintf(missing_field, sizeof(missing_field), "%.*s", (int)strcspn(at, " \n"), at);
}

__attribute__((format(printf, 2, 0))) static int libbpf_voice(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	char *line;
	va_list again;
	int n;

	if (verbosity < (level == LIBBPF_DEBUG ? 2 : 1) && level != LIBBPF_WARN)
		return 0;
	va_copy(again, ap);
	n = vasprintf(&line, fmt, again); /* a verifier's log is one message of many KiB */
	va_end(again);
	if (n < 0)
		return 0;
	if (verbosity)
		vfprintf(stderr, fmt, ap);
	if (strstr(line, "BEGIN PROG LOAD LOG"))
		find_missing_field(line);
	else if (level == LIBBPF_WARN)
		snprintf(last_warning, sizeof(last_warning), "%.*s", (int)strcspn(line, "\n"), line);
	free(line);
	return 0;
}

void policy_verbosity(int level)
{
	verbosity = level;
	libbpf_set_print(libbpf_voice);
}

void policy_hush(void)
{
	last_warning[0] = missing_field[0] = 0;
}

int policy_load(const char *what, const struct policy *p)
{
	int err = bpf_object__load(p->obj);

	if (!err)
		return 0;
	if (missing_field[0]) {
		err_hint("a later version of mptcp-bpf may know this kernel; -vv shows the verifier's log");
		return err_lacks(what, "this kernel has no %s, which it reads", missing_field);
	}
	if (err == -EPERM)
		return err_fail(EPERM, what, "the kernel does not allow it: %s", strerror(-err));
	err_hint("-vv shows the verifier's log");
	return err_fail(-err, what, "the kernel does not accept it: %s", strerror(-err));
}

const char *policy_last_warning(void)
{
	return last_warning;
}
