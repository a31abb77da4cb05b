/* SPDX-License-Identifier: GPL-2.0-only */
/* A policy told to a person or as JSON: used by list and tune. `l` is NULL for one that is not loaded. */
#ifndef MPB_REPORT_H
#define MPB_REPORT_H

#include <jansson.h>
#include "loaded.h"

json_t *report_policy(const struct desc *d, const struct loaded *l);
json_t *report_tunables(const struct desc *d, const struct loaded *l);
void report_policy_text(const struct desc *d, const struct loaded *l);
void report_tunables_text(const struct desc *d, const struct loaded *l, const char *indent);

#endif
