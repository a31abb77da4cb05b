/* SPDX-License-Identifier: GPL-2.0-only */
/* A namespace's figures as OpenMetrics, or in the older text format of Prometheus. By path (device) and scheduler; by connection only when asked for. */
#ifndef MPB_USER_METRICS_H
#define MPB_USER_METRICS_H

#include <net/if.h>
#include <stdbool.h>
#include <stdio.h>
#include "ns.h"

#define METRICS_PATHS 64

/* What ended subflows left on a path: counters must not fall when a subflow goes. */
struct metrics_path {
	char dev[IFNAMSIZ]; /* that has the local address; "": none has */
	uint64_t sent, acked, retrans, received, lost, flips;
	uint64_t closed, refused, reset;
};

struct metrics {
	const struct ns *ns;
	bool connections; /* too, each with its subflows */
	uint64_t number;  /* of the last ended subflow that is accounted for */
	uint64_t missed;  /* ended ones that were forgotten before they could be */
	int npaths;
	struct metrics_path path[METRICS_PATHS];
};

enum metrics_format { METRICS_OPENMETRICS, METRICS_PROMETHEUS };

/* Writes one exposition. Between calls `m` keeps the account. */
int metrics_write(struct metrics *m, enum metrics_format format, FILE *to);

const char *metrics_type(enum metrics_format format); /* the content type */

#endif
