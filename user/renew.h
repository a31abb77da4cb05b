/* SPDX-License-Identifier: GPL-2.0-only */
/* Addresses and devices that come, and subflows that were lost: the kernel's path manager tries an endpoint once on each connection, so one whose address was
 * not there then, or that nothing uses any more, is taken out and put in again, under the device that has the address now. */
#ifndef MPB_RENEW_H
#define MPB_RENEW_H

#include <netinet/in.h>
#include <stdint.h>

#define RENEWALS_MAX 16

struct agent;

struct renewal {
	struct in6_addr addr;
	int ifindex;
	int tries;        /* so far: its routes may come later than the address */
	uint64_t at_ns;   /* the next one; 0: there is no such renewal */
	uint64_t hold_ns; /* after the last one: nothing before */
};

/* An address that a connection had a subflow from. */
struct renew_use {
	struct in6_addr addr;
	uint32_t token;
};

struct renew {
	struct renewal one[RENEWALS_MAX];
	int nuses;
	struct renew_use use[RENEWALS_MAX];
	uint64_t looked_ns;
};

/* The address is there, on this device, which works. */
void renew_address(struct agent *a, const struct in6_addr *addr, int ifindex);

/* Looks for what was lost, now and then, and tries what is due. */
void renew_look(struct agent *a, uint64_t now);

#endif
