// SPDX-License-Identifier: GPL-2.0-only
/* mpio - traffic on kernel MPTCP sockets for the tests, the demo and the benchmarks; -t uses plain TCP. Listeners say
 * "listening" on stderr; results are one line of JSON on stdout. The verbs are in mpio_*.c. */
#define _GNU_SOURCE
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "mpio.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

struct options opt = { .seed = 1, .interval = 10, .length = 100, .conns = 1, .grain = 1 };

static const struct verb {
	const char *name, *args;
	int (*run)(const char *addr, const char *port);
	const char *does;
} verbs[] = {
	{ "gen", "-b BYTES [-s SEED]", cmd_gen, "the pseudo-random stream of SEED to stdout" },
	{ "recv", "[-t] [-n COUNT] ADDR PORT", cmd_recv, "listen; the payload of COUNT connections (1) to stdout" },
	{ "send", "[-t] [-C CC] [-b BYTES] [-s SEED] [-d SEC] [-r BIT/S] [-g MS] [-m MARK] ADDR PORT", cmd_send,
	  "the stream, or without -b and -d stdin, until SIGINT at the latest, -r in pieces of MS (1); ends when all is received" },
	{ "echo", "[-t] ADDR PORT", cmd_echo, "listen; send back what comes on any number of connections" },
	{ "ping", "[-t] [-c COUNT] [-i MS] [-l BYTES] [-k CONNS] ADDR PORT", cmd_ping,
	  "COUNT messages (100), one every MS (10), to an echo, over CONNS connections (1) in turn; round-trip times" },
	{ "sink", "[-t] [-R] ADDR PORT", cmd_sink, "listen; one-way delays of a stream; -R: connect to it" },
	{ "stream", "[-t] [-R] -r BIT/S -d SEC ADDR PORT", cmd_stream, "timestamped blocks for a sink on the same machine; -R: listen" },
	{ "respond", "[-t] [-n COUNT] ADDR PORT", cmd_respond, "listen; answer the requests of COUNT connections (1), one by one" },
	{ "request", "[-t] [-c COUNT] [-i MS] [-l UP] [-b DOWN] ADDR PORT", cmd_request,
	  "COUNT requests (100) of UP bytes (100) for DOWN bytes (1), one every MS (10) or when the one before is answered; times" },
	{ "hold", "[-t] -c COUNT ADDR PORT", cmd_hold, "open COUNT connections, a byte on each, until SIGTERM" },
};

static int usage(void)
{
	for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
		fprintf(stderr, "%s mpio %-6s %s\n\t%s\n", i ? "      " : "usage:", verbs[i].name, verbs[i].args,
			verbs[i].does);
	return 2;
}

void die(const char *what)
{
	fprintf(stderr, "mpio: %s: %s\n", what, strerror(errno));
	exit(1);
}

int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * SEC + t.tv_nsec;
}

void sleep_until(int64_t when)
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
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, opt.tcp ? IPPROTO_TCP : IPPROTO_MPTCP);

	if (fd < 0)
		die(opt.tcp ? "TCP socket" : "MPTCP socket");
	/* An unknown name is an error on TCP only: on MPTCP the connection then silently has the default. What a listener accepts has the listener's. */
	if (opt.cc && setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, opt.cc, strlen(opt.cc)))
		die(opt.cc);
	return fd;
}

int dial(const char *addr, const char *port)
{
	struct addrinfo *ai = resolve(addr, port);
	int fd = open_socket(ai->ai_family);

	if (opt.mark && setsockopt(fd, SOL_SOCKET, SO_MARK, &opt.mark, sizeof(opt.mark)))
		die("SO_MARK");
	if (connect(fd, ai->ai_addr, ai->ai_addrlen))
		die(addr);
	freeaddrinfo(ai);
	return fd;
}

int serve(const char *addr, const char *port)
{
	struct addrinfo *ai = resolve(addr, port);
	int fd = open_socket(ai->ai_family), one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, ai->ai_addr, ai->ai_addrlen) || listen(fd, 4096))
		die(addr);
	freeaddrinfo(ai);
	fprintf(stderr, "listening\n");
	return fd;
}

int take(int listener)
{
	int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);

	if (fd < 0)
		die("accept");
	return fd;
}

void no_delay(int fd)
{
	int one = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
}

void put_all(int fd, const void *buf, size_t n)
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

void finish(int fd)
{
	char rest[4096];
	ssize_t n;

	shutdown(fd, SHUT_WR);
	do
		n = read(fd, rest, sizeof(rest));
	while (n > 0 || (n < 0 && errno == EINTR));
	if (n < 0)
		die("close");
	close(fd);
}

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

void print_times(const char *head, int64_t *ns, size_t n)
{
	qsort(ns, n, sizeof(*ns), by_value);
	printf("{%s,\"p50_us\":%lld,\"p95_us\":%lld,\"p99_us\":%lld,\"max_us\":%lld}\n", head, ns[n / 2] / 1000LL,
	       ns[n * 95 / 100] / 1000LL, ns[n * 99 / 100] / 1000LL, ns[n - 1] / 1000LL);
}

/* A positive number up to max; ends mpio if it is not. */
static double number(char option, const char *text, double max)
{
	char *end;
	double n = strtod(text, &end);

	if (end == text || *end || !(n > 0 && n <= max)) {
		fprintf(stderr, "mpio: -%c: '%s' is not a positive number up to %.0f\n", option, text, max);
		exit(2);
	}
	return n;
}

static void options_read(int argc, char **argv)
{
	int c;

	while ((c = getopt(argc, argv, "tRC:b:s:r:g:d:n:c:i:k:l:m:")) != -1) {
		if (c == '?')
			exit(usage());
		else if (c == 't')
			opt.tcp = true;
		else if (c == 'R')
			opt.reverse = true;
		else if (c == 'C')
			opt.cc = optarg;
		else if (c == 'b')
			opt.bytes = number(c, optarg, 1e15);
		else if (c == 's')
			opt.seed = number(c, optarg, 1e15);
		else if (c == 'r')
			opt.rate = number(c, optarg, 1e15);
		else if (c == 'g')
			opt.grain = number(c, optarg, 1e6);
		else if (c == 'd')
			opt.seconds = number(c, optarg, 1e15);
		else if (c == 'i')
			opt.interval = number(c, optarg, 1e15);
		else if (c == 'k')
			opt.conns = number(c, optarg, 1e6);
		else if (c == 'l')
			opt.length = number(c, optarg, 1 << 30);
		else if (c == 'm')
			opt.mark = number(c, optarg, UINT32_MAX);
		else
			opt.count = number(c, optarg, 1e15);
	}
}

int main(int argc, char **argv)
{
	const struct verb *v = verbs, *end = verbs + sizeof(verbs) / sizeof(verbs[0]);
	struct rlimit files;

	while (v < end && (argc < 2 || strcmp(argv[1], v->name)))
		v++;
	if (v == end)
		return usage();
	optind = 2;
	options_read(argc, argv);
	if (argc - optind != (v->run == cmd_gen ? 0 : 2) || (v->run == cmd_gen && !opt.bytes) ||
	    (v->run == cmd_stream && (!opt.rate || opt.seconds <= 0)))
		return usage();
	signal(SIGPIPE, SIG_IGN);
	if (!getrlimit(RLIMIT_NOFILE, &files)) {
		files.rlim_cur = files.rlim_max;
		setrlimit(RLIMIT_NOFILE, &files);
	}
	return v->run(argv[optind], argv[optind + 1]);
}
