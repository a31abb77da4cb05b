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
#include <mptcp_bpf/option.h>
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
	uint8_t rest[4]; /* a byte of data, or an option */
} __attribute__((packed));

#define PROBE_LEN (sizeof(struct tcphdr) + 1)
#define WITHDRAW_LEN (sizeof(struct tcphdr) + MPTCP_REMOVE_ADDR_LEN)

static void fill(struct segment *s, const struct probe *p, size_t len)
{
	const struct mpb_tuple *t = &p->tuple;
	uint32_t check;

	s->tcp.source = t->sport;
	s->tcp.dest = t->dport;
	s->tcp.seq = htonl(p->seq);
	s->tcp.ack_seq = htonl(p->ack);
	s->tcp.doff = (len == WITHDRAW_LEN ? len : sizeof(s->tcp)) / 4;
	s->tcp.ack = 1;
	s->tcp.window = htons(p->window);
	check = is_v4(t) ? sum(&t->daddr[3], 4, sum(&t->saddr[3], 4, 0)) : sum(t->daddr, 16, sum(t->saddr, 16, 0));
	s->tcp.check = fold(sum(s, len, check + IPPROTO_TCP + len));
}

/* The segment's first `len` bytes; `rest` is there already. */
static int send_segment(const int sk[2], const struct probe *p, struct segment *s, size_t len)
{
	const struct mpb_tuple *t = &p->tuple;
	struct iphdr ip4 = {};
	struct ip6_hdr ip6 = {};
	struct sockaddr_in to4 = { .sin_family = AF_INET, .sin_addr.s_addr = t->daddr[3] };
	struct sockaddr_in6 to6 = { .sin6_family = AF_INET6 };
	union { struct cmsghdr head; char room[CMSG_SPACE(sizeof(struct in6_pktinfo))]; } control = {};
	bool v4 = is_v4(t);
	struct iovec iov[2] = { { v4 ? (void *)&ip4 : (void *)&ip6, v4 ? sizeof(ip4) : sizeof(ip6) }, { s, len } };
	struct msghdr msg = { .msg_name = v4 ? (void *)&to4 : (void *)&to6, .msg_namelen = v4 ? sizeof(to4) : sizeof(to6), .msg_iov = iov, .msg_iovlen = 2,
			      .msg_control = &control, .msg_controllen = v4 ? CMSG_SPACE(sizeof(struct in_pktinfo)) : CMSG_SPACE(sizeof(struct in6_pktinfo)) };

	fill(s, p, len);
	/* The source address says which routes count. */
	if (v4) {
		struct in_pktinfo info = { .ipi_ifindex = p->ifindex, .ipi_spec_dst.s_addr = t->saddr[3] };

		ip4 = (struct iphdr){ .version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_TCP, .saddr = t->saddr[3], .daddr = t->daddr[3] };
		control.head = (struct cmsghdr){ CMSG_LEN(sizeof(info)), IPPROTO_IP, IP_PKTINFO };
		memcpy(CMSG_DATA(&control.head), &info, sizeof(info));
	} else {
		struct in6_pktinfo info = { .ipi6_ifindex = p->ifindex };

		memcpy(&info.ipi6_addr, t->saddr, 16);
		memcpy(&to6.sin6_addr, t->daddr, 16);
		ip6.ip6_flow = htonl(6 << 28);
		ip6.ip6_plen = htons(len);
		ip6.ip6_nxt = IPPROTO_TCP;
		ip6.ip6_hlim = 64;
		memcpy(&ip6.ip6_src, t->saddr, 16);
		memcpy(&ip6.ip6_dst, t->daddr, 16);
		control.head = (struct cmsghdr){ CMSG_LEN(sizeof(info)), IPPROTO_IPV6, IPV6_PKTINFO };
		memcpy(CMSG_DATA(&control.head), &info, sizeof(info));
	}
	return sendmsg(sk[v4 ? 0 : 1], &msg, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int probe_send(const int sk[2], const struct probe *p)
{
	struct segment s = {};

	return send_segment(sk, p, &s, PROBE_LEN);
}

int probe_withdraw(const int sk[2], const struct probe *p, uint8_t address_id)
{
	struct segment s = { .rest = { MPB_TCPOPT_MPTCP, MPTCP_REMOVE_ADDR_LEN, MPTCP_REMOVE_ADDR << 4, address_id } };

	return send_segment(sk, p, &s, WITHDRAW_LEN);
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
