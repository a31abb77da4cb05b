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
#define PRIORITY 1   /* just behind the local table's */
#define PREFERENCE 2 /* for connections without rules of their own; IPv6: and 3 */
#define BEHIND 4
#define PROTOCOL 77  /* whose rules these are; no routing daemon has this number */

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

/* IPv4 as IPv4-mapped IPv6. Returns the family, and where the address's bytes are. */
static int address(const void *addr, const void **bytes, size_t *size)
{
	bool v4 = IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)addr);

	*bytes = (const char *)addr + (v4 ? 12 : 0);
	*size = v4 ? 4 : 16;
	return v4 ? AF_INET : AF_INET6;
}

int detour_route(const struct in6_addr *from, const struct in6_addr *to, int *ifindex, uint32_t *table)
{
	char buf[NETLINK_REQUEST_MAX] = {};
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct rtmsg *rtm = mnl_nlmsg_put_extra_header(nlh, sizeof(*rtm));
	struct found f = {};
	const void *bytes;
	size_t size;
	int err;

	nlh->nlmsg_type = RTM_GETROUTE;
	rtm->rtm_flags = RTM_F_LOOKUP_TABLE;
	address(to, &bytes, &size);
	mnl_attr_put(nlh, RTA_DST, size, bytes);
	rtm->rtm_family = address(from, &bytes, &size);
	mnl_attr_put(nlh, RTA_SRC, size, bytes);
	rtm->rtm_dst_len = rtm->rtm_src_len = size * 8;
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

/* A rule for TCP to the peer, from the first `bits` bits of a source. */
static struct fib_rule_hdr *begin(struct nlmsghdr *nlh, const struct mpb_tuple *t, uint32_t priority, const void *source, int bits)
{
	struct fib_rule_hdr *rule = mnl_nlmsg_put_extra_header(nlh, sizeof(*rule));
	const void *peer;
	size_t size;

	rule->family = address(t->daddr, &peer, &size);
	rule->dst_len = size * 8;
	rule->src_len = bits;
	mnl_attr_put(nlh, FRA_DST, size, peer);
	if (bits)
		mnl_attr_put(nlh, FRA_SRC, size, source);
	mnl_attr_put_u32(nlh, FRA_PRIORITY, priority);
	mnl_attr_put_u8(nlh, FRA_PROTOCOL, PROTOCOL);
	mnl_attr_put_u8(nlh, FRA_IP_PROTO, IPPROTO_TCP);
	return rule;
}

static int send_rule(struct nlmsghdr *nlh, bool on)
{
	nlh->nlmsg_type = on ? RTM_NEWRULE : RTM_DELRULE;
	nlh->nlmsg_flags = on ? NLM_F_CREATE | NLM_F_EXCL : 0;
	return netlink_request(NETLINK_ROUTE, nlh, NULL, NULL);
}

static int lookup_rule(const struct mpb_tuple *t, uint32_t priority, int bits, uint32_t table, bool on)
{
	static const char none[16];
	char buf[NETLINK_REQUEST_MAX] = {};
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);

	begin(nlh, t, priority, none, bits)->action = FR_ACT_TO_TBL;
	mnl_attr_put_u32(nlh, FRA_TABLE, table);
	return send_rule(nlh, on);
}

/* Past the rule that is meant for sockets without an address, for a half of all that have one. */
static int skip_rule(const struct mpb_tuple *t, unsigned char first, bool on)
{
	const unsigned char half[16] = { first };
	char buf[NETLINK_REQUEST_MAX] = {};
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);

	begin(nlh, t, PREFERENCE, half, 1)->action = FR_ACT_GOTO;
	mnl_attr_put_u32(nlh, FRA_GOTO, BEHIND);
	return send_rule(nlh, on);
}

static int behind_rule(const struct mpb_tuple *t, bool on)
{
	char buf[NETLINK_REQUEST_MAX] = {};
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);

	begin(nlh, t, BEHIND, NULL, 0)->action = FR_ACT_NOP;
	return send_rule(nlh, on);
}

/* What skips the preference comes before it, and goes after it. */
static int prefer_v6(const struct mpb_tuple *t, uint32_t table, bool on)
{
	int err = on ? behind_rule(t, true) : lookup_rule(t, PREFERENCE + 1, 0, table, false);

	for (int half = 0; half < 2 && (!err || !on); half++)
		err = skip_rule(t, half ? 0x80 : 0, on);
	if (!err || !on)
		err = on ? lookup_rule(t, PREFERENCE + 1, 0, table, true) : behind_rule(t, false);
	if (err && on)
		prefer_v6(t, table, false);
	return err;
}

/* IPv4 has a source for what has no address yet, 0.0.0.0/32. IPv6 has not: a rule with a source never matches that, so all that has one is led past. */
int detour_prefer(const struct mpb_tuple *t, uint32_t table, bool on)
{
	return IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)t->daddr) ? lookup_rule(t, PREFERENCE, 32, table, on) : prefer_v6(t, table, on);
}

/* A rule of ours is deleted by what its dump says; counted if it was. */
static int flush_one(const struct nlmsghdr *nlh, void *arg)
{
	char buf[NETLINK_REQUEST_MAX] = {};
	struct nlmsghdr *del = (void *)buf;
	const struct nlattr *attr;
	int *deleted = arg;

	mnl_attr_for_each(attr, nlh, sizeof(struct fib_rule_hdr)) {
		if (mnl_attr_get_type(attr) != FRA_PROTOCOL || mnl_attr_get_u8(attr) != PROTOCOL || nlh->nlmsg_len > sizeof(buf))
			continue;
		memcpy(del, nlh, nlh->nlmsg_len);
		del->nlmsg_type = RTM_DELRULE;
		del->nlmsg_flags = 0;
		*deleted += !netlink_request(NETLINK_ROUTE, del, NULL, NULL);
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

/* A dump skips rules when others go meanwhile. */
static void flush(int family)
{
	int deleted;

	do {
		char buf[NETLINK_REQUEST_MAX] = {};
		struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
		struct fib_rule_hdr *rule = mnl_nlmsg_put_extra_header(nlh, sizeof(*rule));

		nlh->nlmsg_type = RTM_GETRULE;
		rule->family = family;
		deleted = 0;
		netlink_dump(NETLINK_ROUTE, nlh, flush_one, &deleted);
	} while (deleted);
}

void detour_flush(const struct ns *ns)
{
	flush(AF_INET);
	flush(AF_INET6);
	detour_end(ns);
}
