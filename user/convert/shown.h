/* SPDX-License-Identifier: GPL-2.0-only */
/* The converters of a namespace as users see them: state, counters, and what changed between two looks. */
#ifndef MPB_CONVERT_SHOWN_H
#define MPB_CONVERT_SHOWN_H

#include <jansson.h>
#include <mptcp_bpf/converter.h>
#include "event.h"
#include "filter.h"

/* An array, an object each; the caller's. */
json_t *converters_json(const struct ns *ns);

/* The same in a line each, what is zero left out. */
void converters_text(const json_t *array, const char *before);

struct converters_seen {
	int n;
	struct mpb_converter was[MPB_CONVERTERS];
};

/* Tells which were given up, used again, or refused connections since the look before; `first` tells nothing. */
void converters_look(struct converters_seen *seen, bool first, struct teller *t, const struct filter *f);

#endif
