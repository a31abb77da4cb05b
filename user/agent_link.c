/* SPDX-License-Identifier: GPL-2.0-only */
/* What the kernel itself says of paths: a link without carrier, a device that is down, an address that is gone. No probe is needed then. And what comes. */
#include <errno.h>
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "agent.h"
#include "dev.h"
#include "netlink.h"

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

/* Every address that a subflow uses on the device, once. Of one that nothing has come in by yet, only the address tells the device. */
static void evacuate_device(struct agent *a, int ifindex, const char *why)
{
	struct in6_addr addrs[AWAY_MAX], addr;
	struct ifaddrs *list;
	int n = 0, i;

	if (getifaddrs(&list))
		list = NULL;
	agent_read_rows(a);
	for (const struct agent_row *r = a->rows; r < a->rows + a->nrows; r++) {
		memcpy(&addr, r->tuple.saddr, sizeof(addr));
		if ((r->clock.ifindex ? (int)r->clock.ifindex : dev_of_address(list, &addr)) != ifindex)
			continue;
		for (i = 0; i < n && memcmp(&addrs[i], &addr, sizeof(addr)); i++)
			;
		if (i == n && n < AWAY_MAX)
			addrs[n++] = addr;
	}
	freeifaddrs(list);
	for (i = 0; i < n; i++)
		agent_evacuate(a, &addrs[i], NULL, why);
}

static void on_link(struct agent *a, const struct nlmsghdr *nlh)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);

	if (nlh->nlmsg_type == RTM_DELLINK)
		evacuate_device(a, ifi->ifi_index, "its device is gone");
	else if (!(ifi->ifi_flags & IFF_UP))
		evacuate_device(a, ifi->ifi_index, "its device is down");
	else if (!(ifi->ifi_flags & IFF_RUNNING))
		evacuate_device(a, ifi->ifi_index, "no carrier");
	else
		renew_device(a, ifi->ifi_index);
}

static void on_address(struct agent *a, const struct nlmsghdr *nlh)
{
	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(nlh);
	uint32_t flags = ifa->ifa_flags;
	const struct nlattr *attr;
	struct in6_addr addr = {};

	mnl_attr_for_each(attr, nlh, sizeof(*ifa)) {
		int type = mnl_attr_get_type(attr);

		if (ifa->ifa_family == AF_INET && type == IFA_LOCAL) {
			memset(&addr.s6_addr[10], 0xff, 2);
			memcpy(&addr.s6_addr[12], mnl_attr_get_payload(attr), 4);
		} else if (ifa->ifa_family == AF_INET6 && type == IFA_ADDRESS) {
			memcpy(&addr, mnl_attr_get_payload(attr), sizeof(addr));
		} else if (type == IFA_FLAGS) {
			flags = mnl_attr_get_u32(attr);
		}
	}
	if (nlh->nlmsg_type == RTM_DELADDR)
		agent_evacuate(a, &addr, NULL, "the address is gone");
	else if (!(flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED))) /* a usable one is told again */
		renew_address(a, &addr, ifa->ifa_index);
}

int link_ready(void *agent)
{
	struct agent *a = agent;
	char buf[16384] __attribute__((aligned(NLMSG_ALIGNTO)));
	ssize_t n;

	while ((n = recv(a->links, buf, sizeof(buf), 0)) > 0) {
		int len = n;

		if (agent_discover(a)) /* what joined a moment ago uses the link too */
			return -EIO;
		for (const struct nlmsghdr *nlh = (void *)buf; mnl_nlmsg_ok(nlh, len); nlh = mnl_nlmsg_next(nlh, &len)) {
			if (nlh->nlmsg_type == RTM_NEWLINK || nlh->nlmsg_type == RTM_DELLINK)
				on_link(a, nlh);
			else if (nlh->nlmsg_type == RTM_NEWADDR || nlh->nlmsg_type == RTM_DELADDR)
				on_address(a, nlh);
		}
	}
	return 0;
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
