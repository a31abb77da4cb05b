// SPDX-License-Identifier: GPL-2.0-only
/* craft - puts TCP options on the wire that no stock kernel would send.
 *   craft [-c COUNT] [-g] [-t SECONDS] DEV SPORT HEX
 * Waits for a segment without payload that leaves DEV from TCP port SPORT (a live flow), makes an old ACK of it (ack - 1: TCP takes it for a duplicate and
 * still reads the options) whose options are its timestamp and the bytes HEX, and sends that COUNT times over DEV. With -g also for segments with
 * payload. IPv4 and IPv6, devices with and without Ethernet header. Prints how many it sent. */
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
#include <time.h>
#include <unistd.h>

#define TCP_HLEN 20

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

/* From the packet (IP header on) to the crafted one. Returns its length. */
static size_t craft(const uint8_t *ip, size_t l4, const uint8_t *opts, size_t nopts, uint8_t *out)
{
	const uint8_t *tcp = ip + l4, *ts = timestamp(tcp);
	uint8_t *t = out + l4;
	size_t len = TCP_HLEN;
	uint32_t ack = ntohl(*(const uint32_t *)(tcp + 8)) - 1, sum;

	memcpy(out, ip, l4 + TCP_HLEN);
	ack = htonl(ack);
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

	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", dev);
	if (fd < 0 || !at.sll_ifindex || bind(fd, (struct sockaddr *)&at, sizeof(at)) || ioctl(fd, SIOCGIFHWADDR, &ifr)) {
		fprintf(stderr, "craft: %s: %s\n", dev, strerror(errno));
		exit(1);
	}
	*link = ifr.ifr_hwaddr.sa_family == ARPHRD_ETHER || ifr.ifr_hwaddr.sa_family == ARPHRD_LOOPBACK ? ETH_HLEN : 0;
	return fd;
}

int main(int argc, char **argv)
{
	uint8_t in[65536 + ETH_HLEN], out[256], opts[40];
	int count = 1, with_payload = 0, seconds = 10, c, fd, nopts, sent = 0;
	unsigned int sport;
	size_t link;
	time_t end;

	while ((c = getopt(argc, argv, "c:gt:")) != -1) {
		if (c == 'c')
			count = atoi(optarg);
		else if (c == 'g')
			with_payload = 1;
		else if (c == 't')
			seconds = atoi(optarg);
		else
			return 2;
	}
	nopts = argc - optind == 3 ? hex(argv[optind + 2], opts, 28) : -1;
	if (nopts < 0) {
		fprintf(stderr, "usage: craft [-c COUNT] [-g] [-t SECONDS] DEV SPORT HEX (up to 28 bytes of options)\n");
		return 2;
	}
	fd = open_dev(argv[optind], &link);
	sport = atoi(argv[optind + 1]);
	end = time(NULL) + seconds;
	while (sent < count && time(NULL) <= end) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		struct sockaddr_ll from;
		socklen_t fromlen = sizeof(from);
		ssize_t n;
		size_t l4;

		if (poll(&p, 1, 200) <= 0)
			continue;
		n = recvfrom(fd, in, sizeof(in), 0, (struct sockaddr *)&from, &fromlen);
		if (n < (ssize_t)link || from.sll_pkttype != PACKET_OUTGOING)
			continue;
		l4 = tcp_at(in + link, n - link, sport);
		if (!l4 || in[link + l4 + 13] & 0x07 || !(in[link + l4 + 13] & 0x10)) /* no SYN, FIN, RST; an ACK */
			continue;
		if (!with_payload && link + l4 + (in[link + l4 + 12] >> 4) * 4 < (size_t)n)
			continue;
		for (; sent < count; sent++) {
			size_t len = craft(in + link, l4, opts, nopts, out + link);

			memcpy(out, in, link);
			if (send(fd, out, link + len, 0) < 0) {
				fprintf(stderr, "craft: send: %s\n", strerror(errno));
				return 1;
			}
		}
	}
	printf("%d\n", sent);
	return sent == count ? 0 : 1;
}
