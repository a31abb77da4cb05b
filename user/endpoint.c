/* SPDX-License-Identifier: GPL-2.0-only */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/genetlink.h>
#include <linux/mptcp.h>
#include <string.h>
#include <unistd.h>
#include "endpoint.h"
#include "netlink.h"

static bool is_v4(const struct in6_addr *a)
{
	return IN6_IS_ADDR_V4MAPPED(a);
}

static int get_family(const struct nlmsghdr *nlh, void *arg)
{
	const struct nlattr *attr;

	mnl_attr_for_each(attr, nlh, sizeof(struct genlmsghdr))
		if (mnl_attr_get_type(attr) == CTRL_ATTR_FAMILY_ID)
			*(int *)arg = mnl_attr_get_u16(attr);
	return MNL_CB_OK;
}

static struct nlmsghdr *begin(char *buf, int type, int command, int version)
{
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct genlmsghdr *genl = mnl_nlmsg_put_extra_header(nlh, sizeof(*genl));

	nlh->nlmsg_type = type;
	genl->cmd = command;
	genl->version = version;
	return nlh;
}

/* The number of the path manager's family; it does not change. */
static int family(void)
{
	static int id;
	char buf[NETLINK_REQUEST_MAX] = {};
	struct nlmsghdr *nlh = begin(buf, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, 1);
	int err;

	if (id)
		return id;
	mnl_attr_put_strz(nlh, CTRL_ATTR_FAMILY_NAME, MPTCP_PM_NAME);
	err = netlink_request(NETLINK_GENERIC, nlh, get_family, &id);
	return err ? err : id ? id : -ENOENT;
}

struct walk {
	int (*each)(const struct endpoint *e, void *arg);
	void *arg;
	int ret;
};

static int read_one(const struct nlmsghdr *nlh, void *arg)
{
	const struct nlattr *outer, *attr;
	struct walk *w = arg;

	mnl_attr_for_each(outer, nlh, sizeof(struct genlmsghdr)) {
		struct endpoint e = {};

		if ((mnl_attr_get_type(outer) & NLA_TYPE_MASK) != MPTCP_PM_ATTR_ADDR)
			continue;
		mnl_attr_for_each_nested(attr, outer) {
			switch (mnl_attr_get_type(attr)) {
			case MPTCP_PM_ADDR_ATTR_ID:
				e.id = mnl_attr_get_u8(attr);
				break;
			case MPTCP_PM_ADDR_ATTR_FLAGS:
				e.flags = mnl_attr_get_u32(attr);
				break;
			case MPTCP_PM_ADDR_ATTR_IF_IDX:
				e.ifindex = mnl_attr_get_u32(attr);
				break;
			case MPTCP_PM_ADDR_ATTR_PORT:
				e.port = mnl_attr_get_u16(attr);
				break;
			case MPTCP_PM_ADDR_ATTR_ADDR4:
				memset(&e.addr.s6_addr[10], 0xff, 2);
				memcpy(&e.addr.s6_addr[12], mnl_attr_get_payload(attr), 4);
				break;
			case MPTCP_PM_ADDR_ATTR_ADDR6:
				memcpy(&e.addr, mnl_attr_get_payload(attr), sizeof(e.addr));
				break;
			}
		}
		if (!w->ret)
			w->ret = w->each(&e, w->arg);
	}
	return MNL_CB_OK;
}

int endpoint_each(int (*each)(const struct endpoint *e, void *arg), void *arg)
{
	char buf[NETLINK_REQUEST_MAX] = {};
	struct walk w = { each, arg, 0 };
	int id = family(), err;

	if (id < 0)
		return id;
	err = netlink_dump(NETLINK_GENERIC, begin(buf, id, MPTCP_PM_CMD_GET_ADDR, MPTCP_PM_VER), read_one, &w);
	return err ? err : w.ret;
}

static int match(const struct endpoint *e, void *arg)
{
	struct endpoint *wanted = arg;

	if (memcmp(&e->addr, &wanted->addr, sizeof(e->addr)))
		return 0;
	*wanted = *e;
	return 1;
}

int endpoint_find(const struct in6_addr *addr, struct endpoint *e)
{
	int ret;

	memset(e, 0, sizeof(*e));
	e->addr = *addr;
	ret = endpoint_each(match, e);
	return ret == 1 ? 0 : ret < 0 ? ret : -ENOENT;
}

static int change(const struct endpoint *e, int command)
{
	char buf[NETLINK_REQUEST_MAX] = {};
	struct nlmsghdr *nlh;
	struct nlattr *nest;
	int id = family();

	if (id < 0)
		return id;
	nlh = begin(buf, id, command, MPTCP_PM_VER);
	nest = mnl_attr_nest_start(nlh, MPTCP_PM_ATTR_ADDR);
	mnl_attr_put_u16(nlh, MPTCP_PM_ADDR_ATTR_FAMILY, is_v4(&e->addr) ? AF_INET : AF_INET6);
	mnl_attr_put_u8(nlh, MPTCP_PM_ADDR_ATTR_ID, e->id);
	if (is_v4(&e->addr))
		mnl_attr_put(nlh, MPTCP_PM_ADDR_ATTR_ADDR4, 4, &e->addr.s6_addr[12]);
	else
		mnl_attr_put(nlh, MPTCP_PM_ADDR_ATTR_ADDR6, sizeof(e->addr), &e->addr);
	if (command == MPTCP_PM_CMD_ADD_ADDR) {
		mnl_attr_put_u32(nlh, MPTCP_PM_ADDR_ATTR_FLAGS, e->flags);
		if (e->ifindex)
			mnl_attr_put_u32(nlh, MPTCP_PM_ADDR_ATTR_IF_IDX, e->ifindex);
		if (e->port)
			mnl_attr_put_u16(nlh, MPTCP_PM_ADDR_ATTR_PORT, e->port);
	}
	mnl_attr_nest_end(nlh, nest);
	return netlink_request(NETLINK_GENERIC, nlh, NULL, NULL);
}

int endpoint_del(const struct endpoint *e)
{
	return change(e, MPTCP_PM_CMD_DEL_ADDR);
}

int endpoint_add(const struct endpoint *e)
{
	return change(e, MPTCP_PM_CMD_ADD_ADDR);
}

bool endpoint_idle(void)
{
	int fd = open("/proc/sys/net/mptcp/pm_type", O_RDONLY | O_CLOEXEC);
	char type = '0';

	if (fd < 0) /* before 5.19 the kernel is the only one */
		return false;
	if (read(fd, &type, 1) < 0)
		type = '0';
	close(fd);
	return type != '0';
}
