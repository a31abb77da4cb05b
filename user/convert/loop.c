/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
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
#define ACCEPTS 64 /* a turn, at most */

static uint64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &t);
	return t.tv_sec * 1000ULL + t.tv_nsec / 1000000;
}

static void refuse(struct loop *l, int fd)
{
	if (l->kind->full)
		l->kind->full(l, fd);
	else
		socket_reset(fd);
	close(fd);
	COUNT(l, full);
}

static void take(struct loop *l, int fd, const struct sockaddr_in6 *peer, uint64_t now)
{
	COUNT(l, accepted);
	if (!session_begin(l, fd, peer, now))
		refuse(l, fd);
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
			take(l, fd, &peer, now);
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

static void expire(const struct queue *q, uint64_t now)
{
	while (q->first && q->first->deadline_ms <= now)
		session_late(q->first, now);
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
				session_happened(&ev[i], now);
		}
		if (__atomic_load_n(&l->stopping, __ATOMIC_ACQUIRE) && l->listener >= 0) {
			accept_some(l, ACCEPTS, now);
			listener_close(l);
			until = now + grace_ms;
			epoll_ctl(l->epoll, EPOLL_CTL_DEL, l->stop, NULL);
		}
		expire(&l->handshakes, now);
		expire(&l->relays, now);
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
