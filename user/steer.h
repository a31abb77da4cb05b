/* SPDX-License-Identifier: GPL-2.0-only */
/* A namespace's scheduler runtime: its programs and maps, the slots of its policies, and the calls that make it look at connections which get no
 * segments. Pinned in COOKIE/steer/. */
#ifndef MPB_USER_STEER_H
#define MPB_USER_STEER_H

#include <mptcp_bpf/steer.h>
#include "dev.h"
#include "ns.h"

int steer_start(const struct ns *ns);  /* nothing to do where it runs */
int steer_stop(const struct ns *ns);   /* gives every connection back to the stock scheduler first */
int steer_sweep(const struct ns *ns);  /* what a killed call left */
bool steer_runs(const struct ns *ns);

/* Attach to those of the devices where it is not yet. */
int steer_attach(const struct ns *ns, const struct dev *devs, int n);

/* One of its maps by its name: a descriptor, or -1 and errno. */
int steer_map(const struct ns *ns, const char *name);

/* The slots that hold the program with this ID, a bit each; 0 asks for the empty ones (slot 0 never is). */
uint64_t steer_slots(const struct ns *ns, uint32_t prog_id);
int steer_slot_set(const struct ns *ns, int slot, int prog);
void steer_slot_clear(const struct ns *ns, int slot);

/* Run the runtime on every connection: as it is, or after asking the rules anew (struct mpb_kick). */
int steer_kick(const struct ns *ns, enum mpb_kick_op op);

/* Tell it that the paths have changed. */
int steer_paths(const struct ns *ns, uint32_t generation);

int steer_counts(const struct ns *ns, struct mpb_steer_counts *sum);

#endif
