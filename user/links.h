/* SPDX-License-Identifier: GPL-2.0-only */
/* The devices of the namespace and their addresses, as they are at one moment. */
#ifndef MPB_LINKS_H
#define MPB_LINKS_H

#include <netinet/in.h>
#include <stdbool.h>

struct link_device {
	int ifindex;
	unsigned int flags; /* IFF_ */
};

struct link_address {
	struct in6_addr addr; /* IPv4: mapped */
	int ifindex;
	bool usable;          /* its duplicates have been looked for */
};

struct links {
	struct link_device *devices;
	struct link_address *addresses;
	int ndevices, naddresses;
};

/* Returns 0 or -errno; -EINTR: they changed meanwhile. */
int links_read(struct links *l);
void links_free(struct links *l);

const struct link_device *links_device(const struct links *l, int ifindex);
const struct link_address *links_address(const struct links *l, const struct in6_addr *addr, int ifindex); /* 0: of any device */

/* Up, and with a carrier. */
bool links_work(const struct links *l, int ifindex);

#endif
