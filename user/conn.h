/* SPDX-License-Identifier: GPL-2.0-only */
/* Connections with their subflows, joined from the socket iterator, the kernel's diagnostics and our own records. */
#ifndef MPB_CONN_H
#define MPB_CONN_H

#include <net/if.h>
#include <stdbool.h>
#include "ns.h"
#include <mptcp_bpf/policy.h>
#include <mptcp_bpf/sight.h>
#include <mptcp_bpf/terms.h>

struct subflow_view {
	const struct mpb_snap *snap;
	int id; /* the kernel's number of the subflow within the connection; where it has none, the rank */
	char local[64], remote[64];
	char dev[IFNAMSIZ]; /* where its route leads; "-" unknown */
	uint64_t pacing_bps, delivery_bps; /* bits per second */
	double share;                      /* of the bytes that the connection's subflows sent, those that closed included */
	uint32_t flips;
	struct mpb_deal deal;              /* what its ends ask of each other; all 0: its path says nothing of terms */
	bool seen;                         /* the witness knows it; else all from here is 0 */
	struct mpb_sight sight;
	uint32_t rtt_p50_us, rtt_p95_us;   /* 0: nobody had them counted */
	uint64_t active_ms, backup_ms;     /* by its priority */
	uint64_t stale_ms;                 /* without the witness, or `sight`: of the present spell */
	struct {
		uint64_t sent, acked, retrans, received; /* bytes */
		uint32_t lost, flips;
	} since; /* the reading before, see conns_since() */
};

struct conn_view {
	uint32_t token;
	uint8_t state; /* TCP state of the connection */
	bool fallback;
	uint64_t bytes_sent, bytes_acked, bytes_received;
	uint64_t bytes_reinjected; /* sent again on another subflow */
	uint64_t bytes_duplicate;  /* that arrived more than once on different subflows */
	struct mpb_wait wait; /* of data that have come, for those before them; until the reading */
	int64_t age_ms; /* since we know it; -1: not observed */
	char sched[MPB_NAME_LEN];
	const char *backend; /* that carries the scheduler out: stock, steer */
	uint32_t flips;      /* of priorities, by our scheduler */
	uint32_t joined;     /* subflows that ever were established; 0: not observed */
	uint32_t refused;
	int nsubflows;
	struct subflow_view *subflows;
	int nclosed;
	const struct mpb_past *closed; /* its subflows that have ended or were refused, the first one first */
};

/* A connection of which nothing is left but this. */
struct ended_view {
	uint32_t token;
	int n;
	const struct mpb_past *subflows; /* the last one ended it */
};

struct conns {
	int n;
	struct conn_view *list; /* by token */
	int nended;
	struct ended_view *ended;
	bool observed;
	struct mpb_ns counters;
	bool sighted; /* `sight` is loaded; else nobody notes who waits */
	uint64_t waits_full; /* times that it found no room to note it */
	uint64_t now_ns; /* CLOCK_MONOTONIC, when it was read */
	uint64_t since_ns; /* the same of the reading before; 0: there was none */
	struct mpb_snap *snaps;
	struct subflow_view *views;
	struct mpb_past *past;
};

#define MEMORY_NS 60000000000ULL /* for so long `stat` shows what has ended, unless all is asked for */

/* What ended longer than memory_ns ago is left out. */
int conns_read(const struct ns *ns, uint64_t memory_ns, struct conns *c);
void conns_free(struct conns *c);

/* Back to the order in which they were read. */
void conns_by_token(struct conns *c);

/* What each subflow did since an earlier reading, which is by token still; of those that were not there then, since they are. */
void conns_since(struct conns *now, const struct conns *before);

/* How long data that had come waited for those before them: total_ns, times and longest_ns. */
struct mpb_wait ended_wait(const struct ended_view *e);

/* Bytes that were sent again on another subflow. */
uint64_t ended_reinjected(const struct ended_view *e);

/* The subflow that it began with, as far as is remembered. */
const struct mpb_past *ended_first(const struct ended_view *e);

const char *tcp_state_word(unsigned int state); /* as in ss: ESTAB, FIN-WAIT-1, ... */

#endif
