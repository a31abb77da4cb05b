/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include "cc_default.h"
#include "err.h"
#include "pin.h"
#include "tcp_sysctl.h"

#define DEFAULT "congestion_control"
#define NAME_SIZE 64

static char *link_path(char path[PATH_MAX], const struct ns *ns, const char *name)
{
	return pin_path(path, "%s/cc/%s/default", ns->dir, name);
}

/* The default before `name`; false where `name` did not take its place. */
static bool before(const struct ns *ns, const char *name, char was[NAME_SIZE])
{
	char path[PATH_MAX];
	ssize_t n = readlink(link_path(path, ns, name), was, NAME_SIZE - 1);

	was[n > 0 ? n : 0] = 0;
	return n > 0;
}

static bool is_default(const char *name)
{
	char now[NAME_SIZE];

	tcp_sysctl_read(DEFAULT, now, sizeof(now));
	return !strcmp(now, name);
}

static int make_default(const char *name)
{
	int err = tcp_sysctl_write(DEFAULT, name);

	return err ? err_fail(-err, name, "cannot be made the default of this network namespace: %s", strerror(-err)) : 0;
}

/* The record comes first: a call that is killed in between has changed nothing, and the record says nothing as long as `name` is not the default. */
static int take(const struct ns *ns, const char *name, const char *was)
{
	char path[PATH_MAX];
	int err;

	if (symlink(was, link_path(path, ns, name)) && errno != EEXIST)
		return err_fail(errno, path, "cannot be made: %s", strerror(errno));
	err = make_default(name);
	if (err)
		unlink(path);
	return err;
}

static int is_taken(const char *name, void *arg)
{
	char was[NAME_SIZE];

	if (!before(arg, name, was) || !is_default(name))
		return 0;
	err_hint("'mptcp-bpf swap %s NAME' puts another in its place", name);
	return err_fail(EEXIST, name, "was made the default of this network namespace already");
}

int cc_default_take(const struct ns *ns, const char *name)
{
	char path[PATH_MAX], was[NAME_SIZE];
	int err = pin_each(pin_path(path, "%s/cc", ns->dir), false, is_taken, (void *)ns);

	if (err || is_default(name))
		return err;
	tcp_sysctl_read(DEFAULT, was, sizeof(was));
	return take(ns, name, was);
}

int cc_default_restore(const struct ns *ns, const char *name)
{
	char path[PATH_MAX], was[NAME_SIZE];
	int err = 0;

	if (!before(ns, name, was))
		return 0;
	if (is_default(name))
		err = make_default(was);
	if (!err)
		unlink(link_path(path, ns, name));
	return err;
}

int cc_default_pass(const struct ns *ns, const char *old, const char *name)
{
	char path[PATH_MAX], was[NAME_SIZE];
	int err;

	if (!before(ns, old, was))
		return 0;
	err = is_default(old) ? take(ns, name, was) : 0;
	if (!err)
		unlink(link_path(path, ns, old));
	return err;
}
