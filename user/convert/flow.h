/* SPDX-License-Identifier: GPL-2.0-only */
/* One direction of a relayed connection. Bulk goes from socket to pipe to socket by splice(2) and is never copied to user space; what comes in small pieces is
 * copied, which takes fewer calls. */
#ifndef MPB_CONVERT_FLOW_H
#define MPB_CONVERT_FLOW_H

#include <stdbool.h>
#include <stdint.h>

#define PIPES_KEPT 256
#define FLOW_COPY 16384 /* bytes; a source that has as many is spliced */

/* Empty pipes for reuse, and room for what is copied; one set a thread. */
struct pipes {
	int fd[PIPES_KEPT][2];
	int n;
	uint8_t copy[FLOW_COPY];
};
void pipes_close(struct pipes *p);

struct flow {
	int pipe[2];  /* while it holds bytes */
	uint32_t held;
	bool bulk;    /* is spliced */
	bool dry;     /* the source has nothing, until an event says so */
	bool urgent;  /* one has told of urgent data: reads end there, though more may follow */
	bool last;    /* an event has said that the source's last byte has arrived */
	bool ended;   /* and it was read */
	bool shut;    /* and the destination was told */
};

/* Moves what can be moved, in at most *budget steps; adds to *bytes what went out. Returns 0 when both ends want to be waited for or all is done, 1 when
 * the budget is used up, -errno when the connection is broken. */
int flow_move(struct flow *f, struct pipes *p, int from, int to, int *budget, uint64_t *bytes);

/* Its last byte was sent on. */
static inline bool flow_done(const struct flow *f)
{
	return f->ended && !f->held;
}

/* For the end of a connection, whatever the pipe holds. */
void flow_drop(struct flow *f);

#endif
