/* SPDX-License-Identifier: GPL-2.0-only */
/* Relayed connections, one epoll loop a thread. A session begins with a handshake of its kind (a converter's, or a converter client's), and then moves
 * bytes both ways until both sides have ended. */
#ifndef MPB_CONVERT_LOOP_H
#define MPB_CONVERT_LOOP_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <mptcp_bpf/convert.h>
#include "flow.h"

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

enum step {
	STEP_WAIT,  /* for the next event */
	STEP_LOOK,  /* the same of the client, and look again meanwhile: it may be that no event tells */
	STEP_RELAY, /* the handshake is over */
	STEP_DRAIN, /* an error was sent: read on until the client closes, else its last bytes would reset the error away */
	STEP_CLOSE,
	STEP_RESET,
};

struct session {
	struct session *prev, *next; /* in the queue of its deadline */
	struct session *ready;       /* in the list of those with work left; itself at the end of it */
	struct session *look;        /* in the list of those that are looked at again; itself at the end of it */
	uint64_t since_us, look_us;  /* of these: from when, and when next */
	struct loop *loop;
	enum step (*step)(struct session *s); /* of the handshake; NULL: relays */
	bool draining, dead;
	bool watched;                /* the client is: from when something is awaited of it */
	bool pushes;                 /* and for room, since it did not take all at once */
	bool failed;                 /* an event has told an error */
	bool counted;                /* among its client's */
	bool heard;                  /* the client's key is known, if it speaks MPTCP */
	bool fallen;                 /* the client's MPTCP fell back to TCP before that */
	int client, server;          /* sockets; -1: none */
	uint32_t told;               /* EPOLL* of all events of the server's */
	struct flow up, down;
	uint64_t deadline_ms;
	struct sockaddr_in6 peer;    /* the client */
	__be32 dest[4];
	__be16 dest_port;
	uint32_t have;               /* bytes in buf: of the request, and then of the answer */
	uint32_t want;
	bool extended;               /* the Connect TLV had TCP options */
	bool info;                   /* an Info TLV came with it */
	enum step then;              /* once the answer is sent */
	uint8_t asked;               /* how often a client's relay has sent its request */
	uint8_t buf[MPB_CONVERT_MAX];
};

/* What sessions of a kind do. */
struct kind {
	enum step (*begin)(struct session *s); /* a connection was accepted: sets s->step */
	enum step (*late)(struct session *s);  /* the handshake's time is over: how it ends, not STEP_WAIT; NULL: by a reset */
	void (*full)(struct loop *l, int fd);  /* a connection that there is no room for: a last word to it; NULL: a reset */
	void (*end)(struct session *s);        /* it is over; may be NULL */
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

/* Watch the server's socket, which is on its way; edges. Its events alone are steps of the handshake from then on. */
int session_watch_server(struct session *s);

/* Go on where it can: the handshake's step, or what is to be relayed. */
void session_progress(struct session *s, uint64_t now_ms);

/* Reset the connection that goes on from here: there may be another. */
void session_hang_up(struct session *s);

#define COUNT(_loop, _name) __atomic_fetch_add(&(_loop)->n._name, 1, __ATOMIC_RELAXED)

#endif
