/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "attach.h"
#include "away.h"
#include "cc.h"
#include "clsact.h"
#include "cmd.h"
#include "convert/table.h"
#include "detour.h"
#include "err.h"
#include "paths.h"
#include "pin.h"
#include "rules.h"
#include "scheduler.h"
#include "state.h"
#include "sweep.h"
#include "unload.h"

static int detach_batch(const char *batch, void *arg)
{
	const struct unload *u = arg;
	char path[PATH_MAX + NAME_MAX];

	snprintf(path, sizeof(path), "%s/at/%s", u->dir, batch);
	return detach(u->ns, path);
}

/* Devices first, then the rest. Renamed before, so that a call that is killed half-way leaves something that says so. */
int unload_dir(const struct ns *ns, const char *name)
{
	char path[PATH_MAX];
	struct unload u = { .ns = ns };
	int err = 0;

	pin_path(path, "%s/opt/%s", ns->dir, name);
	if (name[0] == '+') {
		pin_path(u.dir, "%s", path);
	} else {
		pin_path(u.dir, "%s/opt/+%s", ns->dir, name);
		err = pin_commit(path, u.dir);
	}
	if (err)
		return err;
	snprintf(path, sizeof(path), "%.*s/at", PATH_MAX - 4, u.dir);
	err = pin_each(path, false, detach_batch, &u);
	if (!err)
		err = pin_each(path, true, detach_batch, &u);
	return err ? err : pin_remove(u.dir);
}

static int unload_one(const char *name, void *arg)
{
	return unload_dir(arg, name);
}

static int unload_sched(const char *name, void *arg)
{
	return scheduler_unload(arg, name);
}

static int unload_cc(const char *name, void *arg)
{
	return cc_unload(arg, name);
}

/* All that this namespace was given: policies of every kind, rules, paths. */
static int unload_all(struct ns *ns)
{
	struct mpb_rules rules = {};
	struct mpb_paths paths = {};
	char path[PATH_MAX];
	int err;

	err = pin_each(pin_path(path, "%s/opt", ns->dir), false, unload_one, ns);
	if (!err)
		err = pin_each(pin_path(path, "%s/sched", ns->dir), false, unload_sched, ns);
	if (!err)
		err = pin_each(pin_path(path, "%s/cc", ns->dir), false, unload_cc, ns);
	if (!err)
		err = table_stop(ns);
	if (!err && rules_count(ns))
		err = rules_write(ns, &rules);
	if (!err && paths_count(ns))
		err = paths_write(ns, &paths);
	if (!err) {
		clsact_sweep();
		detour_flush(ns);
		err = away_restore(ns);
	}
	return err;
}

/* One policy, whatever its kind. */
static int unload_named(struct ns *ns, const char *name)
{
	char path[PATH_MAX];

	if (!strchr(name, '/') && name[0] != '+' && name[0] != '.') {
		if (pin_exists(pin_path(path, "%s/opt/%s", ns->dir, name)))
			return unload_dir(ns, name);
		if (pin_exists(pin_path(path, "%s/sched/%s", ns->dir, name)))
			return scheduler_unload(ns, name);
		if (cc_is_loaded(ns, name))
			return cc_unload(ns, name);
	}
	err_hint("'mptcp-bpf list' shows what is loaded");
	return err_fail(ENOENT, name, "not loaded in this network namespace");
}

int cmd_unload(const struct args *a)
{
	struct ns ns;
	int err;

	if (a->all != (a->nwords == 1) || a->nwords > 2)
		return err_usage("unload", "needs the name of one loaded policy, or --all");
	err = ns_enter(a->netns, &ns);
	if (err)
		return err;
	if (a->all && !pin_present()) {
		clsact_sweep();
		return 0;
	}
	err = pin_begin();
	if (!err)
		err = sweep(&ns);
	if (err)
		return err;
	err = a->all ? unload_all(&ns) : unload_named(&ns, a->words[1]);
	return err ? err : state_release(&ns);
}
