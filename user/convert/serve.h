/* SPDX-License-Identifier: GPL-2.0-only */
/* The converter's side of a session: read the request, connect to its destination, answer, relay (RFC 8803 section 4). */
#ifndef MPB_CONVERT_SERVE_H
#define MPB_CONVERT_SERVE_H

#include <mptcp_bpf/convert.h>
#include "acl.h"
#include "clients.h"
#include "cookie.h"
#include "loop.h"

struct converter {
	struct acl clients;  /* who may use it */
	struct acl dests;    /* destinations; none: all that are not private */
	struct clients *count;
	struct cookie_key key;
	bool cookies;        /* a Connect needs one */
	bool upstream_mptcp; /* towards destinations too */
	bool proxy_protocol; /* tell destinations the client's address */
};

extern const struct kind serve_kind;

#endif
