/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <mptcp_bpf/state.h>
#include "cgroup.h"
#include "err.h"
#include "observer.h"
#include "pin.h"
#include "policy.h"

#define MAPS_MAX 6

/* The programs, and their maps that the controller reaches by pins. */
static const struct program {
	const char *name;
	const char *maps[MAPS_MAX + 1];
} programs[] = {
	{ "observe", { "mpb_ns", "mpb_ns_conns", "mpb_ns_subflows", "mpb_ns_steered", "mpb_ns_rules" } },
	{ "witness", { "mpb_ns_sights", "mpb_ns_past", "mpb_ns_watch", "mpb_ns_events", "mpb_ns_waits", "mpb_ns_alive" } },
	{ "terms", { "mpb_ns_terms", "mpb_ns_deals", "mpb_ns_paths", "mpb_ns_paced" } },
};
#define NPROGRAMS (sizeof(programs) / sizeof(programs[0]))

int observer_map(const char *name)
{
	char path[PATH_MAX];

	for (size_t i = 0; i < NPROGRAMS; i++)
		for (const char *const *map = programs[i].maps; *map; map++)
			if (!strcmp(*map, name))
				return bpf_obj_get(pin_path(path, PIN_GLOBAL "/%s/%s", programs[i].name, name));
	errno = ENOENT;
	return -1;
}

static int pin_fd(int fd, const char *dir, const char *name)
{
	char path[PATH_MAX];

	return bpf_obj_pin(fd, pin_path(path, "%s/%s", dir, name)) ? err_fail(errno, path, "cannot pin: %s", strerror(errno)) : 0;
}

int observer_sweep(void)
{
	char path[PATH_MAX];
	int err = 0;

	for (size_t i = 0; !err && i < NPROGRAMS; i++)
		err = pin_remove(pin_path(path, PIN_GLOBAL "/+%s", programs[i].name));
	pin_remove_empty(PIN_GLOBAL);
	pin_remove_empty(PIN_BASE);
	return err;
}

static int start(const struct program *program)
{
	char final[PATH_MAX], dir[PATH_MAX];
	struct bpf_link *link = NULL;
	struct policy p;
	int err, cgroup;

	if (pin_exists(pin_path(final, PIN_GLOBAL "/%s", program->name)))
		return 0;
	err = policy_open(program->name, &p);
	if (err)
		return err;
	cgroup = err = cgroup_root();
	if (err < 0)
		goto out;
	err = pin_mkdir(pin_path(dir, PIN_GLOBAL "/+%s", program->name));
	if (err)
		goto out;
	err = policy_load(program->name, &p);
	if (err)
		goto out;
	for (const char *const *map = program->maps; !err && *map; map++)
		err = pin_fd(bpf_object__find_map_fd_by_name(p.obj, *map), dir, *map);
	if (err)
		goto out;
	link = bpf_program__attach_cgroup(bpf_object__next_program(p.obj, NULL), cgroup);
	if (!link) {
		err = err_fail(errno, program->name, "cannot attach to the root of cgroup2: %s", strerror(errno));
		goto out;
	}
	err = pin_fd(bpf_link__fd(link), dir, "link");
	if (!err)
		err = pin_commit(dir, final);
out:
	bpf_link__destroy(link); /* the pin, if it was made, keeps it */
	if (err)
		observer_sweep();
	if (cgroup >= 0)
		close(cgroup);
	policy_close(&p);
	return err;
}

int observer_start(void)
{
	int err = 0;

	for (size_t i = 0; !err && i < NPROGRAMS; i++)
		err = start(&programs[i]);
	return err;
}

int observer_stop(void)
{
	char path[PATH_MAX];
	uint64_t key;
	int fd = observer_map("mpb_ns"), busy, err = 0;

	busy = fd >= 0 && !bpf_map_get_next_key(fd, NULL, &key);
	if (fd >= 0)
		close(fd);
	for (size_t i = 0; !busy && !err && i < NPROGRAMS; i++)
		err = pin_remove(pin_path(path, PIN_GLOBAL "/%s", programs[i].name));
	pin_remove_empty(PIN_GLOBAL);
	return err;
}

static int registered(const char *name, int err)
{
	if (err == E2BIG)
		return err_fail(err, "observer", "more than %d namespaces", MPB_NAMESPACES_MAX);
	return err ? err_fail(err, name, "cannot register the namespace: %s", strerror(err)) : 0;
}

int observer_register(uint64_t cookie, const char *name, const void *value)
{
	int fd = observer_map(name), err;

	if (fd < 0)
		return err_fail(errno, name, "cannot open: %s", strerror(errno));
	err = bpf_map_update_elem(fd, &cookie, value, BPF_ANY) ? errno : 0;
	close(fd);
	return registered(name, err);
}

void observer_unregister(uint64_t cookie, const char *name)
{
	int fd = observer_map(name);

	if (fd < 0)
		return;
	bpf_map_delete_elem(fd, &cookie);
	close(fd);
}

struct change {
	uint64_t cookie;
	int registry, map; /* map -1: take the namespace out */
	int err;
	bool runs;
	pthread_t thread;
};

static void *change_registry(void *arg)
{
	struct change *c = arg;

	c->err = (c->map < 0 ? bpf_map_delete_elem(c->registry, &c->cookie) : bpf_map_update_elem(c->registry, &c->cookie, &c->map, BPF_ANY)) ? errno : 0;
	return NULL;
}

static int change_all(uint64_t cookie, const struct registration *r, int n, bool enter)
{
	struct change *list = calloc(n, sizeof(*list));
	int err = list ? 0 : ENOMEM;

	for (int i = 0; list && i < n; i++) {
		list[i] = (struct change){ .cookie = cookie, .registry = observer_map(r[i].registry), .map = enter ? r[i].map : -1 };
		list[i].runs = !pthread_create(&list[i].thread, NULL, change_registry, &list[i]);
		if (!list[i].runs)
			change_registry(&list[i]);
	}
	for (int i = 0; list && i < n; i++) {
		if (list[i].runs)
			pthread_join(list[i].thread, NULL);
		err = err ? err : list[i].err;
		if (list[i].registry >= 0)
			close(list[i].registry);
	}
	free(list);
	return err;
}

int observer_register_maps(uint64_t cookie, const struct registration *r, int n)
{
	return registered("observer", change_all(cookie, r, n, true));
}

void observer_unregister_maps(uint64_t cookie, const struct registration *r, int n)
{
	change_all(cookie, r, n, false);
}
