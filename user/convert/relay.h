/* SPDX-License-Identifier: GPL-2.0-only */
/* The client's side of a session, for applications that the programs in the kernel do not reach: a connection that was led here goes on through the
 * converter, its request in the SYN (MSG_FASTOPEN), and only a converter's "done" lets bytes pass. */
#ifndef MPB_CONVERT_RELAY_H
#define MPB_CONVERT_RELAY_H

#include <pthread.h>
#include "loop.h"

#define RELAY_COOKIE_MAX 64

struct relay {
	struct sockaddr_in6 to;   /* the converter */
	bool mptcp;
	pthread_mutex_t lock;     /* of the cookie, which an error may bring */
	uint8_t cookie[RELAY_COOKIE_MAX];
	uint32_t cookie_len;
};

enum step relay_begin(struct session *s);

#endif
