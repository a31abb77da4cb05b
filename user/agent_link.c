/* SPDX-License-Identifier: GPL-2.0-only */
/* What the kernel itself says of paths: a link without carrier, a device that is down, an address that is gone. No probe is needed then. And what comes.
 * Its messages only tell that something has changed: what, is read anew and compared. So none may be missed, and a storm of them costs no more than a few. */
#include <errno.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "agent.h"
#include "netlink.h"

#define MSEC 1000000ULL
#define LINKS_NS (20 * MSEC) /* between two readings */
#define READS_MAX 256        /* messages at a time */

struct change {
	struct agent *agent;
	const struct links *was, *is;
};

int link_open(void)
{
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (fd >= 0 && bind(fd, (struct sockaddr *)&addr, sizeof(addr))) {
		close(fd);
		return -1;
	}
	return fd;
}

/* By which the row's subflow leaves. Of one that nothing has come in by yet, only the address tells it. */
static int device_of(const struct agent_row *r, const struct links *l)
{
	const struct link_address *x;
	struct in6_addr addr;

	if (r->clock.ifindex)
		return r->clock.ifindex;
	memcpy(&addr, r->tuple.saddr, sizeof(addr));
	x = links_address(l, &addr, 0);
	return x ? x->ifindex : 0;
}

/* Every address that a subflow uses on the device, once. */
static void evacuate_device(const struct change *c, int ifindex, const char *why)
{
	struct agent *a = c->agent;
	struct in6_addr addrs[AWAY_MAX], addr;
	int n = 0, i;

	agent_read_rows(a);
	for (const struct agent_row *r = a->rows; r < a->rows + a->nrows; r++) {
		if (device_of(r, c->was) != ifindex)
			continue;
		memcpy(&addr, r->tuple.saddr, sizeof(addr));
		for (i = 0; i < n && memcmp(&addrs[i], &addr, sizeof(addr)); i++)
			;
		if (i == n && n < AWAY_MAX)
			addrs[n++] = addr;
	}
	for (i = 0; i < n; i++)
		agent_evacuate(a, &addrs[i], NULL, why);
}

static void leave_gone(const struct change *c)
{
	for (const struct link_device *d = c->was->devices; d < c->was->devices + c->was->ndevices; d++) {
		const struct link_device *now = links_device(c->is, d->ifindex);

		if (links_work(c->was, d->ifindex) && !links_work(c->is, d->ifindex))
			evacuate_device(c, d->ifindex, !now ? "its device is gone" : !(now->flags & IFF_UP) ? "its device is down" : "no carrier");
	}
	for (const struct link_address *x = c->was->addresses; x < c->was->addresses + c->was->naddresses; x++)
		if (!links_address(c->is, &x->addr, x->ifindex))
			agent_evacuate(c->agent, &x->addr, NULL, "the address is gone");
}

static bool is_usable(const struct links *l, const struct link_address *x)
{
	const struct link_address *here = links_address(l, &x->addr, x->ifindex);

	return here && here->usable && links_work(l, x->ifindex);
}

static void take_up(const struct change *c, const struct in6_addr *addr)
{
	for (const struct link_address *x = c->is->addresses; x < c->is->addresses + c->is->naddresses; x++)
		if (!memcmp(&x->addr, addr, sizeof(*addr)) && is_usable(c->is, x) && !is_usable(c->was, x))
			renew_address(c->agent, addr, x->ifindex);
}

static int take_up_endpoint(const struct endpoint *e, void *change)
{
	take_up(change, &e->addr);
	return 0;
}

int link_look(struct agent *a, uint64_t now)
{
	struct links is;
	struct change c = { a, &a->known, &is };

	if (!a->changed || now - a->read_ns < LINKS_NS)
		return 0;
	a->read_ns = now;
	if (links_read(&is)) /* they go on changing */
		return 0;
	a->changed = false;
	if (agent_discover(a)) { /* what joined a moment ago uses the link too */
		links_free(&is);
		return -EIO;
	}
	leave_gone(&c);
	endpoint_each(take_up_endpoint, &c);
	for (int i = 0; i < AWAY_MAX; i++)
		if (a->away.one[i].since_ns && !a->away.one[i].back_ns)
			take_up(&c, &a->away.one[i].endpoint.addr);
	links_free(&a->known);
	a->known = is;
	return 0;
}

int link_ready(void *agent)
{
	struct agent *a = agent;
	char byte;

	for (int i = 0; i < READS_MAX && (recv(a->links, &byte, sizeof(byte), MSG_TRUNC) > 0 || errno == ENOBUFS); i++)
		;
	a->changed = true;
	return link_look(a, agent_now());
}

bool link_came_up(int fd)
{
	char buf[16384] __attribute__((aligned(NLMSG_ALIGNTO)));
	bool up = false;
	ssize_t n;

	while ((n = recv(fd, buf, sizeof(buf), 0)) > 0 || (n < 0 && errno == ENOBUFS)) {
		int len = n;

		up |= n < 0; /* some events are lost: one may have been it */
		for (const struct nlmsghdr *nlh = (void *)buf; n > 0 && mnl_nlmsg_ok(nlh, len); nlh = mnl_nlmsg_next(nlh, &len)) {
			const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);

			up |= nlh->nlmsg_type == RTM_NEWLINK && ifi->ifi_flags & ifi->ifi_change & IFF_UP;
		}
	}
	return up;
}
