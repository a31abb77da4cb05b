/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <string.h>
#include <bpf/libbpf.h>
#include "cmd.h"
#include "err.h"
#include "loaded.h"
#include "option.h"
#include "pin.h"
#include "scheduler.h"
#include "sweep.h"
#include "tunable.h"

/* Into the section that the kernel will get, or, where the policy is loaded already, into the one that it has. */
static int apply_settings(const struct args *a, const struct ns *ns, struct policy *p)
{
	struct bpf_map *section = bpf_object__find_map_by_name(p->obj, MPB_TUNE_SEC);
	size_t size = 0;
	void *data = section ? bpf_map__initial_value(section, &size) : NULL;
	const struct tunable *t;
	struct setting s;
	char path[PATH_MAX];
	uint64_t value;
	int err = 0;

	if (a->nwords > 3 && pin_exists(pin_path(path, "%s/sched/%s", ns->dir, p->desc.policy.name))) {
		err_hint("'mptcp-bpf tune %s KEY=VALUE'", p->desc.policy.name);
		return err_fail(EEXIST, p->desc.policy.name, "loaded already: swap to it goes without settings");
	}
	for (int i = 3; !err && i < a->nwords; i++) {
		err = setting_parse(a->words[i], &s);
		if (!err && s.dev[0])
			err = err_usage(s.dev, "swap sets what holds for all devices; 'tune' what holds for one");
		if (!err)
			err = tunable_match(&p->desc, &s, &t, &value);
		if (!err && data && t->off + t->size <= size)
			tunable_set(t, data, value);
	}
	return err;
}

int cmd_swap(const struct args *a)
{
	struct policy p;
	struct loaded l;
	struct ns ns;
	int err;

	if (a->nwords < 3)
		return err_usage("swap", "needs the name of a loaded policy and of the one to put in its place");
	err = policy_open(a->words[2], &p); /* before the mount namespace changes */
	if (err)
		return err;
	err = ns_enter(a->netns, &ns);
	if (!err)
		err = pin_begin();
	if (!err)
		err = sweep(&ns);
	if (!err)
		err = loaded_open(&ns, a->words[1], &l);
	if (err)
		goto out;
	loaded_close(&l);
	if (l.desc.policy.kind != p.desc.policy.kind)
		err = err_fail(EINVAL, p.desc.policy.name, "is of kind %s, %s is of kind %s", kind_word(p.desc.policy.kind), a->words[1],
			       kind_word(l.desc.policy.kind));
	else if (p.desc.policy.kind != MPB_SCHED && p.desc.policy.kind != MPB_OPT_POLICY)
		err = err_fail(EINVAL, a->words[1], "is of kind %s; schedulers and option policies are swapped in place", kind_word(l.desc.policy.kind));
	else if (!strcmp(a->words[1], p.desc.policy.name))
		err = err_fail(EEXIST, a->words[1], "is in its own place already");
	if (!err)
		err = apply_settings(a, &ns, &p);
	if (!err)
		err = p.desc.policy.kind == MPB_SCHED ? scheduler_swap(&ns, a->words[1], &p) : option_swap(&ns, a->words[1], &p);
out:
	policy_close(&p);
	return err;
}
