/* SPDX-License-Identifier: GPL-2.0-only */
/* Connections as JSON: numbers are plain, times in us or ms, rates in bits per second as their names say. */
#ifndef MPB_USER_CONN_JSON_H
#define MPB_USER_CONN_JSON_H

#include <jansson.h>
#include "conn.h"

json_t *conn_json(const struct conns *all, const struct conn_view *c);
json_t *ended_json(const struct conns *all, const struct ended_view *e);

#endif
