/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include "err.h"
#include "pin.h"
#include "policy.h"
#include "snapshot.h"
#include "state.h"

#define OBSERVE PIN_GLOBAL "/observe"
#define OBSERVE_NEW PIN_GLOBAL "/+observe"

/* The maps of the observer that name the namespaces, by their pins. */
static const char *const registries[] = { "mpb_ns_conns", "mpb_ns_subflows", "mpb_ns" };

static int get(const char *dir, const char *name)
{
	char path[PATH_MAX];

	return bpf_obj_get(pin_path(path, "%s/%s", dir, name));
}

/* The root of the cgroup2 hierarchy, wherever it is mounted (hybrid layouts have it under /sys/fs/cgroup/unified). */
static int cgroup_root(void)
{
	char line[4096], root[1024], point[1024], type[64];
	FILE *f = fopen("/proc/self/mountinfo", "re");
	int fd = -1;

	while (f && fd < 0 && fgets(line, sizeof(line), f)) {
		char *dash = strstr(line, " - ");

		if (dash && sscanf(line, "%*s %*s %*s %1023s %1023s", root, point) == 2 && sscanf(dash, " - %63s", type) == 1 &&
		    !strcmp(type, "cgroup2") && !strcmp(root, "/"))
			fd = open(point, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	}
	if (f)
		fclose(f);
	if (fd < 0) {
		err_hint("mount -t cgroup2 none /sys/fs/cgroup");
		return err_fail(ENOENT, "cgroup2", "the root of the cgroup2 hierarchy is not mounted; connections are observed there");
	}
	return fd;
}

static int pin_fd(int fd, const char *dir, const char *name)
{
	char path[PATH_MAX];

	return bpf_obj_pin(fd, pin_path(path, "%s/%s", dir, name)) ? err_fail(errno, path, "cannot pin: %s", strerror(errno)) : 0;
}

static int observer_start(void)
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
	err = bpf_object__load(p.obj);
	if (err) {
		err = err_fail(-err, "observer", "the kernel does not load it: %s", strerror(-err));
		goto out;
	}
	for (size_t i = 0; !err && i < sizeof(registries) / sizeof(registries[0]); i++)
		err = pin_fd(bpf_object__find_map_fd_by_name(p.obj, registries[i]), OBSERVE_NEW, registries[i]);
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

/* Ends the observer when no namespace is registered. */
static int observer_stop(void)
{
	uint64_t key;
	int fd = get(OBSERVE, "mpb_ns"), busy;

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

static int make_map(const struct ns *ns, const char *name, size_t key, size_t value, uint32_t entries)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_NO_PREALLOC);
	int fd = get(ns->dir, name), err;
	char path[PATH_MAX];

	if (fd >= 0)
		return fd;
	fd = bpf_map_create(BPF_MAP_TYPE_HASH, name, key, value, entries, &opts);
	if (fd < 0)
		return err_fail(errno, name, "cannot make the map with %u entries: %s", entries, strerror(errno));
	if (bpf_obj_pin(fd, pin_path(path, "%s/%s", ns->dir, name))) {
		err = err_fail(errno, path, "cannot pin: %s", strerror(errno));
		close(fd);
		return err;
	}
	return fd;
}

/* In this order: the observer looks at mpb_ns first, so it never finds half a namespace. */
static int register_ns(const struct ns *ns, int conns, int subflows)
{
	struct mpb_ns none = {};
	const void *values[] = { &conns, &subflows, &none };

	for (size_t i = 0; i < sizeof(registries) / sizeof(registries[0]); i++) {
		int fd = get(OBSERVE, registries[i]), err;

		if (fd < 0)
			return err_fail(errno, registries[i], "cannot open: %s", strerror(errno));
		err = bpf_map_update_elem(fd, &ns->cookie, values[i], BPF_ANY) ? errno : 0;
		close(fd);
		if (err == E2BIG)
			return err_fail(err, "observer", "more than %d namespaces", MPB_NAMESPACES_MAX);
		if (err)
			return err_fail(err, registries[i], "cannot register the namespace: %s", strerror(err));
	}
	return 0;
}

static void unregister_ns(uint64_t cookie)
{
	for (int i = sizeof(registries) / sizeof(registries[0]) - 1; i >= 0; i--) {
		int fd = get(OBSERVE, registries[i]);

		if (fd < 0)
			continue;
		bpf_map_delete_elem(fd, &cookie);
		close(fd);
	}
}

static uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

/* Count what found no room. The observer counts meanwhile; what it adds in the microseconds between is lost. */
static void count_full(const struct ns *ns, uint64_t conns_full, uint64_t subflows_full)
{
	struct mpb_ns counters;
	int fd = get(OBSERVE, "mpb_ns");

	if (fd < 0)
		return;
	if (!bpf_map_lookup_elem(fd, &ns->cookie, &counters)) {
		counters.conns_full += conns_full;
		counters.subflows_full += subflows_full;
		bpf_map_update_elem(fd, &ns->cookie, &counters, BPF_EXIST);
	}
	close(fd);
}

/* Record the subflows that were there before the observer. */
static int adopt(const struct ns *ns, int conns, int subflows)
{
	uint64_t now = now_ns(), conns_full = 0, subflows_full = 0;
	struct mpb_snap *list;
	int n = snapshot_read(true, &list);

	for (int i = 0; i < n; i++) {
		struct mpb_subflow sf = { .born_ns = now, .token = list[i].token, .local_id = list[i].local_id, .remote_id = list[i].remote_id,
					  .side = MPB_ADOPTED, .peer_backup = list[i].backup };
		struct mpb_conn conn = { .born_ns = now };

		if (bpf_map_update_elem(subflows, &list[i].tuple, &sf, BPF_NOEXIST)) {
			subflows_full += errno == E2BIG; /* else: born in between */
			continue;
		}
		bpf_map_lookup_elem(conns, &sf.token, &conn);
		conn.subflows++;
		conn.joined++;
		conns_full += bpf_map_update_elem(conns, &sf.token, &conn, BPF_ANY) && errno == E2BIG;
	}
	if (subflows_full || conns_full)
		count_full(ns, conns_full, subflows_full);
	free(list);
	return n < 0 ? n : 0;
}

static bool is_registered(const struct ns *ns)
{
	struct mpb_ns counters;

	return !state_counters(ns, &counters);
}

int state_ensure(const struct ns *ns, uint32_t max_subflows)
{
	uint32_t entries = max_subflows ? max_subflows : MPB_SUBFLOWS_DEFAULT;
	int conns = -1, subflows = -1, err;

	if (is_registered(ns))
		return max_subflows ? err_usage("--max-subflows", "counts at the first load in a namespace; something is loaded already") : 0;
	err = observer_start();
	if (!err)
		err = pin_mkdir(ns->dir);
	if (err)
		return err;
	conns = make_map(ns, "mpb_conns", sizeof(__u32), sizeof(struct mpb_conn), entries);
	subflows = conns < 0 ? conns : make_map(ns, "mpb_subflows", sizeof(struct mpb_tuple), sizeof(struct mpb_subflow), entries);
	err = subflows < 0 ? subflows : register_ns(ns, conns, subflows);
	if (!err)
		err = adopt(ns, conns, subflows);
	if (conns >= 0)
		close(conns);
	if (subflows >= 0)
		close(subflows);
	if (err)
		state_release(ns);
	return err;
}

static int stop_at_first(const char *name, void *arg)
{
	(void)name;
	(void)arg;
	return 1;
}

int state_release(const struct ns *ns)
{
	char path[PATH_MAX];
	int err;

	if (pin_each(pin_path(path, "%s/opt", ns->dir), false, stop_at_first, NULL))
		return 0;
	unregister_ns(ns->cookie);
	err = pin_remove(ns->dir);
	if (!err)
		err = observer_stop();
	pin_remove_empty(PIN_BASE);
	return err;
}

void records_open(const struct ns *ns, struct records *r)
{
	r->conns = get(ns->dir, "mpb_conns");
	r->subflows = get(ns->dir, "mpb_subflows");
}

void records_close(struct records *r)
{
	if (r->conns >= 0)
		close(r->conns);
	if (r->subflows >= 0)
		close(r->subflows);
}

int record_subflow(const struct records *r, const struct mpb_tuple *key, struct mpb_subflow *sf)
{
	return r->subflows < 0 || bpf_map_lookup_elem(r->subflows, key, sf) ? -ENOENT : 0;
}

int record_conn(const struct records *r, uint32_t token, struct mpb_conn *conn)
{
	return r->conns < 0 || bpf_map_lookup_elem(r->conns, &token, conn) ? -ENOENT : 0;
}

int state_counters(const struct ns *ns, struct mpb_ns *counters)
{
	int fd = get(OBSERVE, "mpb_ns"), err;

	if (fd < 0)
		return -ENOENT;
	err = bpf_map_lookup_elem(fd, &ns->cookie, counters) ? -errno : 0;
	close(fd);
	return err;
}

static int by_tuple(const void *a, const void *b)
{
	return memcmp(&((const struct mpb_snap *)a)->tuple, &((const struct mpb_snap *)b)->tuple, sizeof(struct mpb_tuple));
}

/* Delete the subflows that are recorded from before `start` and not alive. Keys are read ahead of the deletion, which would restart the walk. */
static void sweep_subflows(int fd, const struct mpb_snap *live, int n, uint64_t start)
{
	struct mpb_snap key;
	struct mpb_tuple next;
	struct mpb_subflow sf;
	int more = !bpf_map_get_next_key(fd, NULL, &next);

	while (more) {
		key.tuple = next;
		more = !bpf_map_get_next_key(fd, &key.tuple, &next);
		if (bsearch(&key, live, n, sizeof(*live), by_tuple) || bpf_map_lookup_elem(fd, &key.tuple, &sf) || sf.born_ns >= start)
			continue;
		bpf_map_delete_elem(fd, &key.tuple);
	}
}

static int by_token(const void *a, const void *b)
{
	uint32_t x = ((const struct mpb_snap *)a)->token, y = ((const struct mpb_snap *)b)->token;

	return x < y ? -1 : x > y;
}

static void sweep_conns(int fd, const struct mpb_snap *live, int n, uint64_t start)
{
	struct mpb_conn conn;
	struct mpb_snap key;
	uint32_t next;
	int more = !bpf_map_get_next_key(fd, NULL, &next);

	while (more) {
		key.token = next;
		more = !bpf_map_get_next_key(fd, &key.token, &next);
		if (bsearch(&key, live, n, sizeof(*live), by_token) || bpf_map_lookup_elem(fd, &key.token, &conn) || conn.born_ns >= start)
			continue;
		bpf_map_delete_elem(fd, &key.token);
	}
}

int state_sweep(const struct ns *ns)
{
	uint64_t start = now_ns();
	struct mpb_snap *live = NULL;
	struct records r;
	int n = 0;

	records_open(ns, &r);
	if (r.conns >= 0 && r.subflows >= 0)
		n = snapshot_read(false, &live);
	if (live) {
		qsort(live, n, sizeof(*live), by_tuple);
		sweep_subflows(r.subflows, live, n, start);
		qsort(live, n, sizeof(*live), by_token);
		sweep_conns(r.conns, live, n, start);
	}
	free(live);
	records_close(&r);
	return n < 0 ? n : 0;
}
