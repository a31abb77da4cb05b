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

#define OBSERVE PIN_GLOBAL "/observe"
#define OBSERVE_NEW PIN_GLOBAL "/+observe"

/* The observer's maps that the controller reaches, by their pins. */
static const char *const pinned[] = { "mpb_ns", "mpb_ns_conns", "mpb_ns_subflows", "mpb_ns_steered", "mpb_ns_rules" };

int observer_map(const char *name)
{
	char path[PATH_MAX];

	return bpf_obj_get(pin_path(path, "%s/%s", OBSERVE, name));
}

static int pin_fd(int fd, const char *dir, const char *name)
{
	char path[PATH_MAX];

	return bpf_obj_pin(fd, pin_path(path, "%s/%s", dir, name)) ? err_fail(errno, path, "cannot pin: %s", strerror(errno)) : 0;
}

int observer_start(void)
{
	struct bpf_link *link = NULL;
	struct policy p;
	int err, cgroup;

	if (pin_exists(OBSERVE))
		return 0;
	err = policy_open("observe", &p);
	if (err)
		return err;
	cgroup = err = cgroup_root();
	if (err < 0)
		goto out;
	err = pin_mkdir(OBSERVE_NEW);
	if (err)
		goto out;
	err = policy_load("observer", &p);
	if (err)
		goto out;
	for (size_t i = 0; !err && i < sizeof(pinned) / sizeof(pinned[0]); i++)
		err = pin_fd(bpf_object__find_map_fd_by_name(p.obj, pinned[i]), OBSERVE_NEW, pinned[i]);
	if (err)
		goto out;
	link = bpf_program__attach_cgroup(bpf_object__next_program(p.obj, NULL), cgroup);
	if (!link) {
		err = err_fail(errno, "observer", "cannot attach to the root of cgroup2: %s", strerror(errno));
		goto out;
	}
	err = pin_fd(bpf_link__fd(link), OBSERVE_NEW, "link");
	if (!err)
		err = pin_commit(OBSERVE_NEW, OBSERVE);
out:
	bpf_link__destroy(link); /* the pin, if it was made, keeps it */
	if (err) {
		pin_remove(OBSERVE_NEW);
		pin_remove_empty(PIN_GLOBAL);
		pin_remove_empty(PIN_BASE);
	}
	if (cgroup >= 0)
		close(cgroup);
	policy_close(&p);
	return err;
}

int observer_stop(void)
{
	uint64_t key;
	int fd = observer_map("mpb_ns"), busy;

	if (fd < 0)
		return 0;
	busy = !bpf_map_get_next_key(fd, NULL, &key);
	close(fd);
	if (busy)
		return 0;
	busy = pin_remove(OBSERVE);
	pin_remove_empty(PIN_GLOBAL);
	return busy;
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
