/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdlib.h>
#include "netlink.h"

static int converse(int bus, struct nlmsghdr *request, int flags, mnl_cb_t each, void *arg)
{
	struct mnl_socket *sk = mnl_socket_open(bus);
	size_t size = 64 * 1024;
	char *buf = malloc(size);
	ssize_t n;
	int ret = 1;

	if (!sk || !buf || mnl_socket_bind(sk, 0, MNL_SOCKET_AUTOPID)) {
		ret = -1;
		goto out;
	}
	request->nlmsg_flags |= NLM_F_REQUEST | flags;
	request->nlmsg_seq = 1;
	if (mnl_socket_sendto(sk, request, request->nlmsg_len) < 0)
		ret = -1;
	while (ret > 0) {
		n = mnl_socket_recvfrom(sk, buf, size);
		ret = n < 0 ? -1 : mnl_cb_run(buf, n, 1, mnl_socket_get_portid(sk), each, arg);
	}
out:
	ret = ret < 0 ? -errno : 0;
	free(buf);
	if (sk)
		mnl_socket_close(sk);
	return ret;
}

int netlink_dump(int bus, struct nlmsghdr *request, mnl_cb_t each, void *arg)
{
	return converse(bus, request, NLM_F_DUMP, each, arg);
}

int netlink_request(int bus, struct nlmsghdr *request, mnl_cb_t each, void *arg)
{
	return converse(bus, request, NLM_F_ACK, each, arg);
}
