/* SPDX-License-Identifier: GPL-2.0-only */
/* Endpoints of the kernel's path manager (ip mptcp endpoint), by generic netlink. */
#ifndef MPB_ENDPOINT_H
#define MPB_ENDPOINT_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

struct endpoint {
	struct in6_addr addr; /* IPv4 as IPv4-mapped */
	uint32_t flags;       /* MPTCP_PM_ADDR_FLAG_* */
	uint32_t ifindex;
	uint16_t port;        /* host order */
	uint8_t id;
	uint8_t pad;
};

/* The endpoint of an address: 0, or -ENOENT. */
int endpoint_find(const struct in6_addr *addr, struct endpoint *e);

/* Calls each() for all; stops at the first non-zero and returns it. */
int endpoint_each(int (*each)(const struct endpoint *e, void *arg), void *arg);

/* Is user space the path manager of new connections (sysctl pm_type)? Endpoints mean nothing to such. */
bool endpoint_idle(void);

/* Removing one announces it removed (RM_ADDR) on every connection that has it, and closes its subflows; with ID 0, what connections began on. Adding one
 * makes subflows, or announces it, on those that live. Return 0 or -errno. */
int endpoint_del(const struct endpoint *e);
int endpoint_add(const struct endpoint *e);

#endif
