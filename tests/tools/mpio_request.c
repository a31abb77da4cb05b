// SPDX-License-Identifier: GPL-2.0-only
/* mpio's verbs that ask and answer on one kept connection: respond, request. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "mpio.h"

#define PIECE 65536

/* What a request begins with; it is followed by up - sizeof(struct ask) bytes. Both ends are on one machine: host byte order. */
struct ask {
	uint64_t up, down; /* bytes: of the request in all, and of the response */
};

/* Reads n bytes and drops them; false when the connection ended before. */
static bool drop(int fd, uint64_t n)
{
	static char buf[PIECE];
	ssize_t got;

	for (; n; n -= got) {
		got = recv(fd, buf, n < PIECE ? n : PIECE, 0);
		if (got <= 0)
			return false;
	}
	return true;
}

static void put_zeros(int fd, uint64_t n)
{
	static const char zeros[PIECE];

	for (; n > PIECE; n -= PIECE)
		put_all(fd, zeros, PIECE);
	put_all(fd, zeros, n);
}

int cmd_respond(const char *addr, const char *port)
{
	int listener = serve(addr, port);
	struct ask ask;

	for (size_t i = 0; i < (opt.count ? opt.count : 1); i++) {
		int fd = take(listener);

		no_delay(fd);
		while (recv(fd, &ask, sizeof(ask), MSG_WAITALL) == sizeof(ask) && ask.up >= sizeof(ask) && drop(fd, ask.up - sizeof(ask)))
			put_zeros(fd, ask.down);
		close(fd);
	}
	return 0;
}

int cmd_request(const char *addr, const char *port)
{
	struct ask ask = { .up = opt.length < sizeof(ask) ? sizeof(ask) : opt.length, .down = opt.bytes ? opt.bytes : 1 };
	size_t count = opt.count ? opt.count : 100;
	int64_t *times = calloc(count, sizeof(*times)), start;
	char head[40];
	int fd;

	if (!times)
		die("memory");
	fd = dial(addr, port);
	no_delay(fd);
	start = now_ns();
	for (size_t i = 0; i < count; i++) {
		int64_t asked;

		sleep_until(start + (int64_t)(i * opt.interval * 1e6));
		asked = now_ns();
		put_all(fd, &ask, sizeof(ask));
		put_zeros(fd, ask.up - sizeof(ask));
		if (!drop(fd, ask.down)) {
			fprintf(stderr, "mpio: %s: the connection ended after %zu responses\n", addr, i);
			return 1;
		}
		times[i] = now_ns() - asked;
	}
	finish(fd);
	snprintf(head, sizeof(head), "\"count\":%zu", count);
	print_times(head, times, count);
	free(times);
	return 0;
}
