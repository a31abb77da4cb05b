/* SPDX-License-Identifier: GPL-2.0-only */
/* Which connections and events somebody wants to see: [TOKEN] [dev IF] [peer PREFIX] [state STATE] [sched NAME] [sort KEY] [event KIND,...] */
#ifndef MPB_USER_FILTER_H
#define MPB_USER_FILTER_H

#include <stdbool.h>
#include <mptcp_bpf/sight.h>
#include "args.h"
#include "conn.h"

enum filter_key { FILTER_DEV = 1, FILTER_PEER = 2, FILTER_STATE = 4, FILTER_SCHED = 8, FILTER_SORT = 16, FILTER_EVENT = 32 };
#define FILTER_CONNS (FILTER_DEV | FILTER_PEER | FILTER_STATE | FILTER_SCHED | FILTER_SORT)
#define FILTER_EVENTS (FILTER_PEER | FILTER_EVENT)

enum sort_key { SORT_TOKEN, SORT_AGE, SORT_BYTES, SORT_RATE, SORT_RTT };

struct filter {
	uint32_t token; /* 0: all */
	const char *dev, *state, *sched;
	const char *events; /* words with commas between */
	bool by_peer;
	__be32 peer[4];
	__u8 peer_bits;
	enum sort_key sort;
};

/* The words after the verb; `keys` are those that it takes. */
int filter_parse(const struct args *a, unsigned int keys, struct filter *f);

bool filter_conn(const struct filter *f, const struct conn_view *c); /* one of its subflows is as asked */
bool filter_ended(const struct filter *f, const struct ended_view *e);
bool filter_event(const struct filter *f, const char *word, const struct mpb_event *e); /* e NULL: of no subflow */

/* In the order asked for, the largest first. */
void filter_sort(const struct filter *f, struct conns *c);

#endif
