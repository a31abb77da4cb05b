// SPDX-License-Identifier: GPL-2.0-only
/* flow - MPTCP traffic, and what can be read of it, for the tests in this directory.
 *   flow serve [-C CC] [-F] ADDR PORT           accept one connection, "listening" on stderr; "BYTES intact" or "BYTES corrupt" at its end
 *   flow send [-C CC] [-F] [-p MS] BYTES ADDR PORT   a known stream; -p: MS between writes of 1,000 bytes; -F: the first 100 bytes in the SYN
 *   flow map DEV PORT                           watch a connection to PORT leave DEV: "SYN n FIRST f SSN s SEQ r": bytes in the SYN; the subflow
 *                                               sequence numbers of the first two mappings; where the second begins, from the SYN on
 *   flow cookie                                 of the network namespace
 *   flow cc NAME                                what setsockopt(TCP_CONGESTION) says on a socket not yet connected */
#define _GNU_SOURCE
#include <errno.h>
#include <netdb.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <linux/if_packet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif
#define COOKIE_OPT 71 /* SO_NETNS_COOKIE */
#define PIECE 1000
#define FIRST 100 /* bytes in a SYN */

static struct {
	const char *cc;
	int fastopen, pause_ms;
} opt;

static int fail(const char *what)
{
	fprintf(stderr, "flow: %s: %s\n", what, strerror(errno));
	return 1;
}

/* Byte i of the stream; its period is no power of two. */
static uint8_t stream(uint64_t i)
{
	return i * 131 + i / 251;
}

static int open_socket(const char *addr, const char *port, struct addrinfo **ai)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST };
	int fd, one = 1;

	if (getaddrinfo(addr, port, &hints, ai))
		return -1;
	fd = socket((*ai)->ai_family, SOCK_STREAM, IPPROTO_MPTCP);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (fd >= 0 && opt.cc && setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, opt.cc, strlen(opt.cc))) {
		close(fd);
		return -1;
	}
	return fd;
}

static int serve(const char *addr, const char *port)
{
	struct addrinfo *ai;
	int fd = open_socket(addr, port, &ai), conn, pending = 8;
	uint8_t buf[65536];
	uint64_t got = 0;
	int corrupt = 0;
	ssize_t n;

	if (fd < 0)
		return fail(addr);
	if (opt.fastopen && setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN, &pending, sizeof(pending)))
		return fail("TCP_FASTOPEN");
	if (bind(fd, ai->ai_addr, ai->ai_addrlen) || listen(fd, 8))
		return fail(addr);
	fprintf(stderr, "listening\n");
	conn = accept(fd, NULL, NULL);
	if (conn < 0)
		return fail("accept");
	while ((n = read(conn, buf, sizeof(buf))) > 0)
		for (ssize_t i = 0; i < n; i++)
			corrupt |= buf[i] != stream(got++);
	printf("%llu %s\n", (unsigned long long)got, n < 0 ? strerror(errno) : corrupt ? "corrupt" : "intact");
	return corrupt || n < 0;
}

static int send_stream(uint64_t bytes, const char *addr, const char *port)
{
	struct timespec pause = { opt.pause_ms / 1000, opt.pause_ms % 1000 * 1000000L };
	struct addrinfo *ai;
	int fd = open_socket(addr, port, &ai);
	uint8_t buf[65536];
	uint64_t at = 0;
	ssize_t n;

	if (fd < 0)
		return fail(addr);
	if (opt.fastopen) {
		for (int i = 0; i < FIRST; i++)
			buf[i] = stream(i);
		n = sendto(fd, buf, FIRST, MSG_FASTOPEN, ai->ai_addr, ai->ai_addrlen);
		if (n < 0)
			return fail("MSG_FASTOPEN");
		at = n;
	} else if (connect(fd, ai->ai_addr, ai->ai_addrlen)) {
		return fail(addr);
	}
	while (at < bytes) {
		uint64_t want = opt.pause_ms ? PIECE : sizeof(buf);

		want = want < bytes - at ? want : bytes - at;
		for (uint64_t i = 0; i < want; i++)
			buf[i] = stream(at + i);
		n = write(fd, buf, want);
		if (n < 0)
			return fail("write");
		at += n;
		if (opt.pause_ms)
			nanosleep(&pause, NULL);
	}
	shutdown(fd, SHUT_WR);
	return read(fd, buf, 1) != 0;
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | p[1] << 16 | p[2] << 8 | p[3];
}

/* The subflow sequence number of the mapping in a TCP header (RFC 8684 section 3.3: flags, Data ACK, DSN, SSN, length). Returns 0 where there is none. */
static int mapping(const uint8_t *tcp, uint32_t *ssn)
{
	const uint8_t *end = tcp + (tcp[12] >> 4) * 4, *o = tcp + 20;

	for (; o + 3 < end && *o; o += *o == 1 ? 1 : o[1]) {
		if (*o != 1 && o[1] < 2)
			return 0;
		if (*o == 30 && o[2] >> 4 == 2 && o[3] & 0x04) {
			*ssn = get32(o + 4 + (o[3] & 0x01 ? o[3] & 0x02 ? 8 : 4 : 0) + (o[3] & 0x08 ? 8 : 4));
			return 1;
		}
	}
	return 0;
}

static int map(const char *dev, unsigned int port)
{
	struct sockaddr_ll at = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = if_nametoindex(dev) }, from;
	int fd = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));
	uint32_t isn = 0, in_syn = 0, first = 0, ssn;
	static uint8_t frame[70000];

	if (fd < 0 || !at.sll_ifindex || bind(fd, (struct sockaddr *)&at, sizeof(at)))
		return fail(dev);
	fprintf(stderr, "listening\n");
	for (;;) {
		socklen_t fromlen = sizeof(from);
		ssize_t n = recvfrom(fd, frame, sizeof(frame), 0, (struct sockaddr *)&from, &fromlen);
		const uint8_t *ip = frame + ETH_HLEN, *tcp = ip + (ip[0] & 15) * 4;

		if (n < ETH_HLEN + 40 || from.sll_pkttype != PACKET_OUTGOING || ip[0] >> 4 != 4 || ip[9] != IPPROTO_TCP || (tcp[2] << 8 | tcp[3]) != (int)port)
			continue;
		if (tcp[13] & 0x02) {
			isn = get32(tcp + 4);
			in_syn = (ip[2] << 8 | ip[3]) - (tcp - ip) - (tcp[12] >> 4) * 4;
			continue;
		}
		if (!mapping(tcp, &ssn))
			continue;
		if (first && ssn != first) {
			printf("SYN %u FIRST %u SSN %u SEQ %u\n", in_syn, first, ssn, get32(tcp + 4) - isn);
			return 0;
		}
		first = ssn;
	}
}

static int cookie(void)
{
	unsigned long long value = 0;
	socklen_t len = sizeof(value);
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	if (getsockopt(fd, SOL_SOCKET, COOKIE_OPT, &value, &len))
		return fail("SO_NETNS_COOKIE");
	printf("%llu\n", value);
	return 0;
}

static int cc(const char *name)
{
	int fd = socket(AF_INET, SOCK_STREAM, IPPROTO_MPTCP);

	puts(setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, name, strlen(name)) ? strerror(errno) : "taken");
	return 0;
}

int main(int argc, char **argv)
{
	const char *verb = argc > 1 ? argv[1] : "";
	int c;

	for (optind = 2; (c = getopt(argc, argv, "+C:Fp:")) != -1;) {
		if (c == '?')
			return 2;
		opt.cc = c == 'C' ? optarg : opt.cc;
		opt.fastopen |= c == 'F';
		opt.pause_ms = c == 'p' ? atoi(optarg) : opt.pause_ms;
	}
	argv += optind;
	argc -= optind;
	if (!strcmp(verb, "serve") && argc == 2)
		return serve(argv[0], argv[1]);
	if (!strcmp(verb, "send") && argc == 3)
		return send_stream(strtoull(argv[0], NULL, 10), argv[1], argv[2]);
	if (!strcmp(verb, "map") && argc == 2)
		return map(argv[0], atoi(argv[1]));
	if (!strcmp(verb, "cookie"))
		return cookie();
	if (!strcmp(verb, "cc") && argc == 1)
		return cc(argv[0]);
	fprintf(stderr, "usage: flow serve|send|map|cookie|cc ...\n");
	return 2;
}
