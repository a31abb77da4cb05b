/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MPB_NETLINK_H
#define MPB_NETLINK_H

#include <libmnl/libmnl.h>

#define NETLINK_REQUEST_MAX 8192 /* a request, and one datagram of an answer */

/* Send the dump request in buf (its header complete but for sequence number and port) on a netlink socket of this bus and hand every answer to each().
 * Returns 0 or -errno; each() returns MNL_CB_OK or MNL_CB_ERROR. */
int netlink_dump(int bus, struct nlmsghdr *request, mnl_cb_t each, void *arg);

/* The same for a request that is acknowledged; each may be NULL. */
int netlink_request(int bus, struct nlmsghdr *request, mnl_cb_t each, void *arg);

#endif
