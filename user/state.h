/* SPDX-License-Identifier: GPL-2.0-only */
/* A namespace's connections and subflows: its maps, and the observer that fills them. */
#ifndef MPB_USER_STATE_H
#define MPB_USER_STATE_H

#include <mptcp_bpf/state.h>
#include <mptcp_bpf/terms.h>
#include "ns.h"

/* Makes sure that the namespace is observed: the global observer runs, the namespace has its maps and is registered, and the connections that exist
 * already are recorded. max_subflows counts at the first call only; 0: the default. */
int state_ensure(const struct ns *ns, uint32_t max_subflows);

/* Ends the observation of a namespace in which nothing is loaded and of which nothing was said any more, and the observer itself after the last namespace. */
int state_release(const struct ns *ns);

/* The same whatever is loaded: for a namespace that no longer exists. */
int state_drop(const struct ns *ns);

/* Refuses maps of another version, whose entries are others. */
int state_check(const struct ns *ns);

/* One of the namespace's maps by its name: a descriptor, or -1 and errno. */
int state_map(const struct ns *ns, const char *name);

int state_counters(const struct ns *ns, struct mpb_ns *counters);
int state_terms(const struct ns *ns, struct mpb_terms_counts *counts);

#endif
