/* SPDX-License-Identifier: GPL-2.0-only */
/* Endpoints that the agent has taken away because their path is dead, until it works again, or costly, until it is needed. Pinned in COOKIE/agent/away:
 * a new agent, or `unload --all`, finds them. */
#ifndef MPB_AWAY_H
#define MPB_AWAY_H

#include <stdbool.h>
#include <stdint.h>
#include "endpoint.h"
#include "ns.h"
#include "probe.h"

#define AWAY_MAX 16

struct away_one {
	struct endpoint endpoint;
	struct probe probe;      /* of a subflow that used it; no port: none is known */
	uint64_t since_ns;       /* CLOCK_MONOTONIC */
	uint64_t probed_ns;
	uint64_t answered_ns;    /* probes have been answered since; 0: they are not */
	uint64_t heard_ns;
	uint64_t hold_ns;        /* for so long they are to be, before it is used again */
	uint64_t back_ns;        /* when it came back last; 0: it is away */
	int32_t sk;              /* hears the answers */
	bool aside;              /* not dead, but closed until it is needed */
};

struct away {
	int map;  /* by address */
	int lock; /* one agent a namespace */
	struct away_one one[AWAY_MAX]; /* those that came back stay a while: their history counts */
};

int away_open(struct away *w, const struct ns *ns, uint64_t now);
void away_close(struct away *w, const struct ns *ns);

struct away_one *away_find(struct away *w, const struct in6_addr *addr); /* among those that are away */
struct away_one *away_add(struct away *w, const struct endpoint *e, const struct probe *p, bool aside, uint64_t now);
void away_back(struct away *w, struct away_one *one, uint64_t now);

/* Its address is on this device now. */
void away_move(struct away *w, struct away_one *one, int ifindex, uint64_t now);

/* For `unload --all`: every endpoint back where it was, and nothing pinned. */
int away_restore(const struct ns *ns);

#endif
