/* SPDX-License-Identifier: GPL-2.0-only */
/* Relayed connections, one epoll loop a thread. */
#ifndef MPB_CONVERT_LOOP_H
#define MPB_CONVERT_LOOP_H

#include "session.h"

/* X(name, help). */
#define CONVERT_COUNTERS(X)                                                     \
	X(accepted, "connections accepted")                                     \
	X(mptcp, "of these, by MPTCP")                                          \
	X(fastopen, "of these, with the request in the SYN")                    \
	X(relayed, "connections that came to be relayed")                       \
	X(info, "requests for the supported TCP extensions")                    \
	X(full, "connections refused: a limit was reached")                     \
	X(not_convert, "connections reset: what came is not Convert")           \
	X(late, "connections ended: the handshake took too long")               \
	X(idle, "connections ended: nothing was sent for too long")             \
	X(reset, "relayed connections that one side reset")                     \
	X(bytes_up, "bytes from clients to destinations")                       \
	X(bytes_down, "bytes from destinations to clients")

/* Of one thread; others read them meanwhile. */
struct counters {
#define X(name, help) uint64_t name;
	CONVERT_COUNTERS(X)
#undef X
	uint64_t error[128]; /* by code of the Error TLV */
	uint64_t sessions;   /* at this moment */
};

struct queue {
	struct session *first, *last;
	uint32_t limit_ms; /* the same for all in it, so that the first is the next due; 0: none */
};

struct loop {
	const void *config;
	const struct kind *kind;
	uint32_t max_sessions;
	int listener, epoll, stop, spare;
	int accepts; /* connections that are asked for a turn */
	bool stopping, abandon, over; /* told to stop; told not to wait; has stopped */
	struct queue handshakes, relays;
	struct session *ready, *dead, *look;
	uint64_t look_us; /* when the first of these is due; of use while there is one */
	struct pipes pipes;
	struct counters n;
};

int loop_init(struct loop *l, int listener, uint32_t handshake_ms, uint32_t idle_ms);
void loop_run(struct loop *l, uint32_t grace_ms); /* until loop_stop(), and then until the sessions are over or the time is */
void loop_stop(struct loop *l, bool at_once);
void loop_free(struct loop *l);

#define COUNT(_loop, _name) __atomic_fetch_add(&(_loop)->n._name, 1, __ATOMIC_RELAXED)

#endif
