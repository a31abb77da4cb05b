/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <string.h>
#include <bpf/libbpf.h>
#include "err.h"
#include "iterate.h"
#include "policy.h"
#include "snapshot.h"

int snapshot_read(bool adopt, struct mpb_snap **list)
{
	struct policy p;
	char *buf = NULL;
	int n;

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
	n = iterate(p.obj, &buf);
	if (n < 0)
		err_fail(-n, "snapshot", "cannot walk the TCP sockets: %s", strerror(-n));
	else
		n /= sizeof(**list); /* records arrive whole */
	*list = (struct mpb_snap *)buf;
out:
	policy_close(&p);
	return n;
}
