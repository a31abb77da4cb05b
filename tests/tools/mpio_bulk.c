// SPDX-License-Identifier: GPL-2.0-only
/* mpio's verbs that move bytes or keep connections: gen, recv, send, echo, hold. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "mpio.h"

/* Bytes `at`.. of the stream of a seed: splitmix64 of every eighth offset, however the stream is cut. */
static void fill(uint64_t at, uint8_t *buf, size_t n)
{
	uint64_t x = 0;

	for (size_t i = 0; i < n; i++, at++) {
		if (i == 0 || at % 8 == 0) {
			x = (opt.seed << 32) + at / 8 * 0x9e3779b97f4a7c15ULL;
			x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
			x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
			x ^= x >> 31;
		}
		buf[i] = x >> at % 8 * 8;
	}
}

int cmd_gen(const char *addr, const char *port)
{
	static uint8_t buf[65536];
	size_t n;

	(void)addr, (void)port;
	for (uint64_t at = 0; at < opt.bytes; at += n) {
		n = opt.bytes - at < sizeof(buf) ? opt.bytes - at : sizeof(buf);
		fill(at, buf, n);
		put_all(STDOUT_FILENO, buf, n);
	}
	return 0;
}

int cmd_recv(const char *addr, const char *port)
{
	static uint8_t buf[1 << 18];
	int listener = serve(addr, port);

	for (size_t i = 0; i < (opt.count ? opt.count : 1); i++) {
		int fd = take(listener);
		ssize_t n;

		while ((n = read(fd, buf, sizeof(buf))) > 0 || (n < 0 && errno == EINTR))
			if (n > 0)
				put_all(STDOUT_FILENO, buf, n);
		if (n < 0)
			die("read");
		close(fd);
	}
	return 0;
}

static volatile sig_atomic_t interrupted;

static void interrupt(int sig)
{
	(void)sig;
	interrupted = 1;
}

int cmd_send(const char *addr, const char *port)
{
	static uint8_t buf[65536];
	struct sigaction action = { .sa_handler = interrupt };
	int fd = dial(addr, port);
	int64_t start = now_ns();
	size_t chunk = sizeof(buf);
	uint64_t sent = 0;
	ssize_t n;
	double took;

	if (opt.rate && opt.rate * opt.grain / 8000 < chunk)
		chunk = opt.rate * opt.grain < 8000 ? 1 : opt.rate * opt.grain / 8000;
	sigaction(SIGINT, &action, NULL);
	for (; !interrupted; sent += n) {
		if (opt.rate)
			sleep_until(start + (int64_t)(sent * 8 * 1e9 / opt.rate));
		if (opt.seconds > 0 && now_ns() - start >= (int64_t)(opt.seconds * SEC))
			break;
		n = opt.bytes && opt.bytes - sent < chunk ? opt.bytes - sent : chunk;
		if (opt.bytes || opt.seconds > 0)
			fill(sent, buf, n);
		else
			n = read(STDIN_FILENO, buf, chunk);
		if (n < 0)
			die("stdin");
		if (n == 0)
			break;
		put_all(fd, buf, n);
	}
	finish(fd);
	took = (now_ns() - start) / 1e9;
	printf("{\"bytes\":%llu,\"seconds\":%.3f,\"mbps\":%.2f}\n", (unsigned long long)sent, took,
	       sent * 8 / took / 1e6);
	return 0;
}

struct peer {
	int fd;
	size_t off, len; /* of what is yet to be sent back */
	uint8_t buf[16384];
};

/* Send back what there is, else read more; false when the connection has ended. */
static bool echo_step(struct peer *p)
{
	ssize_t n;

	if (p->off == p->len) {
		n = read(p->fd, p->buf, sizeof(p->buf));
		p->off = 0;
		p->len = n > 0 ? n : 0;
		if (n <= 0)
			return n < 0 && (errno == EAGAIN || errno == EINTR);
	}
	n = write(p->fd, p->buf + p->off, p->len - p->off);
	if (n > 0)
		p->off += n;
	return n > 0 || errno == EAGAIN || errno == EINTR;
}

static void echo_accept(int listener, int events)
{
	struct peer *p = malloc(sizeof(*p));
	struct epoll_event ev = { .events = EPOLLIN, .data.ptr = p };

	if (!p)
		die("memory");
	p->fd = take(listener);
	p->off = p->len = 0;
	fcntl(p->fd, F_SETFL, O_NONBLOCK);
	if (epoll_ctl(events, EPOLL_CTL_ADD, p->fd, &ev))
		die("epoll");
}

int cmd_echo(const char *addr, const char *port)
{
	int listener = serve(addr, port), events = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event ev = { .events = EPOLLIN };

	if (events < 0 || epoll_ctl(events, EPOLL_CTL_ADD, listener, &ev))
		die("epoll");
	for (;;) {
		int n = epoll_wait(events, &ev, 1, -1);
		struct peer *p = ev.data.ptr;

		if (n < 0 && errno != EINTR)
			die("epoll");
		if (n <= 0)
			continue;
		if (!p) {
			echo_accept(listener, events);
		} else if (echo_step(p)) {
			ev.events = p->off < p->len ? EPOLLOUT : EPOLLIN;
			epoll_ctl(events, EPOLL_CTL_MOD, p->fd, &ev);
		} else {
			close(p->fd);
			free(p);
		}
	}
}

int cmd_hold(const char *addr, const char *port)
{
	size_t count = opt.count ? opt.count : 1;
	sigset_t end;
	int sig;

	sigemptyset(&end);
	sigaddset(&end, SIGTERM);
	sigaddset(&end, SIGINT);
	for (size_t i = 0; i < count; i++)
		put_all(dial(addr, port), "x", 1); /* Linux joins further subflows only after the first data */
	printf("held %zu\n", count);
	fflush(stdout);
	sigprocmask(SIG_BLOCK, &end, NULL);
	sigwait(&end, &sig);
	return 0;
}
