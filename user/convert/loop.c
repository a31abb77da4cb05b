/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "err.h"
#include "look.h"

#define EVENTS 256
#define ACCEPTS 64  /* a turn, at most */
#define BUDGET 32   /* splices a session and turn */
#define OF_SERVER 1 /* in what an event names, beside the session */

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	return t.tv_sec * 1000ULL + t.tv_nsec / 1000000;
}

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

/* Ends a connection by a reset: TCP's, or MPTCP's fast close, for which SO_LINGER would not do. */
static void reset(int fd)
{
	struct sockaddr none = { .sa_family = AF_UNSPEC };

	if (fd >= 0)
		connect(fd, &none, sizeof(none));
}

/* The memory stays until the turn is over: events that were fetched may still name it. */
static void session_end(struct session *s, bool by_reset)
{
	struct loop *l = s->loop;

	if (s->dead)
		return;
	s->dead = true;
	queue_leave(s);
	if (by_reset) {
		reset(s->client);
		reset(s->server);
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
	reset(s->server);
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

static void happened(const struct epoll_event *ev, uint64_t now)
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

static void refuse(struct loop *l, int fd)
{
	if (l->kind->full)
		l->kind->full(l, fd);
	else
		reset(fd);
	close(fd);
	COUNT(l, full);
}

static void begin(struct loop *l, int fd, const struct sockaddr_in6 *peer, uint64_t now)
{
	struct session *s = l->n.sessions < l->max_sessions ? calloc(1, sizeof(*s)) : NULL;

	COUNT(l, accepted);
	if (!s) {
		refuse(l, fd);
		return;
	}
	s->loop = l;
	s->client = fd;
	s->server = -1;
	s->peer = *peer;
	s->step = l->kind->begin;
	s->up.dry = s->down.dry = true;
	__atomic_fetch_add(&l->n.sessions, 1, __ATOMIC_RELAXED);
	queue_join(s, now);
	obey(s, l->kind->begin(s), now);
}

/* At the limit of descriptors a spare one takes the connection, to refuse it: left in the queue it would wake the loop for ever. */
static int accept_spare(struct loop *l)
{
	int fd;

	close(l->spare);
	fd = accept4(l->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd >= 0)
		refuse(l, fd);
	l->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
	return fd < 0 ? -errno : 0;
}

static int accept_some(struct loop *l, int most, uint64_t now)
{
	int n;

	for (n = 0; n < most; n++) {
		struct sockaddr_in6 peer = {};
		socklen_t len = sizeof(peer);
		int fd = accept4(l->listener, (struct sockaddr *)&peer, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);

		if (fd >= 0)
			begin(l, fd, &peer, now);
		else if ((errno == EMFILE || errno == ENFILE) && l->spare >= 0 && !accept_spare(l))
			continue;
		else if (errno != ECONNABORTED && errno != EINTR)
			break;
	}
	return n;
}

/* As many as there may well be: asking for one more than there are is a call for nothing. */
static void accept_turn(struct loop *l, uint64_t now)
{
	int n = accept_some(l, l->accepts, now);

	if (n < l->accepts)
		l->accepts = n ? n : 1;
	else if (n < ACCEPTS)
		l->accepts = 2 * n;
}

static void expire(struct queue *q, uint64_t *counter, uint64_t now)
{
	struct session *s;

	while ((s = q->first) && s->deadline_ms <= now) {
		if (s->draining) {
			session_end(s, true);
			continue;
		}
		__atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);
		queue_leave(s);
		queue_join(s, now); /* should its end take time: as much again */
		obey(s, s->step && s->loop->kind->late ? s->loop->kind->late(s) : STEP_RESET, now);
	}
}

static void bury(struct loop *l)
{
	while (l->dead) {
		struct session *s = l->dead;

		l->dead = s->next;
		free(s);
	}
}

/* Each session that had more to do than its turn allowed gets another one. */
static void run_ready(struct loop *l, uint64_t now)
{
	struct session *s = l->ready, *next;

	l->ready = NULL;
	for (; s; s = next) {
		next = s->ready == s ? NULL : s->ready;
		s->ready = NULL;
		session_progress(s, now);
	}
}

static void listener_close(struct loop *l)
{
	if (l->listener < 0)
		return;
	close(l->listener);
	l->listener = -1;
}

void loop_run(struct loop *l, uint32_t grace_ms)
{
	struct epoll_event ev[EVENTS];
	uint64_t until = UINT64_MAX, now = now_ms();

	while (now < until && !__atomic_load_n(&l->abandon, __ATOMIC_ACQUIRE) && (l->listener >= 0 || l->n.sessions)) {
		int n = epoll_wait(l->epoll, ev, EVENTS, l->ready ? 0 : look_wait(l));

		now = now_ms();
		for (int i = 0; i < n; i++) {
			if (ev[i].data.ptr == l)
				accept_turn(l, now);
			else if (ev[i].data.ptr)
				happened(&ev[i], now);
		}
		if (__atomic_load_n(&l->stopping, __ATOMIC_ACQUIRE) && l->listener >= 0) {
			accept_some(l, ACCEPTS, now);
			listener_close(l);
			until = now + grace_ms;
			epoll_ctl(l->epoll, EPOLL_CTL_DEL, l->stop, NULL);
		}
		expire(&l->handshakes, &l->n.late, now);
		expire(&l->relays, &l->n.idle, now);
		run_ready(l, now); /* after it no dead session is in its list */
		look_again(l, now);
		bury(l);
	}
	while (l->handshakes.first)
		session_end(l->handshakes.first, true);
	while (l->relays.first)
		session_end(l->relays.first, true);
	bury(l);
	__atomic_store_n(&l->over, true, __ATOMIC_RELEASE);
}

void loop_stop(struct loop *l, bool at_once)
{
	__atomic_store_n(&l->abandon, at_once, __ATOMIC_RELEASE);
	__atomic_store_n(&l->stopping, true, __ATOMIC_RELEASE);
	eventfd_write(l->stop, 1);
}

int loop_init(struct loop *l, int listener, uint32_t handshake_ms, uint32_t idle_ms)
{
	struct epoll_event accepts = { .events = EPOLLIN, .data.ptr = l }, stops = { .events = EPOLLIN };

	l->listener = listener;
	l->accepts = 1;
	l->handshakes.limit_ms = handshake_ms;
	l->relays.limit_ms = idle_ms;
	l->epoll = epoll_create1(EPOLL_CLOEXEC);
	l->stop = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	l->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (l->epoll < 0 || l->stop < 0 || l->spare < 0 || epoll_ctl(l->epoll, EPOLL_CTL_ADD, listener, &accepts) ||
	    epoll_ctl(l->epoll, EPOLL_CTL_ADD, l->stop, &stops))
		return err_fail(errno, "epoll", "%s", strerror(errno));
	return 0;
}

void loop_free(struct loop *l)
{
	int fds[] = { l->listener, l->epoll, l->stop, l->spare };

	pipes_close(&l->pipes);
	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		if (fds[i] >= 0)
			close(fds[i]);
}
