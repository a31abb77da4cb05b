/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>
#include "look.h"

#define BUDGET 32   /* splices a session and turn */
#define OF_SERVER 1 /* in what an event names, beside the session */

static struct queue *queue_of(struct session *s)
{
	return s->step || s->draining ? &s->loop->handshakes : &s->loop->relays;
}

static void queue_leave(struct session *s)
{
	struct queue *q = queue_of(s);

	*(s->prev ? &s->prev->next : &q->first) = s->next;
	*(s->next ? &s->next->prev : &q->last) = s->prev;
}

static void queue_join(struct session *s, uint64_t now)
{
	struct queue *q = queue_of(s);

	s->deadline_ms = q->limit_ms ? now + q->limit_ms : UINT64_MAX;
	s->prev = q->last;
	s->next = NULL;
	*(q->last ? &q->last->next : &q->first) = s;
	q->last = s;
}

void socket_reset(int fd)
{
	struct sockaddr none = { .sa_family = AF_UNSPEC };

	if (fd >= 0)
		connect(fd, &none, sizeof(none));
}

void session_end(struct session *s, bool by_reset)
{
	struct loop *l = s->loop;

	if (s->dead)
		return;
	s->dead = true;
	queue_leave(s);
	if (by_reset) {
		socket_reset(s->client);
		socket_reset(s->server);
	}
	if (s->client >= 0)
		close(s->client);
	if (s->server >= 0)
		close(s->server);
	flow_drop(&s->up);
	flow_drop(&s->down);
	if (l->kind->end)
		l->kind->end(s);
	s->next = l->dead;
	l->dead = s;
	__atomic_fetch_sub(&l->n.sessions, 1, __ATOMIC_RELAXED);
}

static int watch(struct session *s, int fd, int how, uint32_t events, uint64_t end)
{
	struct epoll_event ev = { .events = events | EPOLLIN | EPOLLPRI | EPOLLRDHUP | EPOLLET, .data.u64 = (uintptr_t)s | end };

	return epoll_ctl(s->loop->epoll, how, fd, &ev) ? -errno : 0;
}

int session_watch_server(struct session *s)
{
	return watch(s, s->server, EPOLL_CTL_ADD, EPOLLOUT, OF_SERVER);
}

/* What it has sent before shows by an event at once. */
static int watch_client(struct session *s)
{
	int err = s->watched ? 0 : watch(s, s->client, EPOLL_CTL_ADD, 0, 0);

	s->watched = !err;
	return err;
}

void session_hang_up(struct session *s)
{
	socket_reset(s->server);
	close(s->server);
	s->server = -1;
	s->told = 0;
	s->down = (struct flow){ .dry = true };
}

static void ready_join(struct session *s)
{
	if (s->ready)
		return;
	s->ready = s->loop->ready ? s->loop->ready : s;
	s->loop->ready = s;
}

/* A source that has ended is not read any more: a reset that comes after its end shows only here. */
static bool is_broken(int fd, const struct flow *f)
{
	socklen_t len = sizeof(int);
	int err = 0;

	return f->ended && !getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len) && err;
}

static int pass_end(struct flow *f, int to)
{
	if (!flow_done(f) || f->shut)
		return 0;
	f->shut = true;
	return shutdown(to, SHUT_WR) && errno != ENOTCONN ? -errno : 0;
}

/* Both directions, and what follows of it. Returns 1 when there is more to do, -errno when the connection is broken. */
static int move(struct session *s)
{
	struct loop *l = s->loop;
	uint64_t up = 0, down = 0;
	int a = BUDGET, b = BUDGET, more, back;

	more = flow_move(&s->up, &l->pipes, s->client, s->server, &a, &up);
	back = more < 0 ? more : flow_move(&s->down, &l->pipes, s->server, s->client, &b, &down);
	__atomic_fetch_add(&l->n.bytes_up, up, __ATOMIC_RELAXED);
	__atomic_fetch_add(&l->n.bytes_down, down, __ATOMIC_RELAXED);
	if (back < 0 || (s->failed && (is_broken(s->client, &s->up) || is_broken(s->server, &s->down))))
		return -ECONNRESET;
	if (flow_done(&s->up) && flow_done(&s->down))
		return 0;
	if (pass_end(&s->up, s->server) || pass_end(&s->down, s->client))
		return -ECONNRESET;
	if (s->down.held && !s->pushes) {
		s->pushes = true;
		if (watch(s, s->client, EPOLL_CTL_MOD, EPOLLOUT, 0))
			return -ECONNRESET;
	}
	return more || back;
}

static void relay(struct session *s)
{
	int more = move(s);

	if (more < 0) {
		COUNT(s->loop, reset);
		session_end(s, true);
	} else if (flow_done(&s->up) && flow_done(&s->down)) {
		session_end(s, false);
	} else if (more) {
		ready_join(s);
	}
}

static void drain(struct session *s)
{
	ssize_t n;

	do
		n = recv(s->client, s->buf, sizeof(s->buf), MSG_DONTWAIT);
	while (n > 0);
	if (!n || (errno != EAGAIN && errno != EINTR))
		session_end(s, false);
}

static void obey(struct session *s, enum step step, uint64_t now)
{
	switch (step) {
	case STEP_LOOK:
		look_join(s);
		if (watch_client(s))
			session_end(s, true);
		return;
	case STEP_WAIT:
		if (s->server < 0 && watch_client(s))
			session_end(s, true);
		return;
	case STEP_CLOSE:
	case STEP_RESET:
		session_end(s, step == STEP_RESET);
		return;
	case STEP_DRAIN:
		s->draining = true;
		shutdown(s->client, SHUT_WR);
		if (watch_client(s))
			session_end(s, true);
		else
			drain(s);
		return;
	case STEP_RELAY:
		queue_leave(s);
		s->step = NULL;
		queue_join(s, now);
		COUNT(s->loop, relayed);
		if (s->fallen)
			look_join(s);
		if (watch_client(s))
			session_end(s, true);
		else
			relay(s);
	}
}

void session_progress(struct session *s, uint64_t now)
{
	if (s->dead)
		return;
	if (s->draining) {
		drain(s);
	} else if (s->step) {
		obey(s, s->step(s), now);
	} else {
		queue_leave(s);
		queue_join(s, now);
		relay(s);
	}
}

void session_happened(const struct epoll_event *ev, uint64_t now)
{
	struct session *s = (void *)(uintptr_t)(ev->data.u64 & ~(uint64_t)OF_SERVER);
	bool of_server = ev->data.u64 & OF_SERVER;
	struct flow *f = of_server ? &s->down : &s->up;

	if (s->dead)
		return;
	f->dry = f->dry && !(ev->events & ~EPOLLOUT);
	f->last = f->last || ev->events & EPOLLRDHUP;
	f->urgent = f->urgent || ev->events & EPOLLPRI;
	s->failed = s->failed || ev->events & EPOLLERR;
	if (of_server)
		s->told |= ev->events;
	if (s->step && !s->draining && !of_server && s->server >= 0 && !s->look)
		return;
	session_progress(s, now);
}

bool session_begin(struct loop *l, int fd, const struct sockaddr_in6 *peer, uint64_t now)
{
	struct session *s = l->n.sessions < l->max_sessions ? calloc(1, sizeof(*s)) : NULL;

	if (!s)
		return false;
	s->loop = l;
	s->client = fd;
	s->server = -1;
	s->peer = *peer;
	s->step = l->kind->begin;
	s->up.dry = s->down.dry = true;
	__atomic_fetch_add(&l->n.sessions, 1, __ATOMIC_RELAXED);
	queue_join(s, now);
	obey(s, l->kind->begin(s), now);
	return true;
}

void session_late(struct session *s, uint64_t now)
{
	struct loop *l = s->loop;

	if (s->draining) {
		session_end(s, true);
		return;
	}
	__atomic_fetch_add(s->step ? &l->n.late : &l->n.idle, 1, __ATOMIC_RELAXED);
	queue_leave(s);
	queue_join(s, now); /* should its end take time: as much again */
	obey(s, s->step && l->kind->late ? l->kind->late(s) : STEP_RESET, now);
}
