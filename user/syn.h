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

struct agent;

struct detour {
	uint64_t sk; /* 0: none */
	uint64_t sent_ns;
	struct mpb_tuple tuple;
	uint32_t table;
};

struct syns {
	struct policy policy;
	struct bpf_link *link; /* NULL: SYNs are not watched */
	int look, map;
	bool begun;            /* ip_dynaddr is set for them */
	uint32_t reported;     /* why it cannot be done was said */
	struct detour detour[DETOURS_MAX];
};

/* Where it cannot be done, that is told and all else works. */
void syn_start(struct agent *a);
void syn_stop(struct agent *a);

/* Returns whether there are any, so that it is to be called again soon. */
bool syn_look(struct agent *a, uint64_t now);

#endif
