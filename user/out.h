/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MPB_OUT_H
#define MPB_OUT_H

#include <jansson.h>
#include <stdint.h>

void out_json(const json_t *o); /* one line */

/* 1234567 -> "1.23M"; into a buffer of 16, which is returned. */
char *out_human(uint64_t n, char *buf);

#endif
