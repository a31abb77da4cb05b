/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include "cc.h"
#include "cc_default.h"
#include "err.h"
#include "move.h"
#include "pin.h"
#include "rules.h"
#include "state.h"
#include "tcp_sysctl.h"

#define PRIO_LAST 65535 /* of the default rule that `load` adds */

static bool is_name(const char *name)
{
	return name[0] && !strchr(name, '/') && name[0] != '+' && name[0] != '.';
}

bool cc_is_loaded(const struct ns *ns, const char *name)
{
	char path[PATH_MAX];

	return is_name(name) && pin_exists(pin_path(path, "%s/cc/%s", ns->dir, name));
}

bool cc_is_kernels(const char *name)
{
	char list[1024], path[PATH_MAX], *rest = list, *word;

	if (!is_name(name) || pin_exists(pin_path(path, CC_GLOBAL "/%s", name)))
		return false;
	tcp_sysctl_read("available_congestion_control", list, sizeof(list));
	while ((word = strsep(&rest, " ")))
		if (!strcmp(word, name))
			return true;
	return false;
}

static int pin_as(struct bpf_map *map, const char *dir, const char *name)
{
	char path[PATH_MAX + 16];

	if (!map)
		return 0;
	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return bpf_obj_pin(bpf_map__fd(map), path) ? err_fail(errno, path, "cannot pin: %s", strerror(errno)) : 0;
}

/* Takes what is pinned as +NAME out of the kernel. Sockets that still run it keep it until they close. */
static int retire(const char *leaf)
{
	char path[PATH_MAX];
	__u32 zero = 0;
	int fd = bpf_obj_get(pin_path(path, CC_GLOBAL "/%s/ops", leaf));

	if (fd >= 0) {
		bpf_map_delete_elem(fd, &zero); /* unregisters; an error says that it was not registered */
		close(fd);
	}
	return pin_remove(pin_path(path, CC_GLOBAL "/%s", leaf));
}

/* Verify it, pin it as +NAME, register it, and commit: whatever is registered can be found by its pin. */
static int enter(struct policy *p)
{
	const char *name = p->desc.policy.name;
	struct bpf_map *ops = bpf_object__find_map_by_name(p->obj, name);
	char dir[PATH_MAX], final[PATH_MAX], leaf[MPB_NAME_LEN + 1];
	struct bpf_link *link;
	int err;

	snprintf(leaf, sizeof(leaf), "+%s", name);
	err = policy_load(name, p);
	if (err)
		return err;
	err = pin_mkdir(pin_path(dir, CC_GLOBAL "/%s", leaf));
	if (!err)
		err = pin_as(ops, dir, "ops");
	if (!err)
		err = pin_as(bpf_object__find_map_by_name(p->obj, MPB_POLICY_SEC), dir, "policy");
	if (!err)
		err = pin_as(bpf_object__find_map_by_name(p->obj, MPB_TUNE_SEC), dir, "tune");
	if (!err)
		err = pin_as(bpf_object__find_map_by_name(p->obj, "mpb_groups"), dir, "groups");
	if (!err) {
		link = bpf_map__attach_struct_ops(ops);
		if (!link && errno == EEXIST) {
			err_hint("'bpftool struct_ops' shows congestion controls in BPF; what is built in keeps its name");
			err = err_fail(EEXIST, name, "somebody else registered a congestion control of this name");
		} else if (!link) {
			err = err_fail(errno, name, "cannot be registered: %s", strerror(errno));
		} else {
			bpf_link__disconnect(link); /* registered until it is retired */
			bpf_link__destroy(link);
		}
	}
	if (!err)
		err = pin_commit(dir, pin_path(final, CC_GLOBAL "/%s", name));
	if (err)
		retire(leaf);
	return err;
}

/* Registered, and this namespace among its users. */
static int join(const struct ns *ns, struct policy *p)
{
	const char *name = p->desc.policy.name;
	char path[PATH_MAX];
	int err = 0;

	if (!pin_exists(pin_path(path, CC_GLOBAL "/%s", name)))
		err = enter(p);
	return err ? err : pin_mkdir(pin_path(path, "%s/cc/%s", ns->dir, name));
}

static int uses(const char *cookie, void *arg)
{
	char path[PATH_MAX];

	return strcmp(cookie, "global") && pin_exists(pin_path(path, PIN_BASE "/%s/cc/%s", cookie, (const char *)arg));
}

/* Out of the kernel, unless a namespace uses it. */
static int release(const char *name, void *arg)
{
	char from[PATH_MAX], to[PATH_MAX], leaf[MPB_NAME_LEN + 1];
	int err;

	(void)arg;
	if (pin_each(PIN_BASE, false, uses, (void *)name))
		return 0;
	snprintf(leaf, sizeof(leaf), "+%s", name);
	err = pin_commit(pin_path(from, CC_GLOBAL "/%s", name), pin_path(to, CC_GLOBAL "/%s", leaf));
	return err ? err : retire(leaf);
}

static int leave(const struct ns *ns, const char *name)
{
	char path[PATH_MAX];
	int err;

	pin_remove_empty(pin_path(path, "%s/cc/%s", ns->dir, name));
	pin_remove_empty(pin_path(path, "%s/cc", ns->dir));
	err = pin_exists(pin_path(path, CC_GLOBAL "/%s", name)) ? release(name, NULL) : 0;
	pin_remove_empty(CC_GLOBAL);
	pin_remove_empty(PIN_GLOBAL);
	return err;
}

static int default_rule(const struct ns *ns, const char *name)
{
	struct mpb_rule rule = { .prio = PRIO_LAST };
	struct mpb_rules r;
	int err;

	rules_read(ns, &r);
	for (unsigned int i = 0; i < r.n; i++)
		if (!r.rule[i].by && r.rule[i].cc[0])
			return 0;
	snprintf(rule.cc, sizeof(rule.cc), "%s", name);
	err = rules_add(&r, &rule);
	return err ? err : rules_write(ns, &r);
}

/* Rules that name `old` name `name` instead; "": they say nothing of it any more, and go where they say nothing else. */
static int change_rules(const struct ns *ns, const char *old, const char *name)
{
	struct mpb_rules r;
	bool changed = false;

	rules_read(ns, &r);
	for (unsigned int i = r.n; i--;) {
		if (strcmp(r.rule[i].cc, old))
			continue;
		memset(r.rule[i].cc, 0, sizeof(r.rule[i].cc));
		snprintf(r.rule[i].cc, sizeof(r.rule[i].cc), "%s", name);
		if (!name[0] && !r.rule[i].sched)
			rules_del(&r, i);
		changed = true;
	}
	return changed ? rules_write(ns, &r) : 0;
}

int cc_load(const struct ns *ns, struct policy *p, const struct load_args *args, uint32_t max_subflows)
{
	const char *name = p->desc.policy.name;
	char path[PATH_MAX];
	int err;

	if (args->ndevs || args->hook == HOOK_XDP)
		return err_usage(args->ndevs ? "dev" : "hook", "a congestion control is not attached to devices");
	for (int i = 0; i < args->nsettings; i++)
		if (args->settings[i].dev[0])
			return err_usage(args->settings[i].dev, "a congestion control has no settings by device");
	if (cc_is_loaded(ns, name)) {
		err_hint("'mptcp-bpf tune %s KEY=VALUE' changes it, 'unload %s' ends it", name, name);
		return err_fail(EEXIST, name, "loaded already");
	}
	if (args->nsettings && pin_exists(pin_path(path, CC_GLOBAL "/%s", name))) {
		err_hint("load it without settings; 'mptcp-bpf tune %s' then changes them for all", name);
		return err_fail(EEXIST, name, "another namespace has loaded it, and its settings are the same for all");
	}
	err = state_ensure(ns, max_subflows);
	if (err)
		return err;
	err = join(ns, p);
	if (!err && args->is_default)
		err = cc_default_take(ns, name);
	if (!err && !args->no_rule)
		err = default_rule(ns, name);
	if (err) {
		cc_default_restore(ns, name);
		leave(ns, name);
		state_release(ns);
	}
	return err;
}

/* What sockets get whose congestion control goes: the namespace's default; reno, which is always there, where that is what goes. */
static void fallback(const char *name, char to[64])
{
	tcp_sysctl_read("congestion_control", to, 64);
	if (!to[0] || !strcmp(to, name))
		strcpy(to, "reno");
}

int cc_unload(const struct ns *ns, const char *name)
{
	char to[64];
	int err;

	err = cc_default_restore(ns, name);
	if (!err)
		err = change_rules(ns, name, "");
	fallback(name, to);
	if (!err)
		err = move(ns, name, to, "");
	if (err > 0)
		err = move(ns, name, "reno", "");
	return err < 0 ? err : leave(ns, name);
}

int cc_swap(const struct ns *ns, const char *old, const char *name, struct policy *p)
{
	int err = p ? join(ns, p) : 0;

	if (!err)
		err = change_rules(ns, old, name);
	if (!err)
		err = p ? cc_default_pass(ns, old, name) : cc_default_restore(ns, old);
	if (!err)
		err = move(ns, old, name, name);
	if (err > 0)
		err = err_fail(EAGAIN, old, "%d sockets would not take %s; it stays loaded", err, name);
	if (!err && cc_is_loaded(ns, old))
		err = leave(ns, old);
	return err;
}

static int drop(const char *leaf, void *arg)
{
	(void)arg;
	return retire(leaf);
}

int cc_sweep(void)
{
	int err = pin_each(CC_GLOBAL, true, drop, NULL);

	if (!err)
		err = pin_each(CC_GLOBAL, false, release, NULL);
	pin_remove_empty(CC_GLOBAL);
	return err;
}
