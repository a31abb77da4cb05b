/* SPDX-License-Identifier: GPL-2.0-only */
/* Connections as text for people, in human units. */
#ifndef MPB_USER_CONN_TEXT_H
#define MPB_USER_CONN_TEXT_H

#include "conn.h"

void conn_text(const struct conns *all, const struct conn_view *c);
void ended_text(const struct conns *all, const struct ended_view *e);

#endif
