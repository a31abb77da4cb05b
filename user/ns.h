/* SPDX-License-Identifier: GPL-2.0-only */
/* Which namespaces a call works in: the mount namespace of PID 1 (pins in a private one would die with it) and the network namespace that it is about. */
#ifndef MPB_NS_H
#define MPB_NS_H

#include <limits.h>
#include <stdint.h>

struct ns {
	uint64_t cookie;    /* SO_NETNS_COOKIE: unique while the machine runs, unlike the inode */
	char dir[PATH_MAX]; /* its pins */
};

/* Enters both; netns NULL stays in the caller's. Open files that the caller named before: paths mean something else afterwards.
 * Pins that another version of mptcp-bpf has made there are refused. */
int ns_enter(const char *netns, struct ns *ns);

#endif
