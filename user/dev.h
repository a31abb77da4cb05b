/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MPB_DEV_H
#define MPB_DEV_H

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>

struct dev {
	int ifindex;
	char name[IFNAMSIZ];
	bool up;
	bool loopback;
	int link; /* bytes of link header that a packet has at tc and XDP: 14, or 0; -1: a kind that the packet walk does not know */
};

/* All devices of the namespace, in order of ifindex. *list is malloc'ed. Returns their number or -errno. */
int dev_list(struct dev **list);

/* Those of the names given, or, for n = 0, all that are up, not loopback and of a known kind; an unknown name or kind is an error. *list is
 * malloc'ed. Returns their number or -errno. */
int dev_select(const char (*names)[IFNAMSIZ], int n, struct dev **list);

/* The ifindex of the device that has the address (IPv4: mapped), of those that getifaddrs listed; 0: none has. */
int dev_of_address(const struct ifaddrs *list, const struct in6_addr *addr);

#endif
