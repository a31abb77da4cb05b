/* SPDX-License-Identifier: GPL-2.0-only */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fib_rules.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "detour.h"
#include "netlink.h"
#include "pin.h"

#define DYNADDR "/proc/sys/net/ipv4/ip_dynaddr"
#define PRIORITY 1  /* just behind the local table's */
#define PROTOCOL 77 /* whose rules these are; no routing daemon has this number */

struct found {
	int ifindex;
	uint32_t table;
	bool unicast;
};

static int read_route(const struct nlmsghdr *nlh, void *arg)
{
	const struct rtmsg *rtm = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *attr;
	struct found *f = arg;

	f->unicast = rtm->rtm_type == RTN_UNICAST;
	mnl_attr_for_each(attr, nlh, sizeof(*rtm)) {
		if (mnl_attr_get_type(attr) == RTA_OIF)
			f->ifindex = mnl_attr_get_u32(attr);
		else if (mnl_attr_get_type(attr) == RTA_TABLE)
			f->table = mnl_attr_get_u32(attr);
	}
	return MNL_CB_OK;
}

int detour_route(struct in_addr from, struct in_addr to, int *ifindex, uint32_t *table)
{
	char buf[NETLINK_REQUEST_MAX] = {};
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct rtmsg *rtm = mnl_nlmsg_put_extra_header(nlh, sizeof(*rtm));
	struct found f = {};
	int err;

	nlh->nlmsg_type = RTM_GETROUTE;
	*rtm = (struct rtmsg){ .rtm_family = AF_INET, .rtm_dst_len = 32, .rtm_src_len = 32, .rtm_flags = RTM_F_LOOKUP_TABLE };
	mnl_attr_put(nlh, RTA_DST, sizeof(to), &to);
	mnl_attr_put(nlh, RTA_SRC, sizeof(from), &from);
	err = netlink_request(NETLINK_ROUTE, nlh, read_route, &f);
	*ifindex = f.ifindex;
	*table = f.table;
	return err ? err : f.unicast ? 0 : -ENETUNREACH;
}

/* With a table: that of the other path; without: no route from the present address. */
static int change(int command, const struct mpb_tuple *syn, uint32_t table)
{
	struct fib_rule_port_range sport = { ntohs(syn->sport), ntohs(syn->sport) }, dport = { ntohs(syn->dport), ntohs(syn->dport) };
	char buf[NETLINK_REQUEST_MAX] = {};
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct fib_rule_hdr *rule = mnl_nlmsg_put_extra_header(nlh, sizeof(*rule));

	nlh->nlmsg_type = command;
	nlh->nlmsg_flags = command == RTM_NEWRULE ? NLM_F_CREATE | NLM_F_EXCL : 0;
	rule->family = AF_INET;
	rule->dst_len = 32;
	rule->action = table ? FR_ACT_TO_TBL : FR_ACT_UNREACHABLE;
	mnl_attr_put(nlh, FRA_DST, 4, &syn->daddr[3]);
	if (table) {
		mnl_attr_put_u32(nlh, FRA_TABLE, table);
	} else {
		rule->src_len = 32;
		mnl_attr_put(nlh, FRA_SRC, 4, &syn->saddr[3]);
	}
	mnl_attr_put_u32(nlh, FRA_PRIORITY, PRIORITY);
	mnl_attr_put_u8(nlh, FRA_PROTOCOL, PROTOCOL);
	mnl_attr_put_u8(nlh, FRA_IP_PROTO, IPPROTO_TCP);
	mnl_attr_put(nlh, FRA_SPORT_RANGE, sizeof(sport), &sport);
	mnl_attr_put(nlh, FRA_DPORT_RANGE, sizeof(dport), &dport);
	return netlink_request(NETLINK_ROUTE, nlh, NULL, NULL);
}

/* The first rule of a priority is asked first: without a source address it does not match. */
int detour_add(const struct mpb_tuple *syn, uint32_t table)
{
	int err = change(RTM_NEWRULE, syn, 0);

	if (!err)
		err = change(RTM_NEWRULE, syn, table);
	if (err)
		change(RTM_DELRULE, syn, 0);
	return err;
}

void detour_del(const struct mpb_tuple *syn, uint32_t table)
{
	change(RTM_DELRULE, syn, 0);
	change(RTM_DELRULE, syn, table);
}

/* A rule of ours is deleted by what its dump says. */
static int flush_one(const struct nlmsghdr *nlh, void *arg)
{
	char buf[NETLINK_REQUEST_MAX] = {};
	struct nlmsghdr *del = (void *)buf;
	const struct nlattr *attr;

	(void)arg;
	mnl_attr_for_each(attr, nlh, sizeof(struct fib_rule_hdr)) {
		if (mnl_attr_get_type(attr) != FRA_PROTOCOL || mnl_attr_get_u8(attr) != PROTOCOL || nlh->nlmsg_len > sizeof(buf))
			continue;
		memcpy(del, nlh, nlh->nlmsg_len);
		del->nlmsg_type = RTM_DELRULE;
		del->nlmsg_flags = 0;
		netlink_request(NETLINK_ROUTE, del, NULL, NULL);
		break;
	}
	return MNL_CB_OK;
}

/* The sysctl: 0, 1, or -errno. */
static int read_dynaddr(void)
{
	int fd = open(DYNADDR, O_RDONLY | O_CLOEXEC);
	char text[16] = "";
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	return n > 0 ? atoi(text) != 0 : -EIO;
}

static int write_dynaddr(int on)
{
	int fd = open(DYNADDR, O_WRONLY | O_CLOEXEC), err = 0;

	if (fd < 0 || write(fd, on ? "1" : "0", 1) < 0)
		err = -errno;
	if (fd >= 0)
		close(fd);
	return err;
}

static char *mark(char *path, const struct ns *ns)
{
	return pin_path(path, "%s/agent/dynaddr", ns->dir);
}

int detour_begin(const struct ns *ns)
{
	int on = read_dynaddr(), err;
	char path[PATH_MAX];

	if (on)
		return on < 0 ? on : 0;
	err = pin_mkdir(mark(path, ns));
	if (!err)
		err = write_dynaddr(1);
	if (err)
		pin_remove(path);
	return err;
}

void detour_end(const struct ns *ns)
{
	char path[PATH_MAX];

	if (pin_exists(mark(path, ns)) && !write_dynaddr(0))
		pin_remove(path);
}

void detour_flush(const struct ns *ns)
{
	char buf[NETLINK_REQUEST_MAX] = {};
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct fib_rule_hdr *rule = mnl_nlmsg_put_extra_header(nlh, sizeof(*rule));

	nlh->nlmsg_type = RTM_GETRULE;
	rule->family = AF_INET;
	netlink_dump(NETLINK_ROUTE, nlh, flush_one, NULL);
	detour_end(ns);
}
