/* SPDX-License-Identifier: GPL-2.0-only */
/* What the observer has recorded of a namespace's connections and subflows. */
#ifndef MPB_RECORDS_H
#define MPB_RECORDS_H

#include <mptcp_bpf/sight.h>
#include <mptcp_bpf/state.h>
#include <mptcp_bpf/steer.h>
#include <mptcp_bpf/terms.h>
#include "ns.h"

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

/* Brings the records in line with the kernel's sockets: what closed unseen goes. Nothing to do where the namespace is not observed. */
int records_sweep(const struct ns *ns);

#endif
