/* SPDX-License-Identifier: GPL-2.0-only */
/* The next transmission of one SYN by another path. Two routing rules for its ports alone: from its address there is no route; from no address, the routes
 * of the other path count. With ip_dynaddr the kernel chooses such a socket's address anew then (inet_sk_reselect_saddr). IPv4 only; where connections that are yet to
 * begin do so is a matter of rules alone, and of both. */
#ifndef MPB_DETOUR_H
#define MPB_DETOUR_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <mptcp_bpf/state.h>
#include "ns.h"

/* The routes from one address to another: the device, and the table. Returns 0 or -errno. */
int detour_route(const struct in6_addr *from, const struct in6_addr *to, int *ifindex, uint32_t *table);

int detour_add(const struct mpb_tuple *syn, uint32_t table);
void detour_del(const struct mpb_tuple *syn, uint32_t table);

/* New connections to this peer begin by the routes of the table, unless they have chosen an address; or (not on) as before. */
int detour_prefer(const struct mpb_tuple *t, uint32_t table, bool on);

/* ip_dynaddr is set, unless it is already, before the first of them, and no more after the last. That it was done is pinned, so that a SIGKILL leaves a trace.
 * Returns 0 or -errno. */
int detour_begin(const struct ns *ns);
void detour_end(const struct ns *ns);

/* All of this that there is in the namespace. */
void detour_flush(const struct ns *ns);

#endif
