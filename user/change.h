/* SPDX-License-Identifier: GPL-2.0-only */
/* What no program is told of, found by looking twice: subflows that went stale or recovered, connections that fell back to TCP, policies that were swapped,
 * tables that are full, events that were lost, converters that were given up. */
#ifndef MPB_USER_CHANGE_H
#define MPB_USER_CHANGE_H

#include "conn.h"
#include "convert/shown.h"
#include "event.h"
#include "filter.h"

struct change {
	struct conns before;
	bool looked;
	char sched[MPB_SLOTS][MPB_NAME_LEN];
	uint64_t untold;
	struct converters_seen converters;
};

/* Tells what differs from the look before; the first look tells nothing. */
int change_look(struct change *c, struct teller *t, const struct filter *f);
void change_free(struct change *c);

#endif
