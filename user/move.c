/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <bpf/libbpf.h>
#include <mptcp_bpf/rule.h>
#include "err.h"
#include "iterate.h"
#include "move.h"
#include "policy.h"
#include "state.h"

int move(const struct ns *ns, const char *from, const char *to, const char *rule)
{
	struct { char from[MPB_CC_LEN], to[MPB_CC_LEN], rule[MPB_CC_LEN]; } *names;
	int err, conns = state_map(ns, "mpb_conns"), refused = 0;
	int *each = NULL;
	struct policy p;
	size_t size;

	err = policy_open("move", &p);
	if (err)
		goto out;
	names = bpf_map__initial_value(bpf_object__find_map_by_name(p.obj, ".rodata"), &size);
	strncpy(names->from, from, MPB_CC_LEN - 1);
	strncpy(names->to, to, MPB_CC_LEN - 1);
	strncpy(names->rule, rule, MPB_CC_LEN - 1);
	if (conns >= 0)
		err = bpf_map__reuse_fd(bpf_object__find_map_by_name(p.obj, "mpb_conns"), conns);
	if (!err)
		err = bpf_object__load(p.obj);
	if (!err)
		err = iterate(p.obj, (char **)&each);
	if (err < 0)
		err_fail(-err, from, "its sockets cannot be moved to %s: %s", to, strerror(-err));
	for (int i = 0; i < err / (int)sizeof(*each); i++)
		refused += each[i] != 0;
	free(each);
	policy_close(&p);
out:
	if (conns >= 0)
		close(conns);
	return err < 0 ? err : refused;
}
