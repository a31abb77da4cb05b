// SPDX-License-Identifier: GPL-2.0-only
/* craft - puts TCP options on the wire that no stock kernel would send.
 *   craft DEV SPORT
 * Watches the segments of a live flow that leave DEV from TCP port SPORT and keeps the newest. For every line of hex bytes on stdin it sends, COPIES times
 * and some milliseconds apart, an ACK made of it (next sequence number; old by one where the flow acknowledges data: TCP takes it for a duplicate and still reads the options) whose
 * options are its timestamp and those bytes, and answers "sent". IPv4 and IPv6, devices with and without Ethernet header. */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define TCP_HLEN 20
#define COPIES 3 /* one may come too late for PAWS */
#define PAUSE_MS 10
#define PATIENCE_MS 5000

static uint16_t get16(const uint8_t *p)
{
	return p[0] << 8 | p[1];
}

static void put16(uint8_t *p, uint32_t v)
{
	p[0] = v >> 8;
	p[1] = v;
}

static uint32_t sum16(const uint8_t *p, size_t n, uint32_t sum)
{
	for (size_t i = 0; i < n; i++)
		sum += i & 1 ? p[i] : p[i] << 8;
	return sum;
}

static uint16_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return ~sum;
}

static int hex(const char *word, uint8_t *out, size_t room)
{
	size_t n = strlen(word);
	unsigned int byte;

	if (n % 2 || n / 2 > room)
		return -1;
	for (size_t i = 0; i < n / 2; i++) {
		if (sscanf(word + 2 * i, "%2x", &byte) != 1)
			return -1;
		out[i] = byte;
	}
	return n / 2;
}

/* The timestamp option of a TCP header, 10 bytes, or NULL. */
static const uint8_t *timestamp(const uint8_t *tcp)
{
	size_t len = (tcp[12] >> 4) * 4;

	for (size_t i = TCP_HLEN; i + 1 < len && tcp[i]; i += tcp[i] == 1 ? 1 : tcp[i + 1]) {
		if (tcp[i] == 8 && tcp[i + 1] == 10 && i + 10 <= len)
			return tcp + i;
		if (tcp[i] != 1 && tcp[i + 1] < 2)
			return NULL;
	}
	return NULL;
}

/* Offset of the TCP header in an IP packet from `sport`, 0 if it is none. */
static size_t tcp_at(const uint8_t *ip, size_t n, unsigned int sport)
{
	size_t l4 = 0;

	if (n >= 40 && ip[0] >> 4 == 4 && ip[9] == IPPROTO_TCP)
		l4 = (ip[0] & 15) * 4;
	else if (n >= 60 && ip[0] >> 4 == 6 && ip[6] == IPPROTO_TCP)
		l4 = 40;
	return l4 && n >= l4 + TCP_HLEN && get16(ip + l4) == sport ? l4 : 0;
}

/* From the packet (IP header on, n bytes) to the crafted one. Returns its length. */
static size_t craft(const uint8_t *ip, size_t n, size_t l4, const uint8_t *opts, size_t nopts, uint8_t *out)
{
	const uint8_t *tcp = ip + l4, *ts = timestamp(tcp);
	uint8_t *t = out + l4;
	size_t len = TCP_HLEN;
	size_t payload = n - l4 - (tcp[12] >> 4) * 4;
	uint32_t seq, ack, sum;

	memcpy(out, ip, l4 + TCP_HLEN);
	memcpy(&seq, tcp + 4, 4);
	memcpy(&ack, tcp + 8, 4);
	seq = htonl(ntohl(seq) + payload);
	/* An end that never sent data takes ack - 1 for a blind injection (RFC 5961 section 5.2): towards a receiver the ack stays as it is. */
	ack = htonl(ntohl(ack) - !payload);
	memcpy(t + 4, &seq, 4);
	memcpy(t + 8, &ack, 4);
	if (ts) {
		t[len] = t[len + 1] = 1;
		memcpy(t + len + 2, ts, 10);
		len += 12;
	}
	memcpy(t + len, opts, nopts);
	len += nopts;
	while (len % 4)
		t[len++] = 1;
	t[12] = len / 4 << 4;
	t[13] = 0x10;
	t[16] = t[17] = t[18] = t[19] = 0;
	if (ip[0] >> 4 == 4) {
		put16(out + 2, l4 + len);
		out[10] = out[11] = 0;
		put16(out + 10, fold(sum16(out, l4, 0)));
		sum = sum16(out + 12, 8, IPPROTO_TCP + len);
	} else {
		put16(out + 4, len);
		sum = sum16(out + 8, 32, IPPROTO_TCP + len);
	}
	put16(t + 16, fold(sum16(t, len, sum)));
	return l4 + len;
}

static int open_dev(const char *dev, size_t *link)
{
	struct sockaddr_ll at = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = if_nametoindex(dev) };
	int fd = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));
	struct ifreq ifr = {};
	int now = 1; /* not behind the flow's own queue */

	setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &now, sizeof(now));
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", dev);
	if (fd < 0 || !at.sll_ifindex || bind(fd, (struct sockaddr *)&at, sizeof(at)) || ioctl(fd, SIOCGIFHWADDR, &ifr)) {
		fprintf(stderr, "craft: %s: %s\n", dev, strerror(errno));
		exit(1);
	}
	*link = ifr.ifr_hwaddr.sa_family == ARPHRD_ETHER || ifr.ifr_hwaddr.sa_family == ARPHRD_LOOPBACK ? ETH_HLEN : 0;
	return fd;
}

struct tap {
	int fd;
	unsigned int sport;
	size_t link, l4, n; /* n: bytes of the newest segment, 0 before there is one */
	uint8_t frame[65536 + ETH_HLEN];
};

/* Take what the socket has; the newest segment that is neither SYN, FIN nor RST stays. Returns whether something was read. */
static int look(struct tap *tap)
{
	static uint8_t in[sizeof(tap->frame)];
	struct sockaddr_ll from;
	socklen_t fromlen = sizeof(from);
	ssize_t n = recvfrom(tap->fd, in, sizeof(in), MSG_DONTWAIT, (struct sockaddr *)&from, &fromlen);
	size_t l4;

	if (n < 0)
		return 0;
	if (from.sll_pkttype != PACKET_OUTGOING || n < (ssize_t)tap->link)
		return 1;
	l4 = tcp_at(in + tap->link, n - tap->link, tap->sport);
	if (!l4 || in[tap->link + l4 + 13] & 0x07 || !(in[tap->link + l4 + 13] & 0x10) || !(timestamp(in + tap->link + l4)))
		return 1;
	memcpy(tap->frame, in, n);
	tap->n = n;
	tap->l4 = l4;
	return 1;
}

static int send_crafted(struct tap *tap, const uint8_t *opts, size_t nopts)
{
	uint8_t out[256];
	size_t len;

	for (int waited = 0; !tap->n && waited < PATIENCE_MS; waited++)
		if (!look(tap))
			usleep(1000);
	if (!tap->n) {
		fprintf(stderr, "craft: no segment from port %u\n", tap->sport);
		return 1;
	}
	for (int i = 0; i < COPIES; i++) {
		while (look(tap))
			;
		len = craft(tap->frame + tap->link, tap->n - tap->link, tap->l4, opts, nopts, out + tap->link);
		memcpy(out, tap->frame, tap->link);
		if (send(tap->fd, out, tap->link + len, 0) < 0) {
			fprintf(stderr, "craft: send: %s\n", strerror(errno));
			return 1;
		}
		usleep(PAUSE_MS * 1000);
	}
	puts("sent");
	fflush(stdout);
	return 0;
}

int main(int argc, char **argv)
{
	static struct tap tap;
	uint8_t opts[40];
	char line[128];

	if (argc != 3) {
		fprintf(stderr, "usage: craft DEV SPORT, and lines of up to 28 option bytes in hex on stdin\n");
		return 2;
	}
	tap.fd = open_dev(argv[1], &tap.link);
	tap.sport = atoi(argv[2]);
	for (;;) {
		struct pollfd p[2] = { { .fd = STDIN_FILENO, .events = POLLIN }, { .fd = tap.fd, .events = POLLIN } };
		int nopts;

		if (poll(p, 2, -1) < 0)
			return 1;
		if (p[1].revents)
			look(&tap);
		if (!p[0].revents)
			continue;
		/* A line at a time arrives: the other end waits for the answer. */
		nopts = read(STDIN_FILENO, line, sizeof(line) - 1);
		if (nopts <= 0)
			return 0;
		line[nopts] = 0;
		line[strcspn(line, "\n")] = 0;
		nopts = hex(line, opts, 28);
		if (nopts < 0 || send_crafted(&tap, opts, nopts)) {
			puts("failed");
			return 1;
		}
	}
}
