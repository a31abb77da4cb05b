/* SPDX-License-Identifier: GPL-2.0-only */
#include <net/if.h> /* before the kernel's own, which then leaves out what this one has */
#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include "links.h"
#include "netlink.h"

static int add_device(const struct nlmsghdr *nlh, void *arg)
{
	const struct ifinfomsg *ifi = mnl_nlmsg_get_payload(nlh);
	struct links *l = arg;
	struct link_device *grown = realloc(l->devices, (l->ndevices + 1) * sizeof(*grown));

	if (!grown)
		return MNL_CB_ERROR;
	l->devices = grown;
	grown[l->ndevices++] = (struct link_device){ ifi->ifi_index, ifi->ifi_flags };
	return MNL_CB_OK;
}

static int add_address(const struct nlmsghdr *nlh, void *arg)
{
	const struct ifaddrmsg *ifa = mnl_nlmsg_get_payload(nlh);
	struct links *l = arg;
	struct link_address *grown = realloc(l->addresses, (l->naddresses + 1) * sizeof(*grown)), *one;
	uint32_t flags = ifa->ifa_flags;
	const struct nlattr *attr;

	if (!grown)
		return MNL_CB_ERROR;
	l->addresses = grown;
	one = &grown[l->naddresses++];
	*one = (struct link_address){ .ifindex = ifa->ifa_index };
	mnl_attr_for_each(attr, nlh, sizeof(*ifa)) {
		int type = mnl_attr_get_type(attr);

		if (ifa->ifa_family == AF_INET && type == IFA_LOCAL) {
			memset(&one->addr.s6_addr[10], 0xff, 2);
			memcpy(&one->addr.s6_addr[12], mnl_attr_get_payload(attr), 4);
		} else if (ifa->ifa_family == AF_INET6 && type == IFA_ADDRESS) {
			memcpy(&one->addr, mnl_attr_get_payload(attr), sizeof(one->addr));
		} else if (type == IFA_FLAGS) {
			flags = mnl_attr_get_u32(attr);
		}
	}
	one->usable = !(flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED));
	return MNL_CB_OK;
}

static int dump(int type, size_t header, mnl_cb_t each, struct links *l)
{
	char buf[NETLINK_REQUEST_MAX] = {};
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);

	mnl_nlmsg_put_extra_header(nlh, header); /* of all families */
	nlh->nlmsg_type = type;
	return netlink_dump(NETLINK_ROUTE, nlh, each, l);
}

int links_read(struct links *l)
{
	int err;

	memset(l, 0, sizeof(*l));
	err = dump(RTM_GETLINK, sizeof(struct ifinfomsg), add_device, l);
	if (!err)
		err = dump(RTM_GETADDR, sizeof(struct ifaddrmsg), add_address, l);
	if (err)
		links_free(l);
	return err;
}

void links_free(struct links *l)
{
	free(l->devices);
	free(l->addresses);
	memset(l, 0, sizeof(*l));
}

const struct link_device *links_device(const struct links *l, int ifindex)
{
	for (int i = 0; i < l->ndevices; i++)
		if (l->devices[i].ifindex == ifindex)
			return &l->devices[i];
	return NULL;
}

const struct link_address *links_address(const struct links *l, const struct in6_addr *addr, int ifindex)
{
	for (int i = 0; i < l->naddresses; i++)
		if ((!ifindex || l->addresses[i].ifindex == ifindex) && !memcmp(&l->addresses[i].addr, addr, sizeof(*addr)))
			return &l->addresses[i];
	return NULL;
}

bool links_work(const struct links *l, int ifindex)
{
	const struct link_device *d = links_device(l, ifindex);

	return d && d->flags & IFF_UP && d->flags & IFF_RUNNING;
}
