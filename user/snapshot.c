/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include "err.h"
#include "policy.h"
#include "snapshot.h"

/* Read the iterator to its end; records arrive whole. */
static int drain(int fd, struct mpb_snap **list)
{
	size_t size = 0, used = 0;
	char *buf = NULL;
	ssize_t n;

	do {
		if (size - used < 64 * sizeof(**list)) {
			char *grown = realloc(buf, size = size * 2 + 256 * sizeof(**list));

			if (!grown) {
				free(buf);
				return -ENOMEM;
			}
			buf = grown;
		}
		n = read(fd, buf + used, size - used);
		if (n > 0)
			used += n;
	} while (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)));
	if (n < 0) {
		free(buf);
		return -errno;
	}
	*list = (struct mpb_snap *)buf;
	return used / sizeof(**list);
}

int snapshot_read(bool adopt, struct mpb_snap **list)
{
	struct bpf_program *prog;
	struct bpf_link *link = NULL;
	struct policy p;
	int fd = -1, n;

	*list = NULL;
	n = policy_open("snapshot", &p);
	if (n)
		return n;
	if (adopt) {
		size_t size;
		bool *flag = bpf_map__initial_value(bpf_object__find_map_by_name(p.obj, ".rodata"), &size);

		*flag = true; /* the only variable there */
	}
	n = bpf_object__load(p.obj);
	if (n) {
		err_hint("'mptcp-bpf features' tells what this kernel has");
		n = n == -EPERM || n == -EACCES ? err_fail(-n, "snapshot", "cannot load the socket iterator: %s", strerror(-n)) :
						  err_lacks("snapshot", "this kernel does not take the iterator over TCP sockets: %s", strerror(-n));
		goto out;
	}
	prog = bpf_object__next_program(p.obj, NULL);
	link = bpf_program__attach_iter(prog, NULL);
	fd = link ? bpf_iter_create(bpf_link__fd(link)) : -errno;
	n = fd < 0 ? fd : drain(fd, list);
	if (n < 0)
		err_fail(-n, "snapshot", "cannot walk the TCP sockets: %s", strerror(-n));
	if (fd >= 0)
		close(fd);
out:
	bpf_link__destroy(link);
	policy_close(&p);
	return n;
}
