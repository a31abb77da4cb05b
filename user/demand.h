/* SPDX-License-Identifier: GPL-2.0-only */
/* Costly paths on demand: the endpoints of those for which `path add … cost N` says more than for the cheapest one stay closed until a cheap path is poor,
 * dead or gone, and are closed again when all has been well for a while. */
#ifndef MPB_DEMAND_H
#define MPB_DEMAND_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#define DEMAND_MAX 16

struct agent;

struct demand {
	bool on, open;
	uint64_t calm_ns;   /* so long all is to be well */
	uint64_t poor_ns;   /* when a cheap path was poor last */
	uint64_t looked_ns;
	int ncostly;
	struct in6_addr costly[DEMAND_MAX];
};

void demand_start(struct agent *a);

/* Now and then: what costs more than the cheapest, and is to be closed? */
void demand_look(struct agent *a, uint64_t now);

/* A path is poor: unless it is a costly one, those are opened. */
void demand_poor(struct agent *a, const struct in6_addr *addr, const char *why);

#endif
