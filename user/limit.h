/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MPB_USER_LIMIT_H
#define MPB_USER_LIMIT_H

#include "conn.h"

/* What keeps a subflow from sending more at this moment, in a word or few: "congestion window". */
const char *limit_word(const struct conn_view *c, const struct subflow_view *v);

/* The subflow that the stock scheduler would give the next data: mptcp_subflow_get_send() of the kernel; NULL: none. */
const struct subflow_view *limit_stock_choice(const struct conn_view *c);

/* Nanoseconds that the stock scheduler takes a subflow's queue to last: what it compares. */
uint64_t limit_stock_ns(const struct mpb_snap *s);

#endif
