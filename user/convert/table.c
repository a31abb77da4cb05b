/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include "attach.h"
#include "cgroup.h"
#include "err.h"
#include "pin.h"
#include "policy.h"
#include "rules.h"
#include "state.h"
#include "table.h"

static const struct {
	const char *prog;
	enum bpf_attach_type type;
} hooks[] = { { "convert_c4", BPF_CGROUP_INET4_CONNECT },
	      { "convert_c6", BPF_CGROUP_INET6_CONNECT },
	      { "convert_p4", BPF_CGROUP_INET4_GETPEERNAME },
	      { "convert_p6", BPF_CGROUP_INET6_GETPEERNAME } };
static const char *const maps[] = { "mpb_converters", "mpb_converted", "mpb_converted_conns" };
static const struct {
	const char *prog;
	int at;
} progs[] = { { "convert_in", PROG_IN }, { "convert_out", PROG_OUT }, { "convert_in3", PROG_IN3 }, { "convert_out3", PROG_OUT3 } };
#define N(_array) (sizeof(_array) / sizeof((_array)[0]))

static int get(const struct ns *ns, const char *name)
{
	char path[PATH_MAX];

	return bpf_obj_get(pin_path(path, "%s/convert/%s", ns->dir, name));
}

static int pin_into(const char *dir, const char *name, int fd)
{
	char path[PATH_MAX + 64];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return fd < 0 || bpf_obj_pin(fd, path) ? err_fail(errno, path, "cannot pin: %s", strerror(errno)) : 0;
}

static int program(const struct bpf_object *obj, const char *name)
{
	return bpf_program__fd(bpf_object__find_program_by_name(obj, name));
}

bool table_exists(const struct ns *ns)
{
	char path[PATH_MAX];

	return pin_exists(pin_path(path, "%s/convert", ns->dir));
}

/* The namespace's own rules and sizes; the verifier sees it. */
static int load(const struct ns *ns, struct policy *p, uint32_t max_subflows)
{
	int rules = state_map(ns, "mpb_rules"), err;

	err = rules < 0 || bpf_map__reuse_fd(bpf_object__find_map_by_name(p->obj, "mpb_rules"), rules) ? err_fail(errno, "rules", "cannot be shared: %s", strerror(errno)) : 0;
	if (rules >= 0)
		close(rules);
	for (size_t i = 1; !err && max_subflows && i < N(maps); i++)
		bpf_map__set_max_entries(bpf_object__find_map_by_name(p->obj, maps[i]), max_subflows);
	if (err)
		return err;
	err = bpf_object__load(p->obj);
	if (err) {
		err_hint("'mptcp-bpf features' tells what this kernel has; -vv shows the verifier's log");
		return err_lacks("converter", "the kernel does not take its programs: %s", strerror(-err));
	}
	return 0;
}

static int attach_hooks(const char *dir, const struct bpf_object *obj)
{
	int root = cgroup_root(), err = root < 0 ? root : 0;

	for (size_t i = 0; !err && i < N(hooks); i++) {
		int link = bpf_link_create(program(obj, hooks[i].prog), root, hooks[i].type, NULL);

		err = link < 0 ? err_fail(errno, hooks[i].prog, "cannot attach to the root of cgroup2: %s", strerror(errno)) : pin_into(dir, hooks[i].prog, link);
		if (link >= 0)
			close(link);
	}
	if (root >= 0)
		close(root);
	return err;
}

static int attach_devices(const struct ns *ns, const char *dir, const struct bpf_object *obj)
{
	int fds[PROG_MAX] = {}, n, err;
	struct dev *devs = NULL;
	char at[PATH_MAX + 8];

	for (size_t i = 0; i < N(progs); i++)
		fds[progs[i].at] = program(obj, progs[i].prog);
	snprintf(at, sizeof(at), "%s/at/1", dir);
	n = dev_select(NULL, 0, &devs);
	err = n < 0 ? n : pin_mkdir(at);
	for (int i = 0; !err && i < n; i++)
		err = attach(ns, at, NULL, fds, &devs[i], HOOK_TCX, true, true, false);
	free(devs);
	return err;
}

static int start(const struct ns *ns, uint32_t max_subflows)
{
	char dir[PATH_MAX], final[PATH_MAX];
	struct policy p;
	__u32 zero = 0;
	int err;

	err = state_ensure(ns, max_subflows);
	if (!err)
		err = policy_open("convert", &p);
	if (err)
		return err;
	err = load(ns, &p, max_subflows);
	if (!err && bpf_map_update_elem(bpf_object__find_map_fd_by_name(p.obj, "mpb_own"), &zero, &ns->cookie, BPF_ANY))
		err = err_fail(errno, "converter", "its programs cannot be told their namespace: %s", strerror(errno));
	if (!err)
		err = pin_mkdir(pin_path(dir, "%s/+convert", ns->dir));
	for (size_t i = 0; !err && i < N(maps); i++)
		err = pin_into(dir, maps[i], bpf_object__find_map_fd_by_name(p.obj, maps[i]));
	if (!err)
		err = attach_devices(ns, dir, p.obj);
	if (!err)
		err = attach_hooks(dir, p.obj);
	if (!err)
		err = pin_commit(dir, pin_path(final, "%s/convert", ns->dir));
	policy_close(&p);
	if (err)
		table_sweep(ns);
	return err;
}

int table_sweep(const struct ns *ns)
{
	char path[PATH_MAX];

	if (!pin_exists(pin_path(path, "%s/+convert", ns->dir)))
		return 0;
	detach(ns, pin_path(path, "%s/+convert/at/1", ns->dir));
	return pin_remove(pin_path(path, "%s/+convert", ns->dir));
}

int table_stop(const struct ns *ns)
{
	char path[PATH_MAX], dead[PATH_MAX];
	int err;

	if (!table_exists(ns))
		return 0;
	err = pin_commit(pin_path(path, "%s/convert", ns->dir), pin_path(dead, "%s/+convert", ns->dir));
	return err ? err : table_sweep(ns);
}

static bool read_slot(int fd, __u32 slot, struct mpb_converter *c)
{
	return fd >= 0 && !bpf_map_lookup_elem(fd, &slot, c) && c->used;
}

unsigned int table_slot(const struct ns *ns, const char *name)
{
	int fd = get(ns, "mpb_converters");
	struct mpb_converter c;
	unsigned int found = 0;

	for (__u32 i = 1; i < MPB_CONVERTERS && !found; i++)
		found = read_slot(fd, i, &c) && !strcmp(c.name, name) ? i : 0;
	if (fd >= 0)
		close(fd);
	return found;
}

void table_name(const struct ns *ns, unsigned int slot, char name[16])
{
	int fd = get(ns, "mpb_converters");
	struct mpb_converter c;

	strcpy(name, "?");
	if (read_slot(fd, slot, &c))
		memcpy(name, c.name, sizeof(c.name));
	if (fd >= 0)
		close(fd);
}

int table_each(const struct ns *ns, int (*each)(const struct mpb_converter *c, void *arg), void *arg)
{
	int fd = get(ns, "mpb_converters"), err = 0;
	struct mpb_converter c;

	for (__u32 i = 1; i < MPB_CONVERTERS && !err; i++)
		err = read_slot(fd, i, &c) ? each(&c, arg) : 0;
	if (fd >= 0)
		close(fd);
	return err;
}

static int write_slot(const struct ns *ns, __u32 slot, const struct mpb_converter *c)
{
	int fd = get(ns, "mpb_converters"), err;

	err = fd < 0 || bpf_map_update_elem(fd, &slot, c, BPF_ANY) ? err_fail(errno, "converter", "cannot be written: %s", strerror(errno)) : 0;
	if (fd >= 0)
		close(fd);
	return err;
}

int table_add(const struct ns *ns, const struct mpb_converter *c, uint32_t max_subflows)
{
	int err = table_exists(ns) ? 0 : start(ns, max_subflows);
	struct mpb_converter other;
	unsigned int slot;
	int fd;

	if (err)
		return err;
	slot = table_slot(ns, c->name);
	fd = get(ns, "mpb_converters");
	for (__u32 i = 1; i < MPB_CONVERTERS && !slot; i++)
		slot = read_slot(fd, i, &other) ? 0 : i;
	if (fd >= 0)
		close(fd);
	return slot ? write_slot(ns, slot, c) : err_fail(ENOSPC, c->name, "at most %d converters", MPB_CONVERTERS - 1);
}

static int drop_rules(const struct ns *ns, unsigned int slot)
{
	struct mpb_rules rules;
	unsigned int before;

	rules_read(ns, &rules);
	before = rules.n;
	for (unsigned int i = rules.n; i--;)
		if (rules.rule[i].convert && (!slot || rules.rule[i].convert == slot))
			rules_del(&rules, i);
	return rules.n == before ? 0 : rules_write(ns, &rules);
}

static int count(const struct mpb_converter *c, void *arg)
{
	(void)c;
	++*(int *)arg;
	return 0;
}

int table_del(const struct ns *ns, const char *name)
{
	struct mpb_converter none = {};
	unsigned int slot = table_slot(ns, name);
	int err, left = 0;

	if (!slot) {
		err_hint("'mptcp-bpf converter list' shows them");
		return err_fail(ENOENT, name, "there is no such converter here");
	}
	err = drop_rules(ns, slot);
	if (!err)
		err = write_slot(ns, slot, &none);
	table_each(ns, count, &left);
	if (!err && !left)
		err = table_stop(ns);
	return err;
}
