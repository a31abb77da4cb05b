/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include "dev.h"
#include "err.h"
#include "pin.h"
#include "rules.h"
#include "scheduler.h"
#include "state.h"
#include "steer.h"

#define PRIO_LAST 65535 /* of the default rule that `load` adds */

static int prog_id(int fd, uint32_t *id)
{
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);

	if (fd < 0 || bpf_prog_get_info_by_fd(fd, &info, &len))
		return -errno;
	*id = info.id;
	return 0;
}

static int open_prog(const struct ns *ns, const char *name)
{
	char path[PATH_MAX];

	return bpf_obj_get(pin_path(path, "%s/sched/%s/prog", ns->dir, name));
}

/* The slots that a loaded policy is in. */
static uint64_t slots_of(const struct ns *ns, const char *name)
{
	int fd = open_prog(ns, name);
	uint64_t slots = 0;
	uint32_t id = 0;

	if (!prog_id(fd, &id))
		slots = steer_slots(ns, id);
	if (fd >= 0)
		close(fd);
	return slots;
}

unsigned int scheduler_slot(const struct ns *ns, const char *name)
{
	uint64_t slots = strchr(name, '/') || name[0] == '+' ? 0 : slots_of(ns, name);

	return slots ? __builtin_ctzll(slots) : 0;
}

struct naming {
	const struct ns *ns;
	unsigned int slot;
	char *name;
};

static int is_in_slot(const char *name, void *arg)
{
	struct naming *n = arg;

	if (!(slots_of(n->ns, name) >> n->slot & 1))
		return 0;
	snprintf(n->name, MPB_NAME_LEN, "%s", name);
	return 1;
}

void scheduler_name(const struct ns *ns, unsigned int slot, char name[MPB_NAME_LEN])
{
	struct naming n = { ns, slot, name };
	char path[PATH_MAX];

	strcpy(name, slot ? SCHED_UNNAMED : "default");
	if (slot)
		pin_each(pin_path(path, "%s/sched", ns->dir), false, is_in_slot, &n);
}

static int share(struct bpf_object *obj, const char *name, int fd)
{
	struct bpf_map *map = bpf_object__find_map_by_name(obj, name);
	int err = !map ? 0 : fd < 0 ? -errno : bpf_map__reuse_fd(map, fd);

	if (fd >= 0)
		close(fd);
	return err ? err_fail(-err, name, "cannot be shared with the policy: %s", strerror(-err)) : 0;
}

static int pin_as(int fd, const char *dir, const char *name)
{
	char path[PATH_MAX + 16];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return bpf_obj_pin(fd, path) ? err_fail(errno, path, "cannot pin: %s", strerror(errno)) : 0;
}

/* Verify the policy and pin it as +NAME. Returns its program, open as long as the object. */
static int verify(const struct ns *ns, struct policy *p)
{
	const char *name = p->desc.policy.name;
	struct bpf_program *prog = bpf_object__next_program(p->obj, NULL);
	struct bpf_map *map;
	char dir[PATH_MAX];
	int err;

	err = share(p->obj, "mpb_deciding", steer_map(ns, "mpb_deciding"));
	if (!err)
		err = share(p->obj, "mpb_steered", state_map(ns, "mpb_steered"));
	if (err)
		return err;
	err = policy_load(name, p);
	if (err)
		return err;
	err = pin_mkdir(pin_path(dir, "%s/sched/+%s", ns->dir, name));
	if (!err)
		err = pin_as(bpf_program__fd(prog), dir, "prog");
	map = bpf_object__find_map_by_name(p->obj, MPB_POLICY_SEC);
	if (!err)
		err = pin_as(bpf_map__fd(map), dir, "policy");
	map = bpf_object__find_map_by_name(p->obj, MPB_TUNE_SEC);
	if (!err && map)
		err = pin_as(bpf_map__fd(map), dir, "tune");
	return err ? err : bpf_program__fd(prog);
}

static int commit(const struct ns *ns, const char *name)
{
	char from[PATH_MAX], to[PATH_MAX];

	return pin_commit(pin_path(from, "%s/sched/+%s", ns->dir, name), pin_path(to, "%s/sched/%s", ns->dir, name));
}

static void set_paced(struct mpb_rules *r, uint64_t slots, const struct policy *p)
{
	r->paced = p->desc.policy.flags & MPB_PACES ? r->paced | slots : r->paced & ~slots;
}

/* A default for what no rule says, unless there is one or none is asked for. */
static int default_rule(const struct ns *ns, unsigned int slot, const struct policy *p, bool none)
{
	struct mpb_rule rule = { .sched = none ? 0 : slot, .prio = PRIO_LAST };
	struct mpb_rules r;
	int err = 0;

	rules_read(ns, &r);
	for (unsigned int i = 0; i < r.n; i++)
		if (!r.rule[i].by && r.rule[i].sched)
			rule.sched = 0;
	set_paced(&r, 1ULL << slot, p);
	if (rule.sched)
		err = rules_add(&r, &rule);
	return err ? err : rules_write(ns, &r);
}

static int load_new(const struct ns *ns, struct policy *p, const struct load_args *args, const struct dev *devs, int ndevs, uint32_t max_subflows)
{
	const char *name = p->desc.policy.name;
	uint64_t empty;
	int err, prog, slot = 0;

	err = state_ensure(ns, max_subflows);
	if (err)
		return err;
	err = steer_start(ns);
	prog = err ? err : verify(ns, p);
	if (prog < 0) {
		err = prog;
		goto out;
	}
	empty = steer_slots(ns, 0);
	if (!empty) {
		err = err_fail(ENOSPC, name, "%d schedulers are loaded already", MPB_SLOTS - 1);
		goto out;
	}
	slot = __builtin_ctzll(empty);
	err = steer_slot_set(ns, slot, prog);
	if (!err)
		err = steer_attach(ns, devs, ndevs);
	if (!err)
		err = commit(ns, name);
	if (!err)
		err = default_rule(ns, slot, p, args->no_rule);
	if (!err)
		err = steer_kick(ns, MPB_KICK_RULES);
out:
	if (err) {
		scheduler_unload(ns, name); /* does what there is to do */
		state_release(ns);
	}
	return err;
}

static int select_devices(const struct load_args *args, struct dev **devs)
{
	int n = dev_select(args->devs, args->ndevs, devs);

	for (int i = 0; i < n; i++) {
		for (int k = 0; k < args->nsettings; k++)
			if (args->settings[k].dev[0])
				return err_usage(args->settings[k].dev, "a scheduler has no settings by device; 'path add dev' says what holds for one");
	}
	return n;
}

int scheduler_load(const struct ns *ns, struct policy *p, const struct load_args *args, uint32_t max_subflows)
{
	const char *name = p->desc.policy.name;
	struct dev *devs = NULL;
	char path[PATH_MAX];
	int n, err;

	if (p->desc.policy.flags & MPB_NATIVE) {
		err_hint("a kernel that lets BPF register packet schedulers (struct mptcp_sched_ops in its BTF) would; no released one does");
		return err_lacks(name, "needs a kernel whose packet scheduler is BPF: the stock one never sends a segment twice");
	}
	if (args->hook == HOOK_XDP)
		return err_usage("hook", "a scheduler runs at tcx");
	n = select_devices(args, &devs);
	if (n < 0) {
		free(devs);
		return n;
	}
	if (!pin_exists(pin_path(path, "%s/sched/%s", ns->dir, name))) {
		err = load_new(ns, p, args, devs, n, max_subflows);
	} else if (args->ndevs && !args->nsettings) {
		err = steer_attach(ns, devs, n);
	} else {
		err_hint("'mptcp-bpf tune %s KEY=VALUE' changes it, 'load %s dev IF' adds a device, 'unload %s' ends it", name, name, name);
		err = err_fail(EEXIST, name, "loaded already");
	}
	free(devs);
	return err;
}

static int stop_at_first(const char *name, void *arg)
{
	(void)name;
	(void)arg;
	return 1;
}

/* Take the rules that name one of the slots away; 1 when there were any. */
static int drop_rules(const struct ns *ns, uint64_t slots)
{
	struct mpb_rules r;
	unsigned int before;

	rules_read(ns, &r);
	before = r.n;
	for (unsigned int i = r.n; i--;) {
		if (!(slots >> r.rule[i].sched & 1) || !r.rule[i].sched)
			continue;
		r.rule[i].sched = 0;
		if (!r.rule[i].cc[0])
			rules_del(&r, i);
	}
	if (r.n == before && !(r.paced & slots))
		return 0;
	r.paced &= ~slots;
	return rules_write(ns, &r) ? -EIO : 1;
}

static int drop_dir(const struct ns *ns, const char *name)
{
	char path[PATH_MAX], dead[PATH_MAX];
	int err = 0;

	pin_path(dead, "%s/sched/+%s", ns->dir, name);
	if (pin_exists(pin_path(path, "%s/sched/%s", ns->dir, name)))
		err = pin_commit(path, dead);
	return err ? err : pin_remove(dead);
}

static void clear_slots(const struct ns *ns, uint64_t slots)
{
	for (; slots; slots &= slots - 1)
		steer_slot_clear(ns, __builtin_ctzll(slots));
}

int scheduler_unload(const struct ns *ns, const char *name)
{
	uint64_t slots = slots_of(ns, name);
	char path[PATH_MAX];
	int err = 0;

	if (slots) {
		err = drop_rules(ns, slots);
		if (err >= 0)
			err = steer_kick(ns, MPB_KICK_RULES);
		clear_slots(ns, slots);
	}
	if (!err)
		err = drop_dir(ns, name);
	if (!err && !pin_each(pin_path(path, "%s/sched", ns->dir), false, stop_at_first, NULL))
		err = steer_stop(ns);
	return err;
}

int scheduler_swap(const struct ns *ns, const char *old, struct policy *p)
{
	const char *name = p->desc.policy.name;
	uint64_t slots = slots_of(ns, old), paced;
	struct mpb_rules r;
	char path[PATH_MAX];
	int prog, err = 0;

	if (p->desc.policy.flags & MPB_NATIVE)
		return err_lacks(name, "needs a kernel whose packet scheduler is BPF: the stock one never sends a segment twice");
	if (pin_exists(pin_path(path, "%s/sched/%s", ns->dir, name))) {
		prog = open_prog(ns, name);
	} else {
		prog = verify(ns, p);
		if (prog >= 0)
			err = commit(ns, name);
		prog = prog < 0 || err ? prog : open_prog(ns, name);
	}
	if (prog < 0 || err) {
		drop_dir(ns, name);
		return prog < 0 ? prog : err;
	}
	rules_read(ns, &r);
	paced = r.paced & slots;
	set_paced(&r, slots, p);
	paced |= r.paced & slots;
	err = rules_write(ns, &r);
	for (uint64_t left = slots; !err && left; left &= left - 1)
		err = steer_slot_set(ns, __builtin_ctzll(left), prog);
	close(prog);
	if (!err && paced)
		err = steer_kick(ns, MPB_KICK_DECIDE);
	return err ? err : drop_dir(ns, old);
}

static int drop_uncommitted(const char *name, void *arg)
{
	char path[PATH_MAX];

	return pin_remove(pin_path(path, "%s/sched/%s", ((const struct ns *)arg)->dir, name));
}

struct tally {
	const struct ns *ns;
	uint64_t slots;
};

static int add_slots(const char *name, void *arg)
{
	struct tally *t = arg;

	t->slots |= slots_of(t->ns, name);
	return 0;
}

/* What calls that were killed left behind: policies without a name, slots and rules without a policy, a runtime without policies. */
int scheduler_sweep(const struct ns *ns)
{
	struct tally t = { .ns = ns };
	char path[PATH_MAX];
	uint64_t orphans;
	int err;

	pin_path(path, "%s/sched", ns->dir);
	err = pin_each(path, true, drop_uncommitted, (void *)ns);
	if (!err)
		err = steer_sweep(ns);
	if (err)
		return err;
	pin_each(path, false, add_slots, &t);
	orphans = ~1ULL & ~t.slots;
	if (orphans && steer_runs(ns)) {
		err = drop_rules(ns, orphans);
		if (err > 0)
			err = steer_kick(ns, MPB_KICK_RULES);
		clear_slots(ns, orphans & ~steer_slots(ns, 0));
	}
	if (err >= 0 && !t.slots)
		err = steer_stop(ns);
	return err < 0 ? err : 0;
}
