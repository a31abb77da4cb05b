/* SPDX-License-Identifier: GPL-2.0-only */
/* A relay as a service: listeners, a thread for each core, signals, counters for whoever asks, a graceful end. */
#ifndef MPB_CONVERT_SERVICE_H
#define MPB_CONVERT_SERVICE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include "loop.h"

#define SERVICE_THREADS_MAX 64

struct service {
	const char *name;             /* of the kind: "serve" or "client" */
	struct sockaddr_in6 listen;   /* IPv4 as IPv4-mapped IPv6 */
	bool mptcp;                   /* the listener takes MPTCP (and TCP still) */
	bool transparent;             /* and connections to other hosts' addresses */
	bool mend_window;             /* of SYNs that bring requests */
	uint32_t threads;
	uint32_t max_sessions;        /* over all threads */
	uint32_t handshake_ms, idle_ms, grace_ms;
	const char *user;             /* whose rights it keeps; NULL: its own */
	const void *config;
	const struct kind *kind;
};

/* Runs until SIGTERM or SIGINT, and then until sessions have ended or the grace is over; a second signal ends it at once. */
int service_run(const struct service *v);

/* ADDRESS:PORT, [ADDRESS]:PORT or PORT. */
int endpoint_parse(const char *what, const char *word, struct sockaddr_in6 *to);
void endpoint_text(char *buf, size_t size, const struct sockaddr_in6 *ep);

#endif
