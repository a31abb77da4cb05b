/* SPDX-License-Identifier: GPL-2.0-only */
/* mpio.h - what the verbs of mpio share: the options, the clock, sockets, statistics. */
#ifndef MPIO_H
#define MPIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SEC 1000000000LL

struct options {
	bool tcp, reverse;          /* reverse: of stream and sink, the other one connects */
	uint64_t bytes, seed, rate; /* rate: bit/s */
	double seconds, interval, grain; /* the last two: ms */
	size_t length, count;       /* count: 0 is the verb's default */
	size_t conns;
	uint32_t mark;              /* of the socket that connects; 0: none */
	const char *cc;             /* congestion control; NULL: the system's default */
};
extern struct options opt;

/* Says what failed, and errno, and exits. */
__attribute__((noreturn)) void die(const char *what);

int64_t now_ns(void);
void sleep_until(int64_t when);

/* Connected, listening (which it says on stderr) and accepted sockets: MPTCP, or TCP with -t. */
int dial(const char *addr, const char *port);
int serve(const char *addr, const char *port);
int take(int listener);
void no_delay(int fd);

void put_all(int fd, const void *buf, size_t n);

/* Ends a connection from this side and waits until the peer has read everything and closed. */
void finish(int fd);

/* Prints {HEAD,"p50_us":..,"p95_us":..,"p99_us":..,"max_us":..} of n > 0 times in ns, which it sorts. */
void print_times(const char *head, int64_t *ns, size_t n);

int cmd_gen(const char *addr, const char *port);
int cmd_recv(const char *addr, const char *port);
int cmd_send(const char *addr, const char *port);
int cmd_echo(const char *addr, const char *port);
int cmd_hold(const char *addr, const char *port);
int cmd_stream(const char *addr, const char *port);
int cmd_sink(const char *addr, const char *port);
int cmd_ping(const char *addr, const char *port);
int cmd_respond(const char *addr, const char *port);
int cmd_request(const char *addr, const char *port);

#endif
