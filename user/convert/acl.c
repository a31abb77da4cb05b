/* SPDX-License-Identifier: GPL-2.0-only */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <mptcp_bpf/rule.h>
#include "acl.h"
#include "err.h"
#include "rules.h"

struct range {
	__u32 addr[4]; /* host order */
	__u8 bits;
};
#define V4(_a, _b, _c, _d, _bits) { { 0, 0, 0xffff, (_a) << 24 | (_b) << 16 | (_c) << 8 | (_d) }, 96 + (_bits) }
#define V6(_a, _b, _c, _d, _bits) { { _a, _b, _c, _d }, _bits }

static const struct range no_host[] = {
	V4(0, 0, 0, 0, 8),
	V4(127, 0, 0, 0, 8),
	V4(224U, 0, 0, 0, 4),
	V4(255U, 255, 255, 255, 32),
	V6(0, 0, 0, 0, 128),
	V6(0, 0, 0, 1, 128),
	V6(0xff000000, 0, 0, 0, 8),
};

static const struct range private[] = {
	V4(10, 0, 0, 0, 8),
	V4(100, 64, 0, 0, 10),
	V4(169U, 254, 0, 0, 16),
	V4(172U, 16, 0, 0, 12),
	V4(192U, 0, 0, 0, 24),
	V4(192U, 0, 2, 0, 24),
	V4(192U, 168, 0, 0, 16),
	V4(198U, 18, 0, 0, 15),
	V4(198U, 51, 100, 0, 24),
	V4(203U, 0, 113, 0, 24),
	V4(240U, 0, 0, 0, 4),
	V6(0, 0, 0, 0, 96),            /* IPv4-compatible */
	V6(0x0064ff9b, 0, 0, 0, 96),   /* NAT64: an IPv4 address in disguise */
	V6(0x0064ff9b, 0x10000, 0, 0, 48),
	V6(0x01000000, 0, 0, 0, 64),
	V6(0x20010000, 0, 0, 0, 23),   /* Teredo and protocol assignments */
	V6(0x20010db8, 0, 0, 0, 32),
	V6(0x20020000, 0, 0, 0, 16),   /* 6to4: likewise */
	V6(0xfc000000, 0, 0, 0, 7),
	V6(0xfe800000, 0, 0, 0, 10),
	V6(0xfec00000, 0, 0, 0, 10),
};

static bool within(const struct range *list, size_t n, const __be32 addr[4])
{
	for (size_t i = 0; i < n; i++) {
		__be32 prefix[4];

		for (int w = 0; w < 4; w++)
			prefix[w] = htonl(list[i].addr[w]);
		if (mpb_prefix_match(addr, prefix, list[i].bits))
			return true;
	}
	return false;
}

bool addr_is_no_host(const __be32 addr[4])
{
	return within(no_host, sizeof(no_host) / sizeof(no_host[0]), addr);
}

bool addr_is_private(const __be32 addr[4])
{
	return within(private, sizeof(private) / sizeof(private[0]), addr);
}

/* Routes lead from a host to its own addresses by the same one; connect() of a datagram socket sends nothing. */
bool addr_is_local(const __be32 addr[4])
{
	struct sockaddr_in6 to = { .sin6_family = AF_INET6, .sin6_port = htons(9) }, from = {};
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(from);
	bool local;

	memcpy(&to.sin6_addr, addr, sizeof(to.sin6_addr));
	local = fd >= 0 && !connect(fd, (struct sockaddr *)&to, sizeof(to)) && !getsockname(fd, (struct sockaddr *)&from, &len) &&
		!memcmp(&from.sin6_addr, &to.sin6_addr, sizeof(to.sin6_addr));
	if (fd >= 0)
		close(fd);
	return local;
}

int acl_add(struct acl *a, const char *what, const char *word)
{
	if (a->n == ACL_MAX)
		return err_usage(what, "more than %d prefixes", ACL_MAX);
	if (prefix_parse(what, word, a->prefix[a->n].addr, &a->prefix[a->n].bits))
		return -EINVAL;
	a->n++;
	return 0;
}

bool acl_has(const struct acl *a, const __be32 addr[4])
{
	for (int i = 0; i < a->n; i++)
		if (mpb_prefix_match(addr, a->prefix[i].addr, a->prefix[i].bits))
			return true;
	return false;
}
