/* SPDX-License-Identifier: GPL-2.0-only */
/* Random valid segments, most of them with an option that the policy rewrites. */
#ifndef MPB_TESTS_RANDOM_H
#define MPB_TESTS_RANDOM_H

#include "packet.h"
#include "prog_run.h"

/* A policy with its tunables, and what it looks for. */
struct flavour {
	const char *policy, *tunables;
	int (*target)(struct rng *r, uint8_t *opt,
		      uint32_t flow); /* an option that it rewrites: returns its length, to 40 bytes */
};
extern const struct flavour flavours[];
extern const int nflavours;

/* Gives the policy, if it wants to know address IDs, those of half of the flows. */
void random_knowledge(struct rng *r, const struct subject *s);

void random_spec(struct rng *r, const struct flavour *f, enum entry e, struct pkt_spec *p);

#endif
