/* SPDX-License-Identifier: GPL-2.0-only */
/* The last minute or so of each path, for sparklines. */
#ifndef MPB_USER_HISTORY_H
#define MPB_USER_HISTORY_H

#include "conn.h"

#define HISTORY 20 /* readings */
#define HISTORY_PATHS 16

struct history_path {
	char dev[IFNAMSIZ];
	int subflows;
	double bits[HISTORY];   /* per second, both directions; the last is now */
	double rtt_us[HISTORY]; /* mean of the smoothed ones */
};

struct history {
	int n;
	struct history_path path[HISTORY_PATHS];
};

void history_add(struct history *h, const struct conns *c);

/* A character for each value, from the least to the greatest of them; into a buffer of HISTORY * 4 + 1, which is returned. */
const char *history_spark(const double v[HISTORY], char *buf);

#endif
