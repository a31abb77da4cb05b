/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include "attach.h"
#include "cc.h"
#include "cmd.h"
#include "dev.h"
#include "err.h"
#include "feature.h"
#include "load.h"
#include "loaded.h"
#include "option.h"
#include "pin.h"
#include "preset.h"
#include "scheduler.h"
#include "state.h"
#include "sweep.h"
#include "tunable.h"
#include "unload.h"

struct job {
	const struct load_args *args;
	struct policy *policy;
	const struct ns *ns;
	struct dev *devs;
	int ndevs;
	const struct tunable *tunables[64]; /* of args->settings, matched before anything is done */
	uint64_t values[64];
};

/* Match the settings, and set those for all devices in the section that the kernel will get. */
static int apply_settings(struct job *job)
{
	struct bpf_object *obj = job->policy->obj; /* NULL: it is loaded */
	struct bpf_map *section = obj ? bpf_object__find_map_by_name(obj, MPB_TUNE_SEC) : NULL;
	size_t size = 0;
	void *data = section ? bpf_map__initial_value(section, &size) : NULL;

	for (int i = 0; i < job->args->nsettings; i++) {
		const struct setting *s = &job->args->settings[i];
		int err = tunable_match(&job->policy->desc, s, &job->tunables[i], &job->values[i]);

		if (err)
			return err;
		if (!s->dev[0] && data && job->tunables[i]->off + job->tunables[i]->size <= size)
			tunable_set(job->tunables[i], data, job->values[i]);
	}
	return 0;
}

static const struct dev *dev_named(const struct job *job, const char *name)
{
	for (int i = 0; i < job->ndevs; i++)
		if (!strcmp(job->devs[i].name, name))
			return &job->devs[i];
	return NULL;
}

static int check_dev_settings(const struct job *job)
{
	for (int i = 0; i < job->args->nsettings; i++) {
		const char *dev = job->args->settings[i].dev;

		if (dev[0] && !dev_named(job, dev))
			return err_usage(dev, "is not one of the devices that this load attaches to");
	}
	return 0;
}

/* The device's counters and own tunables must be there before its first packet. */
static int prepare_device(const struct job *job, const char *dir, const struct dev *dev)
{
	int cpus = libbpf_num_possible_cpus(), err = 0;
	struct mpb_counts *zero = calloc(cpus > 0 ? cpus : 1, sizeof(*zero));
	struct loaded l = { .tune = -1, .counts = -1, .devtune = -1 };
	char path[PATH_MAX + 16];

	snprintf(path, sizeof(path), "%s/counts", dir);
	l.counts = bpf_obj_get(path);
	snprintf(path, sizeof(path), "%s/devtune", dir);
	l.devtune = bpf_obj_get(path);
	if (!zero || l.counts < 0 || l.devtune < 0)
		err = err_fail(errno, dir, "cannot open the policy's maps: %s", strerror(errno));
	for (int d = MPB_IN; !err && d <= MPB_OUT; d++) {
		__u32 key = mpb_port(dev->ifindex, d);

		if (bpf_map_update_elem(l.counts, &key, zero, BPF_NOEXIST) && errno != EEXIST)
			err = err_fail(errno, dev->name, "no room for its counters: %s", strerror(errno));
	}
	for (int i = 0; !err && i < job->args->nsettings; i++)
		if (!strcmp(job->args->settings[i].dev, dev->name))
			err = loaded_tune(&l, job->tunables[i], dev->ifindex, job->values[i]);
	loaded_close(&l);
	free(zero);
	return err;
}

static int attach_all(struct job *job, const char *dir, const char *at, const int progs[PROG_MAX])
{
	int err = pin_mkdir(at);

	for (int i = 0; !err && i < job->ndevs; i++) {
		err = prepare_device(job, dir, &job->devs[i]);
		if (!err)
			err = attach(job->ns, at, job->policy, progs, &job->devs[i], job->args->hook, job->args->in, job->args->out, false);
	}
	return err;
}

static int load_new(struct job *job, uint32_t max_subflows)
{
	const char *name = job->policy->desc.policy.name;
	char dir[PATH_MAX], final[PATH_MAX], at[PATH_MAX + 8];
	int progs[PROG_MAX], err;

	err = state_ensure(job->ns, max_subflows);
	if (err)
		return err;
	snprintf(at, sizeof(at), "%s/at/1", pin_path(dir, "%s/opt/+%s", job->ns->dir, name));
	err = option_verify(job->ns, job->policy);
	if (!err)
		err = pin_mkdir(dir);
	if (!err)
		err = option_pin(job->policy, dir, progs);
	if (!err)
		err = attach_all(job, dir, at, progs);
	if (!err)
		err = pin_commit(dir, pin_path(final, "%s/opt/%s", job->ns->dir, name));
	if (err) {
		char leaf[MPB_NAME_LEN + 1];

		snprintf(leaf, sizeof(leaf), "+%s", name);
		if (pin_exists(dir))
			unload_dir(job->ns, leaf);
		state_release(job->ns);
	}
	return err;
}

static int is_on_one_of(const struct attachment *a, void *arg)
{
	const struct job *job = arg;

	for (int i = 0; i < job->ndevs; i++)
		if (job->devs[i].ifindex == a->ifindex)
			return a->ifindex;
	return 0;
}

/* Further devices for a policy that is loaded: a batch of attachments of its own, committed by a rename. */
static int load_devices(struct job *job)
{
	const char *name = job->policy->desc.policy.name;
	char dir[PATH_MAX], batch[PATH_MAX + 16], final[PATH_MAX + 16], path[PATH_MAX + 16], ifname[IF_NAMESIZE];
	int progs[PROG_MAX], err, taken, n = 1;
	struct loaded l;

	err = loaded_open(job->ns, name, &l);
	if (err)
		return err;
	taken = loaded_attachments(&l, is_on_one_of, job);
	loaded_close(&l);
	if (taken)
		return err_fail(EEXIST, name, "attached to %s already", if_indextoname(taken, ifname) ? ifname : "one of these devices");
	pin_path(dir, "%s/opt/%s", job->ns->dir, name);
	do
		snprintf(final, sizeof(final), "%s/at/%d", dir, ++n);
	while (pin_exists(final));
	snprintf(batch, sizeof(batch), "%s/at/+%d", dir, n);
	for (int i = 0; i < PROG_MAX; i++) {
		snprintf(path, sizeof(path), "%s/progs/%s", dir, prog_suffix[i]);
		progs[i] = bpf_obj_get(path);
		if (progs[i] < 0 && !err)
			err = err_fail(errno, path, "cannot open: %s", strerror(errno));
	}
	if (!err)
		err = attach_all(job, dir, batch, progs);
	if (!err)
		err = pin_commit(batch, final);
	if (err)
		detach(job->ns, batch);
	for (int i = 0; i < PROG_MAX; i++)
		if (progs[i] >= 0)
			close(progs[i]);
	return err;
}

static int load_option(struct job *job, uint32_t max_subflows)
{
	const char *name = job->policy->desc.policy.name;
	char path[PATH_MAX];
	bool loaded = pin_exists(pin_path(path, "%s/opt/%s", job->ns->dir, name));
	int err;

	if (loaded && !job->args->ndevs) {
		err_hint("'mptcp-bpf tune %s KEY=VALUE' changes it, 'load %s dev IF' adds a device, 'unload %s' ends it", name, name, name);
		return err_fail(EEXIST, name, "loaded already");
	}
	job->ndevs = dev_select(job->args->devs, job->args->ndevs, &job->devs);
	if (job->ndevs < 0)
		return job->ndevs;
	err = check_dev_settings(job);
	if (err)
		return err;
	if (loaded && job->args->nsettings) {
		err_hint("'mptcp-bpf tune %s' changes the settings of a loaded policy", name);
		return err_fail(EEXIST, name, "loaded already: adding devices goes without settings");
	}
	return loaded ? load_devices(job) : load_new(job, max_subflows);
}

static int check_kernel(const struct job *job)
{
	if (job->policy->desc.policy.kind == MPB_CC) {
		if (feature_has("struct_ops_cc"))
			return 0;
		err_hint("a kernel from 5.6 with BTF has it");
		return err_lacks(job->policy->desc.policy.name, "this kernel takes no congestion control in BPF");
	}
	if (!feature_has("bpf_loop")) {
		err_hint("a kernel from 5.17 has it");
		return err_lacks(job->policy->desc.policy.name, "this kernel has no bpf_loop, which walks the options");
	}
	if (job->args->hook != HOOK_XDP && !feature_has("tcx") && !feature_has("clsact")) {
		err_hint("a kernel from 6.6 has tcx; CONFIG_NET_SCH_INGRESS gives clsact");
		return err_lacks(job->policy->desc.policy.name, "this kernel has neither tcx nor clsact");
	}
	return 0;
}

int load_check(struct policy *p, const struct load_args *args)
{
	struct job job = { .args = args, .policy = p };
	uint32_t kind = p->desc.policy.kind;
	int err = 0;

	if (kind != MPB_OPT_POLICY && kind != MPB_SCHED && kind != MPB_CC)
		err = err_fail(EINVAL, args->policy, "is of kind %s, which cannot be loaded by itself", kind_word(kind));
	if (!err && args->is_default && kind != MPB_CC)
		err = err_usage("--default", "is for congestion controls; %s is of kind %s", args->policy, kind_word(kind));
	if (!err)
		err = apply_settings(&job);
	return err ? err : check_kernel(&job);
}

int load_policy(const struct ns *ns, struct policy *p, const struct load_args *args, uint32_t max_subflows)
{
	struct job job = { .args = args, .policy = p, .ns = ns };
	int err = apply_settings(&job);

	if (err)
		return err;
	switch (p->desc.policy.kind) {
	case MPB_SCHED:
		return scheduler_load(ns, p, args, max_subflows);
	case MPB_CC:
		return cc_load(ns, p, args, max_subflows);
	default:
		err = load_option(&job, max_subflows);
		free(job.devs);
		return err;
	}
}

int cmd_load(const struct args *a)
{
	static struct load_args args;
	struct policy policy = {};
	struct ns ns;
	int err;

	err = load_args_parse(a, &args);
	if (!err)
		err = preset_expand(&args);
	if (!err)
		err = policy_open(args.policy, &policy); /* before the mount namespace changes */
	if (err)
		return err;
	err = ns_enter(a->netns, &ns);
	if (!err)
		err = load_check(&policy, &args);
	if (!err)
		err = pin_begin();
	if (!err)
		err = sweep(&ns);
	if (!err)
		err = load_policy(&ns, &policy, &args, a->max_subflows);
	policy_close(&policy);
	return err;
}
