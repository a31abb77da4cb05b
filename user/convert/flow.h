/* SPDX-License-Identifier: GPL-2.0-only */
/* One direction of a relayed connection: bytes go from socket to pipe to socket by splice(2) and are never copied to user space. */
#ifndef MPB_CONVERT_FLOW_H
#define MPB_CONVERT_FLOW_H

#include <stdbool.h>
#include <stdint.h>

#define PIPES_KEPT 256

/* Empty pipes for reuse; one set a thread. */
struct pipes {
	int fd[PIPES_KEPT][2];
	int n;
};
void pipes_close(struct pipes *p);

struct flow {
	int pipe[2];  /* while it holds bytes */
	uint32_t held;
	bool ended;   /* the source has sent its last byte */
	bool shut;    /* and the destination was told */
};

/* Moves what can be moved, in at most *budget steps; adds to *bytes what went out. Returns 0 when both ends want to be waited for or all is done, 1 when
 * the budget is used up, -errno when the connection is broken. */
int flow_move(struct flow *f, struct pipes *p, int from, int to, int *budget, uint64_t *bytes);

/* For the end of a connection, whatever the pipe holds. */
void flow_drop(struct flow *f);

#endif
