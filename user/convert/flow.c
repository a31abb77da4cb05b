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

/* What a read from the source has told. Returns bytes, 0 when there is nothing, -errno. */
static int told(struct flow *f, ssize_t n)
{
	if (n > 0)
		return n;
	f->ended = !n;
	f->dry = n < 0 && errno == EAGAIN;
	return !n || errno == EAGAIN || errno == EINTR ? 0 : -errno;
}

/* Socket to pipe. Returns bytes, 0 when there is nothing or no room, -errno. */
static int take(struct flow *f, struct pipes *p, int from)
{
	int n, err;

	if (f->ended || f->dry || f->held >= CHUNK)
		return 0;
	if (!f->held) {
		err = pipe_take(p, f->pipe);
		if (err)
			return err;
	}
	n = told(f, splice(from, NULL, f->pipe[1], NULL, CHUNK - f->held, SPLICE_F_MOVE | SPLICE_F_NONBLOCK));
	f->dry = f->dry && !f->held; /* else it may be the pipe that has no room: it counts pages, not bytes */
	if (n > 0)
		f->held += n;
	if (!f->held)
		pipe_give(p, f->pipe);
	return n;
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

/* What a socket does not take at once waits in a pipe, which has room for all of it. */
static int hold(struct flow *f, struct pipes *p, uint32_t from, uint32_t n)
{
	int err = pipe_take(p, f->pipe);

	if (err)
		return err;
	f->held = n - from;
	return write(f->pipe[1], p->copy + from, n - from) == n - from ? 0 : -EIO;
}

/* Socket to socket. Returns the bytes read, 0, or -errno. A read that has not filled the room has left nothing behind, not even the end when that had been
 * announced before. */
static int copy(struct flow *f, struct pipes *p, int from, int to, uint64_t *bytes)
{
	ssize_t out;
	int n, err;

	if (f->ended || f->dry)
		return 0;
	n = told(f, recv(from, p->copy, sizeof(p->copy), MSG_DONTWAIT));
	if (n <= 0)
		return n;
	f->bulk = n == sizeof(p->copy);
	f->dry = !f->bulk && !f->urgent;
	f->ended = f->dry && f->last;
	out = send(to, p->copy, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (out < 0 && errno != EAGAIN && errno != EINTR)
		return -errno;
	if (out > 0)
		*bytes += out;
	err = out < n ? hold(f, p, out > 0 ? out : 0, n) : 0;
	return err ? err : n;
}

int flow_move(struct flow *f, struct pipes *p, int from, int to, int *budget, uint64_t *bytes)
{
	uint64_t before = *bytes;
	int in, out;

	do {
		if (!(*budget)--)
			return 1;
		if (f->bulk || f->held) {
			in = take(f, p, from);
			out = in < 0 ? in : give(f, p, to);
			*bytes += out > 0 ? out : 0;
		} else {
			in = copy(f, p, from, to, bytes);
			out = in < 0 ? in : 0;
		}
		if (out < 0)
			return out;
	} while (in || out);
	if (f->dry && *bytes - before < FLOW_COPY)
		f->bulk = false;
	return 0;
}

void flow_drop(struct flow *f)
{
	if (f->held)
		pipe_close(f->pipe);
	f->held = 0;
}
