/* SPDX-License-Identifier: GPL-2.0-only */
/* One relayed connection. It begins with a handshake of its kind (a converter's, or a converter client's), and then moves bytes both ways until both sides
 * have ended. */
#ifndef MPB_CONVERT_SESSION_H
#define MPB_CONVERT_SESSION_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <mptcp_bpf/convert.h>
#include "flow.h"

struct epoll_event;
struct loop;

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

/* A connection was accepted: its handshake begins. False: there is no room for it, and the socket stays the caller's. */
bool session_begin(struct loop *l, int fd, const struct sockaddr_in6 *peer, uint64_t now_ms);

/* What epoll has told of one of its sockets. */
void session_happened(const struct epoll_event *ev, uint64_t now_ms);

/* Its deadline is over. After it the session is in its queue no more, or has another deadline. */
void session_late(struct session *s, uint64_t now_ms);

/* Watch the server's socket, which is on its way; edges. Its events alone are steps of the handshake from then on. */
int session_watch_server(struct session *s);

/* Go on where it can: the handshake's step, or what is to be relayed. */
void session_progress(struct session *s, uint64_t now_ms);

/* Reset the connection that goes on from here: there may be another. */
void session_hang_up(struct session *s);

/* The memory stays until the loop's turn is over: events that were fetched may still name it. */
void session_end(struct session *s, bool by_reset);

/* Ends a connection by a reset: TCP's, or MPTCP's fast close, for which SO_LINGER would not do. The descriptor stays. */
void socket_reset(int fd);

#endif
