/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MPB_DIAG_H
#define MPB_DIAG_H

#include <stdbool.h>
#include "uapi.h"

/* A connection as the kernel's own diagnostics have it. */
struct diag_conn {
	unsigned char state;
	bool has_bytes; /* kernel from 6.5 */
	struct mpb_mptcp_info info;
};

/* All MPTCP connections of the current namespace, sorted by token. *list is malloc'ed. Returns the number, or -errno (no record of the error is made). */
int diag_connections(struct diag_conn **list);

/* By token; NULL if it is not there. */
const struct diag_conn *diag_find(const struct diag_conn *list, int n, __u32 token);

/* End one TCP socket by its addresses, local end first, as `ss -K` does; one that is bound to a device is only found with that. 0 or -errno. */
struct mpb_tuple;
int diag_destroy(const struct mpb_tuple *t, int ifindex);

#endif
