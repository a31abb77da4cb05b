/* SPDX-License-Identifier: GPL-2.0-only */
/* `converter add|del|list`: which converters there are for rules to name. */
#ifndef MPB_CONVERT_VERBS_H
#define MPB_CONVERT_VERBS_H

#include <stddef.h>
#include <linux/types.h>
#include "args.h"

/* Bytes in hexadecimal, 1..max. Returns how many, or -EINVAL. */
int hex_parse(const char *what, const char *word, __u8 *to, size_t max);

int converter_add(const struct args *a);
int converter_del(const struct args *a);
int converter_list(const struct args *a);

#endif
