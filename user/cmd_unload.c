/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "attach.h"
#include "cmd.h"
#include "err.h"
#include "pin.h"
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

int cmd_unload(const struct args *a)
{
	char path[PATH_MAX];
	struct ns ns;
	int err;

	if (a->all != (a->nwords == 1) || a->nwords > 2)
		return err_usage("unload", "needs the name of one loaded policy, or --all");
	err = ns_enter(a->netns, &ns);
	if (err)
		return err;
	if (a->all && !pin_present())
		return 0;
	err = pin_begin();
	if (!err)
		err = sweep(&ns);
	if (err)
		return err;
	if (a->all) {
		err = pin_each(pin_path(path, "%s/opt", ns.dir), false, unload_one, &ns);
	} else {
		const char *name = a->words[1];

		if (strchr(name, '/') || name[0] == '+' || name[0] == '.' || !pin_exists(pin_path(path, "%s/opt/%s", ns.dir, name))) {
			err_hint("'mptcp-bpf list' shows what is loaded");
			return err_fail(ENOENT, name, "not loaded in this network namespace");
		}
		err = unload_dir(&ns, name);
	}
	return err ? err : state_release(&ns);
}
