/* SPDX-License-Identifier: GPL-2.0-only */
/* The counters of a running relay, over an abstract UNIX socket of its network namespace: nothing is left behind when it ends. */
#ifndef MPB_CONVERT_REPORT_H
#define MPB_CONVERT_REPORT_H

#include <stdbool.h>
#include <stdint.h>
#include "loop.h"

/* *fd is -1 where one that is about to end still has the port. */
int report_listen(const char *kind, uint16_t port, int *fd);
void report_answer(int fd, const struct counters *n); /* one question; only root and the relay's own user get an answer */

/* Asks the relay that listens on this port. */
int report_ask(const char *kind, uint16_t port, struct counters *n);

enum report_form { REPORT_TEXT, REPORT_JSON, REPORT_OPENMETRICS };
void report_print(const struct counters *n, enum report_form form);

#endif
