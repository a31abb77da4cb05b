/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <string.h>
#include <bpf/libbpf.h>
#include "cc.h"
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

	pin_path(path, "%s/%s/%s", p->desc.policy.kind == MPB_CC ? PIN_GLOBAL : ns->dir, kind_word(p->desc.policy.kind), p->desc.policy.name);
	for (int i = 3; !err && i < a->nwords; i++) {
		err = setting_parse(a->words[i], &s);
		if (!err && s.dev[0])
			err = err_usage(s.dev, "swap sets what holds for all devices; 'tune' what holds for one");
		if (!err)
			err = tunable_match(&p->desc, &s, &t, &value);
		if (!err && data && t->off + t->size <= size)
			tunable_set(t, data, value);
	}
	if (!err && a->nwords > 3 && pin_exists(path)) {
		err_hint("'mptcp-bpf tune %s KEY=VALUE'", p->desc.policy.name);
		err = err_fail(EEXIST, p->desc.policy.name, "loaded already: swap to it goes without settings");
	}
	return err;
}

/* What is loaded, or a congestion control of the kernel's own. */
static int kind_of(const struct ns *ns, const char *name, uint32_t *kind)
{
	struct loaded l;
	int err;

	*kind = MPB_CC;
	if (cc_is_kernels(name))
		return 0;
	err = loaded_open(ns, name, &l);
	if (err)
		return err;
	loaded_close(&l);
	*kind = l.desc.policy.kind;
	return 0;
}

/* p->obj is NULL where the new one is a congestion control of the kernel's own. */
static int swap(const struct args *a, const struct ns *ns, struct policy *p)
{
	const char *old = a->words[1], *name = p->obj ? p->desc.policy.name : a->words[2];
	uint32_t kind = p->obj ? p->desc.policy.kind : MPB_CC, old_kind;
	int err = kind_of(ns, old, &old_kind);

	if (!p->obj && !cc_is_kernels(name))
		return err_fail(ENOENT, name, "no such policy"); /* seen as the kernel's own only where our pins are hidden */
	if (err)
		return err;
	if (old_kind != kind)
		return err_fail(EINVAL, name, "is of kind %s, %s is of kind %s", kind_word(kind), old, kind_word(old_kind));
	if (!strcmp(old, name))
		return err_fail(EEXIST, old, "is in its own place already");
	if (!p->obj)
		return a->nwords > 3 ? err_usage(name, "is the kernel's own and has no settings here") : cc_swap(ns, old, name, NULL);
	err = apply_settings(a, ns, p);
	if (err)
		return err;
	switch (kind) {
	case MPB_SCHED:
		return scheduler_swap(ns, old, p);
	case MPB_CC:
		return cc_swap(ns, old, name, p);
	case MPB_OPT_POLICY:
		return option_swap(ns, old, p);
	default:
		return err_fail(EINVAL, old, "is of kind %s; schedulers, congestion controls and option policies are swapped in place", kind_word(kind));
	}
}

int cmd_swap(const struct args *a)
{
	struct policy p = {};
	struct ns ns;
	int err;

	if (a->nwords < 3)
		return err_usage("swap", "needs the name of a loaded policy and of the one to put in its place");
	err = policy_open(a->words[2], &p); /* before the mount namespace changes */
	if (err && cc_is_kernels(a->words[2])) {
		err_clear();
		err = 0;
	}
	if (err)
		return err;
	err = ns_enter(a->netns, &ns);
	if (!err)
		err = pin_begin();
	if (!err)
		err = sweep(&ns);
	if (!err)
		err = swap(a, &ns, &p);
	policy_close(&p);
	return err;
}
