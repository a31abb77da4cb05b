/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>
#include "flow.h"

#define CHUNK 65536 /* what a pipe holds by default */

static int pipe_take(struct pipes *p, int fd[2])
{
	if (!p->n)
		return pipe2(fd, O_NONBLOCK | O_CLOEXEC) ? -errno : 0;
	p->n--;
	fd[0] = p->fd[p->n][0];
	fd[1] = p->fd[p->n][1];
	return 0;
}

static void pipe_close(int fd[2])
{
	close(fd[0]);
	close(fd[1]);
}

static void pipe_give(struct pipes *p, int fd[2])
{
	if (p->n == PIPES_KEPT) {
		pipe_close(fd);
		return;
	}
	p->fd[p->n][0] = fd[0];
	p->fd[p->n][1] = fd[1];
	p->n++;
}

void pipes_close(struct pipes *p)
{
	while (p->n)
		pipe_close(p->fd[--p->n]);
}

/* Socket to pipe. Returns bytes, 0 when there is nothing or no room, -errno. */
static int take(struct flow *f, struct pipes *p, int from)
{
	ssize_t n;
	int err;

	if (f->ended || f->held >= CHUNK)
		return 0;
	if (!f->held) {
		err = pipe_take(p, f->pipe);
		if (err)
			return err;
	}
	n = splice(from, NULL, f->pipe[1], NULL, CHUNK - f->held, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
	err = n < 0 ? -errno : 0;
	if (n > 0)
		f->held += n;
	f->ended = !n;
	if (!f->held)
		pipe_give(p, f->pipe);
	return n > 0 ? n : err == -EAGAIN || err == -EINTR ? 0 : err;
}

/* Pipe to socket, the same way. */
static int give(struct flow *f, struct pipes *p, int to)
{
	ssize_t n;

	if (!f->held)
		return 0;
	n = splice(f->pipe[0], NULL, to, NULL, f->held, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	f->held -= n;
	if (!f->held)
		pipe_give(p, f->pipe);
	return n;
}

int flow_move(struct flow *f, struct pipes *p, int from, int to, int *budget, uint64_t *bytes)
{
	int in, out;

	do {
		if (!(*budget)--)
			return 1;
		in = take(f, p, from);
		out = in < 0 ? in : give(f, p, to);
		if (out < 0)
			return out;
		*bytes += out;
	} while (in || out);
	if (f->ended && !f->held && !f->shut) {
		f->shut = true;
		if (shutdown(to, SHUT_WR) && errno != ENOTCONN)
			return -errno;
	}
	return 0;
}

void flow_drop(struct flow *f)
{
	if (f->held)
		pipe_close(f->pipe);
	f->held = 0;
}
