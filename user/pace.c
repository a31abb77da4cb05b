/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <bpf/libbpf.h>
#include "err.h"
#include "iterate.h"
#include "pace.h"
#include "policy.h"
#include "state.h"

int pace(const struct ns *ns)
{
	static const char *const shared[] = { "mpb_subflows", "mpb_steered", "mpb_rules", "mpb_watch" };
	char *buf = NULL;
	struct policy p;
	int err;

	err = policy_open("pace", &p);
	if (err)
		return err;
	for (size_t i = 0; !err && i < sizeof(shared) / sizeof(shared[0]); i++) {
		int fd = state_map(ns, shared[i]);

		err = fd < 0 ? -errno : bpf_map__reuse_fd(bpf_object__find_map_by_name(p.obj, shared[i]), fd);
		if (fd >= 0)
			close(fd);
	}
	if (!err)
		err = bpf_object__load(p.obj);
	if (!err)
		err = iterate(p.obj, &buf);
	if (err < 0)
		err_fail(-err, "pace", "the rates of schedulers cannot be put in force: %s", strerror(-err));
	free(buf);
	policy_close(&p);
	return err < 0 ? err : 0;
}
