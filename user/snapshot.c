/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <string.h>
#include <bpf/libbpf.h>
#include "err.h"
#include "iterate.h"
#include "policy.h"
#include "snapshot.h"

/* Loaded with or without `adopt`, which is the only variable there. */
static int load(struct policy *p, bool adopt)
{
	int err = policy_open("snapshot", p);
	size_t size;

	if (err)
		return err;
	*(bool *)bpf_map__initial_value(bpf_object__find_map_by_name(p->obj, ".rodata"), &size) = adopt;
	err = policy_load("snapshot", p);
	if (err)
		policy_close(p);
	return err;
}

int snapshot_read(bool adopt, struct mpb_snap **list)
{
	static struct policy kept[2]; /* for whoever reads again and again: the verifier takes 20 times as long as a walk */
	struct policy *p = &kept[adopt];
	char *buf = NULL;
	int n = p->obj ? 0 : load(p, adopt);

	*list = NULL;
	if (n)
		return n;
	n = iterate(p->obj, &buf);
	if (n < 0)
		err_fail(-n, "snapshot", "cannot walk the TCP sockets: %s", strerror(-n));
	else
		n /= sizeof(**list); /* records arrive whole */
	*list = (struct mpb_snap *)buf;
	return n;
}
