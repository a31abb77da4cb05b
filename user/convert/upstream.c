/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/errqueue.h>
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <mptcp_bpf/option.h>
#include "uapi.h"
#include "upstream.h"

#define HAS_TIMESTAMP 1 /* tcpi_options: TCPI_OPT_* */
#define HAS_SACK 2
#define HAS_WSCALE 4

const uint8_t upstream_kinds[5] = { MPB_TCPOPT_MSS, MPB_TCPOPT_WSCALE, MPB_TCPOPT_SACK_PERMITTED, MPB_TCPOPT_TIMESTAMP, MPB_TCPOPT_MPTCP };

int upstream_unsupported(const uint8_t *options, uint32_t len, uint8_t bad[16])
{
	int n = 0;

	for (uint32_t at = 0; at < len; at += options[at + 1]) {
		bool plain = options[at + 1] == 2, mss = options[at] == MPB_TCPOPT_MSS && options[at + 1] == 4;

		if ((!memchr(upstream_kinds, options[at], sizeof(upstream_kinds)) || (!plain && !mss)) && n < 16)
			bad[n++] = options[at];
	}
	return n;
}

static const uint8_t *option(const uint8_t *options, uint32_t len, uint8_t kind)
{
	for (uint32_t at = 0; at < len; at += options[at + 1])
		if (options[at] == kind)
			return options + at;
	return NULL;
}

static void tell_icmp(int fd, bool v4, int on)
{
	if (v4)
		setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof(on));
	else
		setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof(on));
}

int upstream_connect(const __be32 addr[4], __be16 port, const uint8_t *options, uint32_t len, bool mptcp, uint8_t *bad)
{
	struct sockaddr_in6 to6 = { .sin6_family = AF_INET6, .sin6_port = port };
	struct sockaddr_in to4 = { .sin_family = AF_INET, .sin_port = port, .sin_addr.s_addr = addr[3] };
	const uint8_t *mss = option(options, len, MPB_TCPOPT_MSS);
	int type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, one = 1, fd, err;
	bool v4, asked;

	memcpy(&to6.sin6_addr, addr, sizeof(to6.sin6_addr));
	v4 = IN6_IS_ADDR_V4MAPPED(&to6.sin6_addr);
	asked = option(options, len, MPB_TCPOPT_MPTCP);
	fd = socket(v4 ? AF_INET : AF_INET6, type, mptcp || asked ? MPB_IPPROTO_MPTCP : 0);
	if (fd < 0 && asked)
		*bad = MPB_TCPOPT_MPTCP;
	else if (fd < 0 && mptcp)
		fd = socket(v4 ? AF_INET : AF_INET6, type, 0);
	if (fd < 0)
		return -errno;
	tell_icmp(fd, v4, 1);
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	if (mss && mss[1] == 4) {
		int value = mss[2] << 8 | mss[3];

		if (setsockopt(fd, IPPROTO_TCP, TCP_MAXSEG, &value, sizeof(value))) {
			*bad = MPB_TCPOPT_MSS;
			close(fd);
			return -EINVAL;
		}
	}
	err = connect(fd, v4 ? (struct sockaddr *)&to4 : (struct sockaddr *)&to6, v4 ? sizeof(to4) : sizeof(to6)) ? errno : 0;
	if (!err || err == EINPROGRESS)
		return fd;
	close(fd);
	return -err;
}

int upstream_icmp(int fd)
{
	union {
		struct cmsghdr head;
		char bytes[CMSG_SPACE(sizeof(struct sock_extended_err) + sizeof(struct sockaddr_in6))];
	} control;
	struct msghdr m = { .msg_control = &control, .msg_controllen = sizeof(control) };

	if (recvmsg(fd, &m, MSG_ERRQUEUE | MSG_DONTWAIT) < 0)
		return -1;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&m); c; c = CMSG_NXTHDR(&m, c)) {
		const struct sock_extended_err *e = (const void *)CMSG_DATA(c);
		bool v4 = c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR, v6 = c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR;

		if ((v4 && e->ee_origin == SO_EE_ORIGIN_ICMP && e->ee_type == ICMP_DEST_UNREACH) ||
		    (v6 && e->ee_origin == SO_EE_ORIGIN_ICMP6 && e->ee_type == ICMPV6_DEST_UNREACH))
			return e->ee_code;
	}
	return -1;
}

void upstream_settled(int fd, const __be32 addr[4])
{
	tell_icmp(fd, IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)addr), 0);
}

bool socket_is_mptcp(int fd, bool *has_key)
{
	struct mpb_mptcp_info info = {};
	socklen_t len = sizeof(info);
	bool is = !getsockopt(fd, MPB_SOL_MPTCP, MPB_MPTCP_INFO, &info, &len) && !(info.flags & MPB_MPTCP_INFO_FALLBACK);

	if (has_key)
		*has_key = info.flags & MPB_MPTCP_INFO_REMOTE_KEY;
	return is;
}

void upstream_header(int fd, struct message *m)
{
	uint8_t v[64] = {}, *p = v + 2; /* two bytes unassigned */
	struct tcp_info info = {};
	socklen_t len = sizeof(info);
	uint32_t mss;

	getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len);
	mss = info.tcpi_snd_mss + (info.tcpi_options & HAS_TIMESTAMP ? 12 : 0);
	p = mempcpy(p, (uint8_t[]){ MPB_TCPOPT_MSS, 4, mss >> 8, mss }, 4);
	if (info.tcpi_options & HAS_WSCALE)
		p = mempcpy(p, (uint8_t[]){ MPB_TCPOPT_WSCALE, 3, info.tcpi_snd_wscale }, 3);
	if (info.tcpi_options & HAS_SACK)
		p = mempcpy(p, (uint8_t[]){ MPB_TCPOPT_SACK_PERMITTED, 2 }, 2);
	if (info.tcpi_options & HAS_TIMESTAMP)
		p = mempcpy(p, (uint8_t[10]){ MPB_TCPOPT_TIMESTAMP, 10 }, 10);
	if (socket_is_mptcp(fd, NULL))
		p = mempcpy(p, (uint8_t[12]){ MPB_TCPOPT_MPTCP, 12, MPTCP_CAPABLE << 4 | 1, 1 }, 12);
	message_add(m, CONVERT_EXTENDED_HEADER, v, p - v);
}
