/* SPDX-License-Identifier: GPL-2.0-only */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <mptcp_bpf/state.h>
#include "diag.h"
#include "netlink.h"

struct list {
	struct diag_conn *conns;
	int n;
};

static int see(const struct nlmsghdr *nlh, void *arg)
{
	const struct inet_diag_msg *msg = mnl_nlmsg_get_payload(nlh);
	struct list *list = arg;
	const struct nlattr *attr;
	struct diag_conn c = { .state = msg->idiag_state };

	mnl_attr_for_each(attr, nlh, sizeof(*msg)) {
		size_t len = mnl_attr_get_payload_len(attr);

		if (mnl_attr_get_type(attr) != INET_DIAG_INFO)
			continue;
		memcpy(&c.info, mnl_attr_get_payload(attr), len < sizeof(c.info) ? len : sizeof(c.info));
		c.has_bytes = len >= sizeof(c.info);
	}
	if (!c.info.token)
		return MNL_CB_OK;
	if (!(list->n & (list->n - 1))) { /* grow at powers of two */
		struct diag_conn *grown = realloc(list->conns, (list->n ? 2 * list->n : 1) * sizeof(c));

		if (!grown)
			return MNL_CB_ERROR;
		list->conns = grown;
	}
	list->conns[list->n++] = c;
	return MNL_CB_OK;
}

static int by_token(const void *a, const void *b)
{
	__u32 x = ((const struct diag_conn *)a)->info.token, y = ((const struct diag_conn *)b)->info.token;

	return x < y ? -1 : x > y;
}

static int dump(int family, struct list *list)
{
	char buf[NETLINK_REQUEST_MAX] = {};
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct inet_diag_req_v2 *req = mnl_nlmsg_put_extra_header(nlh, sizeof(*req));

	nlh->nlmsg_type = SOCK_DIAG_BY_FAMILY;
	req->sdiag_family = family;
	req->sdiag_protocol = MPB_IPPROTO_MPTCP & 0xff;
	req->idiag_ext = 1 << (INET_DIAG_INFO - 1);
	req->idiag_states = ~0U;
	mnl_attr_put_u32(nlh, MPB_INET_DIAG_REQ_PROTOCOL, MPB_IPPROTO_MPTCP);
	return netlink_dump(NETLINK_SOCK_DIAG, nlh, see, list);
}

int diag_connections(struct diag_conn **conns)
{
	struct list list = {};
	int err = dump(AF_INET, &list);

	if (!err)
		err = dump(AF_INET6, &list);
	if (err) {
		free(list.conns);
		return err;
	}
	if (list.n)
		qsort(list.conns, list.n, sizeof(*list.conns), by_token);
	*conns = list.conns;
	return list.n;
}

const struct diag_conn *diag_find(const struct diag_conn *list, int n, __u32 token)
{
	struct diag_conn key = { .info.token = token };

	return n ? bsearch(&key, list, n, sizeof(*list), by_token) : NULL;
}

static int destroy(const struct mpb_tuple *t, int ifindex)
{
	bool v4 = !t->saddr[0] && !t->saddr[1] && t->saddr[2] == htonl(0xffff);
	char buf[NETLINK_REQUEST_MAX] = {};
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct inet_diag_req_v2 *req = mnl_nlmsg_put_extra_header(nlh, sizeof(*req));

	nlh->nlmsg_type = SOCK_DESTROY;
	req->sdiag_family = v4 ? AF_INET : AF_INET6;
	req->sdiag_protocol = IPPROTO_TCP;
	req->idiag_states = ~0U;
	req->id.idiag_sport = t->sport;
	req->id.idiag_dport = t->dport;
	memcpy(req->id.idiag_src, v4 ? &t->saddr[3] : t->saddr, v4 ? 4 : 16);
	memcpy(req->id.idiag_dst, v4 ? &t->daddr[3] : t->daddr, v4 ? 4 : 16);
	req->id.idiag_if = ifindex;
	req->id.idiag_cookie[0] = req->id.idiag_cookie[1] = INET_DIAG_NOCOOKIE;
	return netlink_request(NETLINK_SOCK_DIAG, nlh, NULL, NULL);
}

int diag_destroy(const struct mpb_tuple *t, int ifindex)
{
	int err = destroy(t, 0);

	return err == -ENOENT && ifindex ? destroy(t, ifindex) : err;
}
