// SPDX-License-Identifier: GPL-2.0-only
/* mpio - traffic on kernel MPTCP sockets for the tests, the demo and the benchmarks; -t uses plain TCP.
 *   mpio gen  -b BYTES [-s SEED]                      the pseudo-random stream to stdout
 *   mpio recv [-t] [-n COUNT] ADDR PORT               listen; the payload of COUNT connections to stdout
 *   mpio send [-t] [-b BYTES [-s SEED]] [-r BIT/S] [-d SEC] ADDR PORT   send stdin, or the stream; one JSON line when all is acknowledged
 *   mpio sink [-t] ADDR PORT                          listen; one-way delays of a stream as JSON
 *   mpio stream [-t] -r BIT/S -d SEC ADDR PORT        timestamped blocks for sink (same machine, CLOCK_MONOTONIC)
 *   mpio hold [-t] -c COUNT ADDR PORT                 open COUNT connections, send a byte on each, keep them until SIGTERM */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define MPTCP_PROTO 262
#define BLOCK 1000 /* bytes of a timestamped block */
#define SEC 1000000000LL

static struct {
	bool tcp;
	uint64_t bytes, seed, rate;
	double seconds;
	int count;
} opt = { .seed = 1, .count = 1 };

static void die(const char *what)
{
	fprintf(stderr, "mpio: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * SEC + t.tv_nsec;
}

static void sleep_until(int64_t when)
{
	struct timespec t = { when / SEC, when % SEC };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL) == EINTR)
		;
}

static struct addrinfo *resolve(const char *addr, const char *port)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV }, *ai;
	int err = getaddrinfo(addr, port, &hints, &ai);

	if (err) {
		fprintf(stderr, "mpio: %s port %s: %s\n", addr, port, gai_strerror(err));
		exit(2);
	}
	return ai;
}

static int open_socket(int family)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, opt.tcp ? IPPROTO_TCP : MPTCP_PROTO);

	if (fd < 0)
		die("socket");
	return fd;
}

static int dial(const char *addr, const char *port)
{
	struct addrinfo *ai = resolve(addr, port);
	int fd = open_socket(ai->ai_family);

	if (connect(fd, ai->ai_addr, ai->ai_addrlen))
		die("connect");
	freeaddrinfo(ai);
	return fd;
}

static int serve(const char *addr, const char *port)
{
	struct addrinfo *ai = resolve(addr, port);
	int fd = open_socket(ai->ai_family), one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, ai->ai_addr, ai->ai_addrlen) || listen(fd, 4096))
		die("listen");
	freeaddrinfo(ai);
	fprintf(stderr, "listening\n");
	return fd;
}

static int take(int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		die("accept");
	return fd;
}

static void put_all(int fd, const void *buf, size_t n)
{
	for (const char *p = buf; n;) {
		ssize_t done = write(fd, p, n);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			die("write");
		p += done;
		n -= done;
	}
}

/* xorshift64*: the same stream for the same seed. */
static void fill(uint64_t *x, uint8_t *buf, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		*x ^= *x >> 12;
		*x ^= *x << 25;
		*x ^= *x >> 27;
		buf[i] = (*x * 0x2545f4914f6cdd1dULL) >> 56;
	}
}

static uint64_t seeded(void)
{
	return opt.seed * 0x9e3779b97f4a7c15ULL + 1;
}

static int cmd_gen(void)
{
	static uint8_t buf[65536];
	uint64_t x = seeded();

	for (uint64_t left = opt.bytes; left;) {
		size_t n = left < sizeof(buf) ? left : sizeof(buf);

		fill(&x, buf, n);
		put_all(STDOUT_FILENO, buf, n);
		left -= n;
	}
	return 0;
}

static int cmd_recv(const char *addr, const char *port)
{
	static uint8_t buf[1 << 18];
	int listener = serve(addr, port);

	for (int i = 0; i < opt.count; i++) {
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

/* The peer closes when it has read all: the time counts the last byte's arrival. */
static void finish(int fd)
{
	char c;

	shutdown(fd, SHUT_WR);
	while (read(fd, &c, 1) > 0)
		;
	close(fd);
}

static int cmd_send(const char *addr, const char *port)
{
	static uint8_t buf[65536];
	int fd = dial(addr, port);
	int64_t start = now_ns();
	uint64_t x = seeded(), sent = 0;
	double took;

	for (;;) {
		size_t room = sizeof(buf);
		ssize_t n;

		if (opt.rate) {
			room = opt.rate / 8 / 1000; /* a millisecond's worth */
			if (room < 1 || room > sizeof(buf))
				room = room ? sizeof(buf) : 1;
			sleep_until(start + (int64_t)(sent * 8 * 1e9 / opt.rate));
		}
		if (opt.seconds > 0 && now_ns() - start >= (int64_t)(opt.seconds * SEC))
			break;
		if (opt.bytes || opt.seconds > 0) {
			n = opt.bytes && opt.bytes - sent < room ? opt.bytes - sent : room;
			fill(&x, buf, n);
		} else {
			n = read(STDIN_FILENO, buf, room);
		}
		if (n <= 0)
			break;
		put_all(fd, buf, n);
		sent += n;
	}
	finish(fd);
	took = (now_ns() - start) / 1e9;
	printf("{\"bytes\":%llu,\"seconds\":%.3f,\"mbps\":%.2f}\n", (unsigned long long)sent, took, sent * 8 / took / 1e6);
	return 0;
}

static int cmd_stream(const char *addr, const char *port)
{
	int fd = dial(addr, port), one = 1;
	int64_t start = now_ns(), gap = (int64_t)(BLOCK * 8 * 1e9 / opt.rate);

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	for (int64_t due = start; due < start + (int64_t)(opt.seconds * SEC); due += gap) {
		int64_t block[BLOCK / sizeof(int64_t)] = { 0 };

		sleep_until(due);
		block[0] = now_ns();
		put_all(fd, block, sizeof(block));
	}
	finish(fd);
	return 0;
}

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

static int cmd_sink(const char *addr, const char *port)
{
	int listener = serve(addr, port), fd = take(listener);
	int64_t block[BLOCK / sizeof(int64_t)], *delays = NULL, last = 0, longest = 0;
	size_t n = 0, size = 0;

	while (recv(fd, block, sizeof(block), MSG_WAITALL) == sizeof(block)) {
		int64_t now = now_ns();

		if (n == size) {
			size = size ? 2 * size : 4096;
			delays = realloc(delays, size * sizeof(*delays));
			if (!delays)
				die("memory");
		}
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
	qsort(delays, n, sizeof(*delays), by_value);
	printf("{\"blocks\":%zu,\"p50_us\":%lld,\"p95_us\":%lld,\"p99_us\":%lld,\"max_us\":%lld,\"gap_us\":%lld}\n", n, (long long)delays[n / 2] / 1000,
	       (long long)delays[n * 95 / 100] / 1000, (long long)delays[n * 99 / 100] / 1000, (long long)delays[n - 1] / 1000, (long long)longest / 1000);
	return 0;
}

static int cmd_hold(const char *addr, const char *port)
{
	for (int i = 0; i < opt.count; i++)
		put_all(dial(addr, port), "x", 1); /* Linux joins further subflows after the first data only */
	printf("held %d\n", opt.count);
	fflush(stdout);
	pause();
	return 0;
}

int main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";
	int c;

	signal(SIGPIPE, SIG_IGN);
	optind = 2;
	while (argc > 1 && (c = getopt(argc, argv, "tb:s:r:d:n:c:")) != -1) {
		if (c == 't')
			opt.tcp = true;
		else if (c == 'b')
			opt.bytes = strtoull(optarg, NULL, 0);
		else if (c == 's')
			opt.seed = strtoull(optarg, NULL, 0);
		else if (c == 'r')
			opt.rate = strtoull(optarg, NULL, 0);
		else if (c == 'd')
			opt.seconds = strtod(optarg, NULL);
		else if (c == 'n' || c == 'c')
			opt.count = atoi(optarg);
		else
			return 2;
	}
	if (!strcmp(verb, "gen"))
		return cmd_gen();
	if (argc - optind == 2) {
		const char *addr = argv[optind], *port = argv[optind + 1];

		if (!strcmp(verb, "recv"))
			return cmd_recv(addr, port);
		if (!strcmp(verb, "send"))
			return cmd_send(addr, port);
		if (!strcmp(verb, "sink"))
			return cmd_sink(addr, port);
		if (!strcmp(verb, "stream") && opt.rate && opt.seconds > 0)
			return cmd_stream(addr, port);
		if (!strcmp(verb, "hold"))
			return cmd_hold(addr, port);
	}
	fprintf(stderr, "usage: mpio gen|recv|send|sink|stream|hold [-t] [-b BYTES] [-s SEED] [-r BIT/S] [-d SEC] [-n|-c COUNT] ADDR PORT\n");
	return 2;
}
