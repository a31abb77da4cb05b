/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MPB_TUNABLE_H
#define MPB_TUNABLE_H

#include "args.h"
#include "policy.h"

/* A setting matched to its tunable and its value, in range. Errors name the tunables there are, or the range. */
int tunable_match(const struct desc *d, const struct setting *s, const struct tunable **t, uint64_t *value);

/* A tunable's value in the bytes of .data.tune. Aligned single stores: a running program sees the old or the new value. */
uint64_t tunable_get(const struct tunable *t, const void *data);
void tunable_set(const struct tunable *t, void *data, uint64_t value);

#endif
