/* SPDX-License-Identifier: GPL-2.0-only */
/* A namespace's connections and subflows: its maps, and the observer that fills them. */
#ifndef MPB_USER_STATE_H
#define MPB_USER_STATE_H

#include <mptcp_bpf/sight.h>
#include <mptcp_bpf/state.h>
#include <mptcp_bpf/steer.h>
#include <mptcp_bpf/terms.h>
#include "ns.h"

/* Makes sure that the namespace is observed: the global observer runs, the namespace has its maps and is registered, and the connections that exist
 * already are recorded. max_subflows counts at the first call only; 0: the default. */
int state_ensure(const struct ns *ns, uint32_t max_subflows);

/* Ends the observation of a namespace in which nothing is loaded and of which nothing was said any more, and the observer itself after the last namespace. */
int state_release(const struct ns *ns);

/* The same whatever is loaded: for a namespace that no longer exists. */
int state_drop(const struct ns *ns);

/* Brings the records in line with the kernel's sockets: what closed unseen goes. Nothing to do where the namespace is not observed. */
int state_sweep(const struct ns *ns);

/* One of the namespace's maps by its name: a descriptor, or -1 and errno. */
int state_map(const struct ns *ns, const char *name);

/* The namespace's records, open for reading; all -1 where it is not observed. */
struct records {
	int conns, subflows, steered, sights, waits, past, watch, deals;
};
void records_open(const struct ns *ns, struct records *r);
void records_close(struct records *r);

/* One record; 0, or -ENOENT. */
int record_subflow(const struct records *r, const struct mpb_tuple *key, struct mpb_subflow *sf);
int record_conn(const struct records *r, uint32_t token, struct mpb_conn *conn);
int record_sight(const struct records *r, const struct mpb_tuple *key, struct mpb_sight *sight);
int record_deal(const struct records *r, const struct mpb_tuple *key, struct mpb_deal *deal);
int record_wait(const struct records *r, const struct mpb_waiter *key, struct mpb_wait *wait);
int record_steered(const struct records *r, uint32_t token, struct mpb_steer *steer);

/* A number of enum mpb_watch; 0 where nothing is observed. */
uint64_t record_watch(const struct records *r, enum mpb_watch what);

/* The subflows that have ended, the first one first. *list is malloc'ed. Returns their number. */
int records_past(const struct records *r, struct mpb_past **list);

int state_counters(const struct ns *ns, struct mpb_ns *counters);
int state_terms(const struct ns *ns, struct mpb_terms_counts *counts);

#endif
