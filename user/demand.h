/* SPDX-License-Identifier: GPL-2.0-only */
/* Costly paths on demand: the endpoints of those for which `path add … cost N` says more than for the cheapest one stay closed until a cheap path is poor,
 * dead or gone, and are closed again when all has been well for a while. Connections whose rule says "demand no" do not have them opened, nor join them. */
#ifndef MPB_DEMAND_H
#define MPB_DEMAND_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <mptcp_bpf/clock.h>
#include "policy.h"

#define DEMAND_MAX 16

struct agent;

struct bpf_link;

struct demand {
	bool on, open;
	bool single;          /* costly paths and others are not used at the same time */
	struct policy policy; /* demand: it keeps connections off costly paths */
	struct bpf_link *links[2];
	int map;              /* mpb_costly; 0: the program is not there */
	int conns;            /* mpb_conns */
	uint64_t calm_ns;   /* so long all is to be well */
	uint64_t poor_ns;   /* when a cheap path was poor last */
	uint64_t looked_ns;
	int ncostly;
	struct in6_addr costly[DEMAND_MAX];
};

void demand_start(struct agent *a);
void demand_stop(struct agent *a);

/* By its rule, does the connection ask for costly paths? */
bool demand_may(const struct agent *a, uint32_t token);

/* Now and then: what costs more than the cheapest, and is to be closed? */
void demand_look(struct agent *a, uint64_t now);

/* A path is poor, or dead: unless it is a costly one, those are opened, if a connection on it asks for them; rows are read. With the event of a subflow, if it
 * is known from one. Returns whether the path was left for them. */
bool demand_poor(struct agent *a, const struct in6_addr *addr, const struct mpb_clock_event *e, const char *why);

/* The same, of a path that no connection is on yet: they are opened in any case. */
void demand_open(struct agent *a, const struct in6_addr *addr, const char *why);

/* A path that was left works again. */
void demand_return(struct agent *a);

#endif
