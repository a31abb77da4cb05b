/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include "cc.h"
#include "err.h"
#include "loaded.h"
#include "pin.h"
#include "tunable.h"

static int pinned(const char *dir, const char *name)
{
	char path[PATH_MAX];

	return bpf_obj_get(pin_path(path, "%s/%s", dir, name));
}

static int read_desc(const char *name, int fd, struct desc *d)
{
	struct bpf_map_info info = {};
	__u32 len = sizeof(info), zero = 0;
	struct btf *btf = NULL;
	void *bytes = NULL;
	int err;

	if (bpf_map_get_info_by_fd(fd, &info, &len) || !info.value_size)
		return err_fail(errno, name, "its description cannot be read: %s", strerror(errno));
	bytes = malloc(info.value_size);
	btf = btf__load_from_kernel_by_id(info.btf_id);
	if (!bytes || !btf || bpf_map_lookup_elem(fd, &zero, bytes))
		err = err_fail(errno, name, "its description cannot be read: %s", strerror(errno));
	else
		err = desc_read(name, btf, bytes, info.value_size, d);
	btf__free(btf);
	free(bytes);
	return err;
}

int loaded_open(const struct ns *ns, const char *name, struct loaded *l)
{
	int fd, err;

	memset(l, 0, sizeof(*l));
	l->tune = l->counts = l->devtune = -1;
	fd = -1;
	if (!strchr(name, '/') && name[0] != '+') {
		pin_path(l->at, "%s/opt/%s/at", ns->dir, name);
		fd = pinned(pin_path(l->dir, "%s/opt/%s", ns->dir, name), "policy");
	}
	if (fd < 0 && !strchr(name, '/') && name[0] != '+') {
		pin_path(l->at, "%s/steer/at", ns->dir);
		fd = pinned(pin_path(l->dir, "%s/sched/%s", ns->dir, name), "policy");
	}
	if (fd < 0 && cc_is_loaded(ns, name)) {
		l->at[0] = 0;
		fd = pinned(pin_path(l->dir, CC_GLOBAL "/%s", name), "policy");
	}
	if (fd < 0) {
		err_hint("'mptcp-bpf list' shows what is loaded");
		return err_fail(ENOENT, name, "not loaded in this network namespace");
	}
	err = read_desc(name, fd, &l->desc);
	close(fd);
	if (err)
		return err;
	l->tune = pinned(l->dir, "tune");
	l->counts = pinned(l->dir, "counts");
	l->devtune = pinned(l->dir, "devtune");
	return 0;
}

void loaded_close(struct loaded *l)
{
	if (l->tune >= 0)
		close(l->tune);
	if (l->counts >= 0)
		close(l->counts);
	if (l->devtune >= 0)
		close(l->devtune);
	l->tune = l->counts = l->devtune = -1;
}

struct walk {
	const struct ns *ns;
	const struct loaded *l;
	int (*each)(struct loaded *l, void *arg);
	int (*each_attachment)(const struct attachment *a, void *arg);
	void *arg;
};

static int visit(const char *name, void *arg)
{
	const struct walk *w = arg;
	struct loaded l;
	int ret = loaded_open(w->ns, name, &l);

	if (!ret) {
		ret = w->each(&l, w->arg);
	} else {
		/* Gone meanwhile, or not of this version: no reason to keep silent about the others. */
		if (pin_exists(l.dir))
			note("mptcp-bpf: %s: loaded, but its description cannot be read by this version; 'mptcp-bpf unload %s' ends it", name, name);
		err_clear();
		ret = 0;
	}
	loaded_close(&l);
	return ret;
}

int loaded_each(const struct ns *ns, int (*each)(struct loaded *l, void *arg), void *arg)
{
	struct walk w = { .ns = ns, .each = each, .arg = arg };
	char path[PATH_MAX];

	int ret = pin_each(pin_path(path, "%s/opt", ns->dir), false, visit, &w);

	if (!ret)
		ret = pin_each(pin_path(path, "%s/sched", ns->dir), false, visit, &w);
	return ret ? ret : pin_each(pin_path(path, "%s/cc", ns->dir), false, visit, &w);
}

static int visit_batch(const char *batch, void *arg)
{
	const struct walk *w = arg;
	char path[PATH_MAX + NAME_MAX];

	snprintf(path, sizeof(path), "%s/%s", w->l->at, batch);
	return attachment_each(path, w->each_attachment, w->arg);
}

int loaded_attachments(const struct loaded *l, int (*each)(const struct attachment *a, void *arg), void *arg)
{
	struct walk w = { .l = l, .each_attachment = each, .arg = arg };

	return pin_each(l->at, false, visit_batch, &w);
}

/* The tunables' section, mapped: the running programs see a store at once. */
static void *map_section(int fd, size_t *size)
{
	struct bpf_map_info info = {};
	__u32 len = sizeof(info);
	void *at;

	if (fd < 0 || bpf_map_get_info_by_fd(fd, &info, &len))
		return NULL;
	*size = info.value_size;
	at = mmap(NULL, *size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	return at == MAP_FAILED ? NULL : at;
}

int loaded_tunable(const struct loaded *l, const struct tunable *t, int ifindex, uint64_t *value)
{
	struct mpb_dev_slot key = { .ifindex = ifindex, .slot = t->slot };
	size_t size;
	void *at;

	if (ifindex)
		return bpf_map_lookup_elem(l->devtune, &key, value) ? -errno : 0;
	at = map_section(l->tune, &size);
	if (!at)
		return err_fail(errno, t->name, "cannot read: %s", strerror(errno));
	*value = tunable_get(t, at);
	munmap(at, size);
	return 0;
}

int loaded_tune(const struct loaded *l, const struct tunable *t, int ifindex, uint64_t value)
{
	struct mpb_dev_slot key = { .ifindex = ifindex, .slot = t->slot };
	size_t size;
	void *at;

	if (ifindex)
		return bpf_map_update_elem(l->devtune, &key, &value, BPF_ANY) ? err_fail(errno, t->name, "cannot set: %s", strerror(errno)) : 0;
	at = map_section(l->tune, &size);
	if (!at)
		return err_fail(errno, t->name, "cannot set: %s", strerror(errno));
	tunable_set(t, at, value);
	munmap(at, size);
	return 0;
}

void loaded_untune(const struct loaded *l, const struct tunable *t, int ifindex)
{
	struct mpb_dev_slot key = { .ifindex = ifindex, .slot = t->slot };

	bpf_map_delete_elem(l->devtune, &key);
}

int loaded_counts(const struct loaded *l, int ifindex, enum mpb_dir dir, struct mpb_counts *sum)
{
	int cpus = libbpf_num_possible_cpus(), err = 0;
	__u32 key = mpb_port(ifindex, dir);
	struct mpb_counts *each = calloc(cpus > 0 ? cpus : 1, sizeof(*each));

	memset(sum, 0, sizeof(*sum));
	if (!each || cpus <= 0 || bpf_map_lookup_elem(l->counts, &key, each))
		err = -ENOENT;
	for (int i = 0; !err && i < cpus; i++)
		for (int c = 0; c < MPB_COUNTERS_MAX; c++)
			sum->n[c] += each[i].n[c];
	free(each);
	return err;
}
