/* SPDX-License-Identifier: GPL-2.0-only */
/* What is known of the paths that connections may begin on, by local address: when one answered last, how fast, and when it did not. */
#ifndef MPB_TRACK_H
#define MPB_TRACK_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <mptcp_bpf/state.h>
#include "endpoint.h"

#define TRACKS_MAX 16

struct agent;

struct track {
	struct in6_addr addr;
	uint64_t heard_ns;  /* CLOCK_MONOTONIC; 0: never */
	uint64_t failed_ns;
	uint32_t srtt_us;   /* of the subflow that was heard last */
};

struct tracks {
	struct track one[TRACKS_MAX];
	int n;
};

/* Takes in what the rows of subflows say, as they were read last. */
void track_look(struct agent *a);

/* From this address a peer has not answered. */
void track_failed(struct agent *a, const struct in6_addr *addr, uint64_t now);

/* Another endpoint for a connection with these addresses, whose own device has a route to the peer, and the table of that route: of those that have not failed
 * since they answered, one that has answered lately, the one with the least round trip; else the one that failed longest ago. False: there is none. */
bool track_choose(const struct agent *a, const struct mpb_tuple *t, struct endpoint *chosen, uint32_t *table);

#endif
