/* SPDX-License-Identifier: GPL-2.0-only */
/* The client's side of a session, for applications that the programs in the kernel do not reach: a connection that was led here goes on through the
 * converter, its request in the SYN (MSG_FASTOPEN) or, on MPTCP unless told, behind the handshake, and only a converter's "done" lets bytes pass. */
#ifndef MPB_CONVERT_RELAY_H
#define MPB_CONVERT_RELAY_H

#include <pthread.h>
#include "loop.h"

#define RELAY_COOKIE_MAX 64

struct relay {
	struct sockaddr_in6 to;   /* the converter */
	bool mptcp;
	bool fastopen;            /* on MPTCP too */
	pthread_mutex_t lock;     /* of the cookie, which an error may bring */
	uint8_t cookie[RELAY_COOKIE_MAX];
	uint32_t cookie_len;
	bool brought;             /* the cookie, by an error */
};

extern const struct kind relay_kind;

#endif
