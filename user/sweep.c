/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include "attach.h"
#include "cc.h"
#include "convert/table.h"
#include "err.h"
#include "journal.h"
#include "observer.h"
#include "pin.h"
#include "records.h"
#include "scheduler.h"
#include "state.h"
#include "sweep.h"
#include "unload.h"

struct walk {
	const struct ns *ns;
	char dir[PATH_MAX];
};

static int drop_batch(const char *batch, void *arg)
{
	const struct walk *w = arg;
	char path[PATH_MAX + NAME_MAX];

	snprintf(path, sizeof(path), "%s/%s", w->dir, batch);
	return detach(w->ns, path);
}

/* A loaded policy: the batches of devices that were never committed. */
static int sweep_policy(const char *name, void *arg)
{
	struct walk w = { .ns = arg };

	pin_path(w.dir, "%s/opt/%s/at", w.ns->dir, name);
	return pin_each(w.dir, true, drop_batch, &w);
}

static int drop_policy(const char *name, void *arg)
{
	return unload_dir(arg, name);
}

static int is_alive(const struct attachment *a, void *arg)
{
	(void)a;
	(void)arg;
	return 1;
}

static int batch_is_alive(const char *batch, void *arg)
{
	const struct walk *w = arg;
	char path[PATH_MAX + NAME_MAX];

	snprintf(path, sizeof(path), "%s/%s", w->dir, batch);
	return attachment_each(path, is_alive, NULL);
}

static int policy_is_alive(const char *name, void *arg)
{
	struct walk w = {};

	pin_path(w.dir, "%s/opt/%s/at", (const char *)arg, name);
	return pin_each(w.dir, false, batch_is_alive, &w);
}

/* The cookies of all network namespaces that a process is in or that `ip netns` names. */
struct cookies {
	uint64_t *list;
	size_t n;
};

static void add_namespace(struct cookies *c, const char *path)
{
	uint64_t cookie = 0;
	socklen_t len = sizeof(cookie);
	int fd = open(path, O_RDONLY | O_CLOEXEC), sk = -1;
	uint64_t *grown;

	if (fd >= 0 && !setns(fd, CLONE_NEWNET))
		sk = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (sk >= 0 && !getsockopt(sk, SOL_SOCKET, 71 /* SO_NETNS_COOKIE */, &cookie, &len)) {
		grown = realloc(c->list, (c->n + 1) * sizeof(*grown));
		if (grown) {
			c->list = grown;
			c->list[c->n++] = cookie;
		}
	}
	if (sk >= 0)
		close(sk);
	if (fd >= 0)
		close(fd);
}

static void add_all(struct cookies *c, const char *dir, const char *below)
{
	char path[PATH_MAX];
	ino_t last = 0;
	struct dirent *e;
	struct stat st;
	DIR *d = opendir(dir);

	while (d && (e = readdir(d))) {
		if (e->d_name[0] == '.')
			continue;
		pin_path(path, "%s/%s%s", dir, e->d_name, below);
		/* Most processes share one namespace: do not enter it for each. */
		if (stat(path, &st) || (st.st_ino == last && *below))
			continue;
		last = st.st_ino;
		add_namespace(c, path);
	}
	if (d)
		closedir(d);
}

static void cookies_read(struct cookies *c)
{
	int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);

	add_all(c, "/run/netns", "");
	add_all(c, "/proc", "/ns/net");
	if (home < 0 || setns(home, CLONE_NEWNET))
		abort(); /* never go on in a namespace that nobody named */
	close(home);
}

static int forget_batch(const char *batch, void *arg)
{
	const struct walk *w = arg;
	char path[PATH_MAX + NAME_MAX];

	snprintf(path, sizeof(path), "%s/%s", w->dir, batch);
	return detach_dead(path);
}

static int forget_policy(const char *name, void *arg)
{
	struct walk w = {};
	int err;

	pin_path(w.dir, "%s/opt/%s/at", (const char *)arg, name);
	err = pin_each(w.dir, false, forget_batch, &w);
	return err ? err : pin_each(w.dir, true, forget_batch, &w);
}

struct dead {
	const struct ns *own;
	struct cookies live;
};

/* A namespace of which nothing is attached any more: gone, unless it is found alive. */
static int sweep_namespace(const char *name, void *arg)
{
	struct dead *d = arg;
	struct walk steer = {};
	struct ns other = {};
	char path[PATH_MAX + 8];
	char *end;
	int err;

	other.cookie = strtoull(name, &end, 10);
	if (*end || other.cookie == d->own->cookie)
		return 0;
	pin_path(other.dir, PIN_BASE "/%s", name);
	snprintf(path, sizeof(path), "%s/opt", other.dir);
	if (pin_each(path, false, policy_is_alive, other.dir))
		return 0;
	pin_path(steer.dir, PIN_BASE "/%s/steer/at", name);
	if (pin_each(steer.dir, false, batch_is_alive, &steer))
		return 0;
	if (!d->live.n)
		cookies_read(&d->live);
	for (size_t i = 0; i < d->live.n; i++)
		if (d->live.list[i] == other.cookie)
			return 0;
	err = pin_each(path, false, forget_policy, other.dir);
	if (!err)
		err = pin_each(path, true, forget_policy, other.dir);
	return err ? err : state_drop(&other);
}

int sweep(const struct ns *ns)
{
	struct dead dead = { .own = ns };
	char path[PATH_MAX];
	int err;

	err = observer_sweep();
	pin_path(path, "%s/opt", ns->dir);
	if (!err)
		err = pin_each(path, true, drop_policy, (void *)ns);
	if (!err)
		err = pin_each(path, false, sweep_policy, (void *)ns);
	if (!err)
		err = scheduler_sweep(ns);
	if (!err)
		err = table_sweep(ns);
	if (!err)
		err = journal_settle(ns);
	if (!err)
		err = pin_each(PIN_BASE, false, sweep_namespace, &dead);
	if (!err)
		err = cc_sweep();
	free(dead.live.list);
	if (!err)
		err = state_release(ns); /* nothing, unless nothing is loaded */
	return err ? err : records_sweep(ns);
}
