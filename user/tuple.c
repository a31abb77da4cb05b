/* SPDX-License-Identifier: GPL-2.0-only */
#include <arpa/inet.h>
#include <stdio.h>
#include "tuple.h"

/* Of the addresses on the wire: 4 or 6. */
static int family(const struct mpb_tuple *t)
{
	return !t->saddr[0] && !t->saddr[1] && t->saddr[2] == htonl(0xffff) ? 4 : 6;
}

static void addr_text(char *buf, const __be32 addr[4], int family)
{
	if (!inet_ntop(family == 4 ? AF_INET : AF_INET6, family == 4 ? (const void *)&addr[3] : addr, buf, INET6_ADDRSTRLEN))
		snprintf(buf, INET6_ADDRSTRLEN, "?");
}

static void end_text(char *buf, size_t size, const __be32 addr[4], __be16 port, int family)
{
	char text[INET6_ADDRSTRLEN];

	addr_text(text, addr, family);
	snprintf(buf, size, family == 4 ? "%s:%u" : "[%s]:%u", text, ntohs(port));
}

void tuple_local(const struct mpb_tuple *t, char *buf, size_t size)
{
	end_text(buf, size, t->saddr, t->sport, family(t));
}

void tuple_remote(const struct mpb_tuple *t, char *buf, size_t size)
{
	end_text(buf, size, t->daddr, t->dport, family(t));
}

void tuple_path(const struct mpb_tuple *t, char *buf, size_t size)
{
	char local[INET6_ADDRSTRLEN], remote[INET6_ADDRSTRLEN];

	addr_text(local, t->saddr, family(t));
	addr_text(remote, t->daddr, family(t));
	snprintf(buf, size, "%s>%s", local, remote);
}
