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
	n = policy_load("snapshot", &p);
	if (n)
		goto out;
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
