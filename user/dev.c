/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <net/if.h> /* before the kernel's own, which then leaves out what this one has */
#include <net/if_arp.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include "dev.h"
#include "err.h"
#include "netlink.h"

struct devs {
	struct dev *list;
	int n;
};

#ifndef ARPHRD_RAWIP
#define ARPHRD_RAWIP 519
#endif
#ifndef ARPHRD_NONE
#define ARPHRD_NONE 0xfffe
#endif

static int link_header(int type)
{
	switch (type) {
	case ARPHRD_ETHER:
	case ARPHRD_LOOPBACK:
		return 14;
	case ARPHRD_NONE:   /* tun */
	case ARPHRD_PPP:
	case ARPHRD_RAWIP:  /* LTE modems */
	case ARPHRD_TUNNEL:
	case ARPHRD_TUNNEL6:
	case ARPHRD_SIT:
		return 0;
	}
	return -1;
}

static int add(const struct nlmsghdr *nlh, void *arg)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);
	struct devs *devs = arg;
	const struct nlattr *attr;
	struct dev *grown = realloc(devs->list, (devs->n + 1) * sizeof(*grown)), *dev;

	if (!grown)
		return MNL_CB_ERROR;
	devs->list = grown;
	dev = &grown[devs->n++];
	memset(dev, 0, sizeof(*dev));
	dev->ifindex = ifi->ifi_index;
	dev->up = ifi->ifi_flags & IFF_UP;
	dev->loopback = ifi->ifi_flags & IFF_LOOPBACK;
	dev->link = link_header(ifi->ifi_type);
	mnl_attr_for_each(attr, nlh, sizeof(*ifi))
		if (mnl_attr_get_type(attr) == IFLA_IFNAME)
			strncpy(dev->name, mnl_attr_get_str(attr), sizeof(dev->name) - 1);
	return MNL_CB_OK;
}

int dev_list(struct dev **list)
{
	char buf[NETLINK_REQUEST_MAX] = {};
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct ifinfomsg *ifi = mnl_nlmsg_put_extra_header(nlh, sizeof(*ifi));
	struct devs devs = {};
	int err;

	nlh->nlmsg_type = RTM_GETLINK;
	ifi->ifi_family = AF_UNSPEC;
	err = netlink_dump(NETLINK_ROUTE, nlh, add, &devs);
	if (err) {
		free(devs.list);
		return err_fail(-err, "devices", "cannot list them: %s", strerror(-err));
	}
	*list = devs.list;
	return devs.n;
}

static struct dev *find(struct dev *list, int n, const char *name)
{
	for (int i = 0; i < n; i++)
		if (!strcmp(list[i].name, name))
			return &list[i];
	return NULL;
}

int dev_select(const char (*names)[IFNAMSIZ], int n, struct dev **list)
{
	int total = dev_list(list), kept = 0;
	struct dev *picked;

	if (total < 0)
		return total;
	if (!n) {
		for (int i = 0; i < total; i++)
			if ((*list)[i].up && !(*list)[i].loopback && (*list)[i].link >= 0)
				(*list)[kept++] = (*list)[i];
		if (kept)
			return kept;
		err_hint("name the devices: 'dev IF,...'");
		err_fail(ENODEV, "devices", "none is up besides loopback");
		goto fail;
	}
	picked = calloc(n, sizeof(*picked));
	if (!picked) {
		err_fail(ENOMEM, "devices", "out of memory");
		goto fail;
	}
	for (int i = 0; i < n; i++) {
		struct dev *dev = find(*list, total, names[i]);

		if (!dev || dev->link < 0) {
			free(picked);
			if (dev)
				err_fail(EOPNOTSUPP, names[i], "neither Ethernet nor a bare IP device: its packets cannot be read");
			else
				err_fail(ENODEV, names[i], "no such device in this network namespace");
			goto fail;
		}
		picked[i] = *dev;
	}
	free(*list);
	*list = picked;
	return n;
fail:
	free(*list);
	*list = NULL;
	return -ENODEV;
}

int dev_of_address(const struct ifaddrs *list, const struct in6_addr *addr)
{
	for (const struct ifaddrs *i = list; i; i = i->ifa_next) {
		const struct sockaddr_in *v4 = (const void *)i->ifa_addr;
		const struct sockaddr_in6 *v6 = (const void *)i->ifa_addr;

		if (i->ifa_addr && (IN6_IS_ADDR_V4MAPPED(addr) ? v4->sin_family == AF_INET && !memcmp(&v4->sin_addr, &addr->s6_addr[12], 4)
							       : v6->sin6_family == AF_INET6 && !memcmp(&v6->sin6_addr, addr, sizeof(*addr))))
			return if_nametoindex(i->ifa_name);
	}
	return 0;
}
