/* SPDX-License-Identifier: GPL-2.0-only */
/* Connections with their subflows, joined from the socket iterator, the kernel's diagnostics and our own records. */
#ifndef MPB_CONN_H
#define MPB_CONN_H

#include <net/if.h>
#include <stdbool.h>
#include "ns.h"
#include <mptcp_bpf/policy.h>
#include <mptcp_bpf/state.h>

struct subflow_view {
	const struct mpb_snap *snap;
	int id; /* the kernel's number of the subflow within the connection; where it has none, the rank */
	char local[64], remote[64];
	char dev[IFNAMSIZ]; /* where its route leads; "-" unknown */
	uint64_t pacing_bps, delivery_bps; /* bits per second */
	uint32_t flips;
};

struct conn_view {
	uint32_t token;
	uint8_t state; /* TCP state of the connection */
	bool fallback;
	uint64_t bytes_sent, bytes_acked;
	int64_t age_ms; /* since we know it; -1: not observed */
	char sched[MPB_NAME_LEN];
	const char *backend; /* that carries the scheduler out: stock, steer */
	uint32_t flips;      /* of priorities, by our scheduler */
	int nsubflows;
	struct subflow_view *subflows;
};

struct conns {
	int n;
	struct conn_view *list; /* by token */
	bool observed;
	struct mpb_ns counters;
	struct mpb_snap *snaps;
	struct subflow_view *views;
};

int conns_read(const struct ns *ns, struct conns *c);
void conns_free(struct conns *c);
const char *tcp_state_word(unsigned int state); /* as in ss: ESTAB, FIN-WAIT-1, ... */

#endif
