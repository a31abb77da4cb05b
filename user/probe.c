/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "err.h"
#include "probe.h"

static bool is_v4(const struct mpb_tuple *t)
{
	return !t->saddr[0] && !t->saddr[1] && t->saddr[2] == htonl(0xffff);
}

int probe_open(int sk[2])
{
	int on = 1;

	sk[0] = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_RAW);
	sk[1] = socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_RAW);
	if (sk[1] >= 0)
		setsockopt(sk[1], IPPROTO_IPV6, IPV6_HDRINCL, &on, sizeof(on));
	return sk[0] < 0 ? err_fail(errno, "probes", "no raw socket: %s", strerror(errno)) : 0;
}

static uint32_t sum(const void *data, size_t size, uint32_t start)
{
	const uint8_t *b = data;

	for (size_t i = 0; i < size; i++)
		start += i % 2 ? b[i] : b[i] << 8;
	return start;
}

static uint16_t fold(uint32_t s)
{
	s = (s & 0xffff) + (s >> 16);
	return htons(~(s + (s >> 16)) & 0xffff);
}

struct segment {
	struct tcphdr tcp;
	uint8_t byte;
} __attribute__((packed));

static void fill(struct segment *s, const struct probe *p)
{
	const struct mpb_tuple *t = &p->tuple;
	uint32_t check;

	memset(s, 0, sizeof(*s));
	s->tcp.source = t->sport;
	s->tcp.dest = t->dport;
	s->tcp.seq = htonl(p->seq);
	s->tcp.ack_seq = htonl(p->ack);
	s->tcp.doff = sizeof(s->tcp) / 4;
	s->tcp.ack = 1;
	s->tcp.window = htons(p->window);
	check = is_v4(t) ? sum(&t->daddr[3], 4, sum(&t->saddr[3], 4, 0)) : sum(t->daddr, 16, sum(t->saddr, 16, 0));
	s->tcp.check = fold(sum(s, sizeof(*s), check + IPPROTO_TCP + sizeof(*s)));
}

int probe_send(const int sk[2], const struct probe *p)
{
	const struct mpb_tuple *t = &p->tuple;
	struct { struct iphdr ip; struct segment s; } __attribute__((packed)) four = {};
	struct { struct ip6_hdr ip; struct segment s; } __attribute__((packed)) six = {};
	struct sockaddr_in to4 = { .sin_family = AF_INET, .sin_addr.s_addr = t->daddr[3] };
	struct sockaddr_in6 to6 = { .sin6_family = AF_INET6 };
	union { struct cmsghdr head; char room[CMSG_SPACE(sizeof(struct in6_pktinfo))]; } control = {};
	bool v4 = is_v4(t);
	struct iovec iov = { v4 ? (void *)&four : (void *)&six, v4 ? sizeof(four) : sizeof(six) };
	struct msghdr msg = { .msg_name = v4 ? (void *)&to4 : (void *)&to6, .msg_namelen = v4 ? sizeof(to4) : sizeof(to6), .msg_iov = &iov, .msg_iovlen = 1,
			      .msg_control = &control, .msg_controllen = v4 ? CMSG_SPACE(sizeof(struct in_pktinfo)) : CMSG_SPACE(sizeof(struct in6_pktinfo)) };

	/* The source address says which routes count. */
	if (v4) {
		struct in_pktinfo info = { .ipi_ifindex = p->ifindex, .ipi_spec_dst.s_addr = t->saddr[3] };

		four.ip = (struct iphdr){ .version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_TCP, .saddr = t->saddr[3], .daddr = t->daddr[3] };
		fill(&four.s, p);
		control.head = (struct cmsghdr){ CMSG_LEN(sizeof(info)), IPPROTO_IP, IP_PKTINFO };
		memcpy(CMSG_DATA(&control.head), &info, sizeof(info));
	} else {
		struct in6_pktinfo info = { .ipi6_ifindex = p->ifindex };

		memcpy(&info.ipi6_addr, t->saddr, 16);
		memcpy(&to6.sin6_addr, t->daddr, 16);
		six.ip.ip6_flow = htonl(6 << 28);
		six.ip.ip6_plen = htons(sizeof(six.s));
		six.ip.ip6_nxt = IPPROTO_TCP;
		six.ip.ip6_hlim = 64;
		memcpy(&six.ip.ip6_src, t->saddr, 16);
		memcpy(&six.ip.ip6_dst, t->daddr, 16);
		fill(&six.s, p);
		control.head = (struct cmsghdr){ CMSG_LEN(sizeof(info)), IPPROTO_IPV6, IPV6_PKTINFO };
		memcpy(CMSG_DATA(&control.head), &info, sizeof(info));
	}
	return sendmsg(sk[v4 ? 0 : 1], &msg, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int probe_listen(const struct mpb_tuple *t)
{
	struct sockaddr_in from4 = { .sin_family = AF_INET, .sin_addr.s_addr = t->saddr[3] }, to4 = { .sin_family = AF_INET, .sin_addr.s_addr = t->daddr[3] };
	struct sockaddr_in6 from6 = { .sin6_family = AF_INET6 }, to6 = { .sin6_family = AF_INET6 };
	bool v4 = is_v4(t);
	int sk = socket(v4 ? AF_INET : AF_INET6, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_TCP), on = 1;

	memcpy(&from6.sin6_addr, t->saddr, 16);
	memcpy(&to6.sin6_addr, t->daddr, 16);
	if (sk < 0)
		return -errno;
	/* The address may be away at the moment. */
	setsockopt(sk, v4 ? IPPROTO_IP : IPPROTO_IPV6, v4 ? IP_FREEBIND : IPV6_FREEBIND, &on, sizeof(on));
	if (bind(sk, v4 ? (void *)&from4 : (void *)&from6, v4 ? sizeof(from4) : sizeof(from6)) ||
	    connect(sk, v4 ? (void *)&to4 : (void *)&to6, v4 ? sizeof(to4) : sizeof(to6))) {
		close(sk);
		return -errno;
	}
	return sk;
}

bool probe_heard(int sk)
{
	char buf[128];
	bool heard = false;

	while (sk >= 0 && recv(sk, buf, sizeof(buf), MSG_TRUNC) > 0)
		heard = true;
	return heard;
}
