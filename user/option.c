/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include "err.h"
#include "loaded.h"
#include "option.h"
#include "pin.h"
#include "state.h"
#include "unload.h"

static int pin_as(int fd, const char *dir, const char *name)
{
	char path[PATH_MAX + 64];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return bpf_obj_pin(fd, path) ? err_fail(errno, path, "cannot pin: %s", strerror(errno)) : 0;
}

int option_verify(const struct ns *ns, struct policy *p)
{
	const char *name = p->desc.policy.name;
	static const char *const shared[] = { "mpb_subflows", "mpb_sights", "mpb_watch", "mpb_events" };
	int err;

	for (size_t i = 0; i < sizeof(shared) / sizeof(shared[0]); i++) {
		struct bpf_map *map = bpf_object__find_map_by_name(p->obj, shared[i]);
		int fd = map ? state_map(ns, shared[i]) : -1;

		err = !map ? 0 : fd < 0 ? -errno : bpf_map__reuse_fd(map, fd);
		if (fd >= 0)
			close(fd);
		if (err)
			return err_fail(-err, name, "cannot use the namespace's %s: %s", shared[i], strerror(-err));
	}
	return policy_load(name, p);
}

int option_pin(const struct policy *p, const char *dir, int progs[PROG_MAX])
{
	static const struct { const char *map, *pin; } maps[] = {
		{ MPB_POLICY_SEC, "policy" }, { MPB_TUNE_SEC, "tune" }, { "mpb_counts", "counts" }, { "mpb_dev_tune", "devtune" },
	};
	char path[PATH_MAX + 16], name[64];
	int err;

	snprintf(path, sizeof(path), "%s/progs", dir);
	err = pin_mkdir(path);
	for (size_t i = 0; !err && i < sizeof(maps) / sizeof(maps[0]); i++) {
		struct bpf_map *map = bpf_object__find_map_by_name(p->obj, maps[i].map);

		if (map)
			err = pin_as(bpf_map__fd(map), dir, maps[i].pin);
	}
	for (int i = 0; !err && i < PROG_MAX; i++) {
		struct bpf_program *prog;

		snprintf(name, sizeof(name), "%s_%s", p->desc.policy.name, prog_suffix[i]);
		prog = bpf_object__find_program_by_name(p->obj, name);
		progs[i] = bpf_program__fd(prog);
		err = pin_as(progs[i], path, prog_suffix[i]);
	}
	return err;
}

struct swap {
	int from[PROG_MAX], to[PROG_MAX];
	int counts;
	struct mpb_counts *zero; /* one a CPU */
	char dir[PATH_MAX];      /* attachments of the old policy */
};

static int make_counters(const struct attachment *a, void *arg)
{
	const struct swap *s = arg;
	__u32 key = mpb_port(a->ifindex, a->dir);

	if (!strcmp(a->hook, "xdp") && !a->link) {
		err_hint("there both can be attached at once: 'load' the new one, then 'unload' the old one");
		return err_lacks("swap", "libxdp's dispatcher does not change a program in one step");
	}
	return bpf_map_update_elem(s->counts, &key, s->zero, BPF_ANY) ? err_fail(errno, "swap", "no room for the counters: %s", strerror(errno)) : 0;
}

static int counters_of_batch(const char *batch, void *arg)
{
	struct swap *s = arg;
	char path[PATH_MAX + NAME_MAX];

	snprintf(path, sizeof(path), "%s/%s", s->dir, batch);
	return attachment_each(path, make_counters, s);
}

static int update_batch(const char *batch, void *arg)
{
	struct swap *s = arg;
	char path[PATH_MAX + NAME_MAX];

	snprintf(path, sizeof(path), "%s/%s", s->dir, batch);
	return attachments_update(path, s->from, s->to);
}

/* All, or none. */
static int update(struct swap *s)
{
	struct swap back = *s;
	int err = pin_each(s->dir, false, update_batch, s);

	memcpy(back.from, s->to, sizeof(back.from));
	memcpy(back.to, s->from, sizeof(back.to));
	if (err)
		pin_each(s->dir, false, update_batch, &back);
	return err;
}

int option_swap(const struct ns *ns, const char *old, struct policy *p)
{
	const char *name = p->desc.policy.name;
	char path[PATH_MAX], dir[PATH_MAX], final[PATH_MAX], leaf[MPB_NAME_LEN + 1];
	struct swap s = { .counts = -1 };
	int err = 0, cpus = libbpf_num_possible_cpus();

	if (pin_exists(pin_path(final, "%s/opt/%s", ns->dir, name))) {
		err_hint("'mptcp-bpf unload %s' first", name);
		return err_fail(EEXIST, name, "loaded already");
	}
	for (int i = 0; i < PROG_MAX; i++) {
		s.from[i] = bpf_obj_get(pin_path(path, "%s/opt/%s/progs/%s", ns->dir, old, prog_suffix[i]));
		if (s.from[i] < 0)
			err = err_fail(errno, old, "its programs cannot be opened: %s", strerror(errno));
	}
	s.zero = calloc(cpus > 0 ? cpus : 1, sizeof(*s.zero));
	pin_path(s.dir, "%s/opt/%s/at", ns->dir, old);
	if (!err && !s.zero)
		err = err_fail(ENOMEM, "swap", "out of memory");
	if (!err)
		err = option_verify(ns, p);
	if (!err)
		err = pin_mkdir(pin_path(dir, "%s/opt/+%s", ns->dir, name));
	if (!err)
		err = option_pin(p, dir, s.to);
	if (!err) {
		s.counts = bpf_object__find_map_fd_by_name(p->obj, "mpb_counts");
		err = pin_each(s.dir, false, counters_of_batch, &s);
	}
	if (!err)
		err = update(&s);
	if (!err)
		err = pin_commit(dir, final);
	if (!err)
		err = pin_commit(s.dir, pin_path(path, "%s/opt/%s/at", ns->dir, name));
	if (!err) {
		err = unload_dir(ns, old);
	} else if (pin_exists(pin_path(dir, "%s/opt/+%s", ns->dir, name))) {
		snprintf(leaf, sizeof(leaf), "+%s", name);
		unload_dir(ns, leaf);
	}
	for (int i = 0; i < PROG_MAX; i++)
		if (s.from[i] >= 0)
			close(s.from[i]);
	free(s.zero);
	return err;
}
