/* SPDX-License-Identifier: GPL-2.0-only */
/* What was learnt of paths, for connections that are yet to begin: a peer that did not answer on one is not tried there for a while. */
#ifndef MPB_AVOID_H
#define MPB_AVOID_H

#include <stdint.h>
#include <mptcp_bpf/state.h>
#include "endpoint.h"

#define AVOIDS_MAX 16 /* peers that new connections do not begin with as routes say */

struct agent;

/* From this address that peer does not answer. */
struct avoid {
	uint64_t until_ns; /* and for as long as the address is away; 0: none */
	struct mpb_tuple tuple;
	uint32_t table;    /* of the path that is taken instead */
};

struct avoids {
	struct avoid one[AVOIDS_MAX];
};

/* New connections to this peer begin by the routes of the table. */
void avoid_peer(struct agent *a, const struct mpb_tuple *t, uint32_t table, uint64_t now);

/* The path of this address has died: those to the peers of its subflows begin elsewhere, where another path leads to them. */
void avoid_path(struct agent *a, const struct in6_addr *addr);

/* Those for which it is time begin as before. */
void avoid_look(struct agent *a, uint64_t now);
void avoid_stop(struct agent *a);

#endif
