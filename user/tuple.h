/* SPDX-License-Identifier: GPL-2.0-only */
/* Addresses of subflows as text. */
#ifndef MPB_USER_TUPLE_H
#define MPB_USER_TUPLE_H

#include <stddef.h>
#include <mptcp_bpf/state.h>

/* "10.0.0.1:80", "[fd00::1]:80". */
void tuple_local(const struct mpb_tuple *t, char *buf, size_t size);
void tuple_remote(const struct mpb_tuple *t, char *buf, size_t size);

/* Without ports, LOCAL>REMOTE. */
void tuple_path(const struct mpb_tuple *t, char *buf, size_t size);

#endif
