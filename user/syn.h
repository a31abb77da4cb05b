/* SPDX-License-Identifier: GPL-2.0-only */
/* Robust establishment: a first SYN that is not answered leaves by another path when the kernel sends it again, from the address of another endpoint (as the
 * RobE_TIMER of draft-amend-tcpm-mptcp-robe, without its translation). */
#ifndef MPB_SYN_H
#define MPB_SYN_H

#include <stdbool.h>
#include <stdint.h>
#include <bpf/libbpf.h>
#include <mptcp_bpf/syn.h>
#include "policy.h"

#define DETOURS_MAX 16 /* SYNs at a time that are led elsewhere */
#define AVOIDS_MAX 16  /* peers that new connections do not begin with as routes say */

struct agent;

struct detour {
	uint64_t sk; /* 0: none */
	uint64_t sent_ns;
	struct mpb_tuple tuple;
	uint32_t table;
};

/* What was learnt: from this address that peer does not answer. */
struct avoid {
	uint64_t until_ns; /* and for as long as the address is away; 0: none */
	struct mpb_tuple tuple;
	uint32_t table;    /* of the path that is taken instead */
};

struct syns {
	struct policy policy;
	struct bpf_link *link; /* NULL: SYNs are not watched */
	int look, map;
	bool begun;            /* ip_dynaddr is set for them */
	uint32_t reported;     /* why it cannot be done was said */
	struct detour detour[DETOURS_MAX];
	struct avoid avoid[AVOIDS_MAX];
};

/* Where it cannot be done, that is told and all else works. */
void syn_start(struct agent *a);
void syn_stop(struct agent *a);

/* The path of this subflow has died: new connections to its peer do not begin there. */
void syn_avoid(struct agent *a, const struct mpb_tuple *subflow);

/* Returns whether there are any, so that it is to be called again soon. */
bool syn_look(struct agent *a, uint64_t now);

#endif
