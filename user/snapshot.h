/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MPB_SNAPSHOT_H
#define MPB_SNAPSHOT_H

#include <stdbool.h>
#include <mptcp_bpf/state.h>

/* Every live MPTCP subflow of the current network namespace, by the socket iterator. *list is malloc'ed. Returns the number or -errno. `adopt`: ask them
 * to report their end to the observer. */
int snapshot_read(bool adopt, struct mpb_snap **list);

#endif
