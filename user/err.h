/* SPDX-License-Identifier: GPL-2.0-only */
/* The one error of a call: a leaf says what and why, once; main prints it (exit 1 failed, 2 usage, 4 the kernel lacks it). */
#ifndef MPB_ERR_H
#define MPB_ERR_H

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_LACKS = 4 };

/* Record the error, unless one is recorded already (the first is the cause). `what` is copied. */
int err_fail(int errnum, const char *what, const char *fmt, ...) __attribute__((format(printf, 3, 4)));  /* returns -errnum */
int err_usage(const char *what, const char *fmt, ...) __attribute__((format(printf, 2, 3)));             /* returns -EINVAL */
int err_lacks(const char *what, const char *fmt, ...) __attribute__((format(printf, 2, 3)));             /* returns -EOPNOTSUPP */
void err_hint(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* Where in a file the errors recorded from here on stand: put before `what`; such an error is never one of usage. "": nowhere any more. */
void err_where(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* For a clean-up that may itself fail: forget what it recorded. */
void err_clear(void);

/* Print "mptcp-bpf: what: why" and the hint to stderr, or the JSON object to stdout. Returns the exit status. */
int err_print(int json);

/* Talk for people (stderr), never data. */
void note(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

#endif
