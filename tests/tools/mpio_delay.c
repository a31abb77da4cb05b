// SPDX-License-Identifier: GPL-2.0-only
/* mpio's verbs that measure time: stream and sink (one way), ping (round trip). */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mpio.h"

#define BLOCK 1000 /* bytes, the first eight of which are its time of birth */

/* One of stream and sink listens, the other connects. Who connects speaks first, since Linux joins further subflows only after data; a stream does anyhow.
 * The listener stays open: a subflow that joins it needs it. */
static int meet(const char *addr, const char *port, bool listens)
{
	int fd;
	char hello = 'x';

	if (!listens) {
		fd = dial(addr, port);
		no_delay(fd);
		if (opt.reverse)
			put_all(fd, &hello, 1);
		return fd;
	}
	fd = take(serve(addr, port));
	no_delay(fd);
	if (opt.reverse && recv(fd, &hello, 1, MSG_WAITALL) != 1)
		die("hello");
	return fd;
}

int cmd_stream(const char *addr, const char *port)
{
	int64_t block[BLOCK / sizeof(int64_t)] = { 0 };
	int fd = meet(addr, port, opt.reverse);
	int64_t start = now_ns(), gap = (int64_t)(BLOCK * 8 * 1e9 / opt.rate);

	for (int64_t due = start; due < start + (int64_t)(opt.seconds * SEC); due += gap) {
		block[0] = due; /* a block that had to wait for the one before was born in time */
		if (now_ns() < due) {
			sleep_until(due);
			block[0] = now_ns();
		}
		put_all(fd, block, sizeof(block));
	}
	finish(fd);
	return 0;
}

/* Room for one more in a growing array. */
static int64_t *grow(int64_t *times, size_t n)
{
	if (n && (n < 1024 || n & (n - 1)))
		return times;
	times = realloc(times, (n ? 2 * n : 1024) * sizeof(*times));
	if (!times)
		die("memory");
	return times;
}

int cmd_sink(const char *addr, const char *port)
{
	int fd = meet(addr, port, !opt.reverse);
	int64_t block[BLOCK / sizeof(int64_t)], *delays = NULL, last = 0, longest = 0;
	char head[100];
	size_t n = 0;

	while (recv(fd, block, sizeof(block), MSG_WAITALL) == sizeof(block)) {
		int64_t now = now_ns();

		delays = grow(delays, n);
		delays[n++] = now - block[0];
		if (last && now - last > longest)
			longest = now - last;
		last = now;
	}
	close(fd);
	if (!n) {
		fprintf(stderr, "mpio: nothing arrived\n");
		return 1;
	}
	snprintf(head, sizeof(head), "\"blocks\":%zu,\"bytes\":%zu,\"gap_us\":%lld", n, n * BLOCK, longest / 1000LL);
	print_times(head, delays, n);
	free(delays);
	return 0;
}

int cmd_ping(const char *addr, const char *port)
{
	size_t count = opt.count ? opt.count : 100;
	int64_t *times = calloc(count, sizeof(*times)), start;
	char *message = calloc(1, opt.length), head[40];
	int *fds = calloc(opt.conns, sizeof(*fds));

	if (!times || !message || !fds)
		die("memory");
	for (size_t i = 0; i < opt.conns; i++) {
		fds[i] = dial(addr, port);
		no_delay(fds[i]);
	}
	start = now_ns();
	for (size_t i = 0; i < count; i++) {
		int fd = fds[i % opt.conns];
		int64_t sent;

		sleep_until(start + (int64_t)(i * opt.interval * 1e6));
		sent = now_ns();
		put_all(fd, message, opt.length);
		if (recv(fd, message, opt.length, MSG_WAITALL) != (ssize_t)opt.length) {
			fprintf(stderr, "mpio: %s: the echo ended after %zu messages\n", addr, i);
			return 1;
		}
		times[i] = now_ns() - sent;
	}
	for (size_t i = 0; i < opt.conns; i++)
		finish(fds[i]);
	snprintf(head, sizeof(head), "\"count\":%zu", count);
	print_times(head, times, count);
	free(fds);
	free(times);
	free(message);
	return 0;
}
