/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <mptcp_bpf/rule.h>
#include "cc.h"
#include "err.h"
#include "journal.h"
#include "loaded.h"
#include "paths.h"
#include "pin.h"
#include "rules.h"
#include "scheduler.h"
#include "steer.h"
#include "unload.h"

static int add_device(const struct attachment *a, void *arg)
{
	size_t i;
	json_t *dev;

	json_array_foreach((json_t *)arg, i, dev)
		if (json_integer_value(dev) == a->ifindex)
			return 0;
	json_array_append_new(arg, json_integer(a->ifindex));
	return 0;
}

static int add_policy(struct loaded *l, void *arg)
{
	json_t *state = arg, *devs = json_array(), *tune = json_object(), *dev;
	char key[64];
	uint64_t value;
	size_t k;

	if (l->at[0])
		loaded_attachments(l, add_device, devs);
	for (int i = 0; i < l->desc.ntunables; i++) {
		const struct tunable *t = &l->desc.tunables[i];

		if (!loaded_tunable(l, t, 0, &value))
			json_object_set_new(tune, t->name, json_integer(value));
		json_array_foreach(devs, k, dev) {
			if (t->slot < 0 || loaded_tunable(l, t, json_integer_value(dev), &value))
				continue;
			snprintf(key, sizeof(key), "%s@%d", t->name, (int)json_integer_value(dev));
			json_object_set_new(tune, key, json_integer(value));
		}
	}
	if (l->desc.policy.kind == MPB_SCHED)
		json_object_set(state, "steer", devs);
	json_object_set_new(json_object_get(state, "policies"), l->desc.policy.name, json_pack("{s:o,s:o}", "devs", devs, "tune", tune));
	return 0;
}

void journal_put_bytes(json_t *state, const char *key, const void *bytes, size_t size)
{
	char *text = calloc(size, 2);

	for (size_t i = 0; text && i < 2 * size; i++)
		text[i] = "0123456789abcdef"[((const unsigned char *)bytes)[i / 2] >> (i % 2 ? 0 : 4) & 15];
	json_object_set_new(state, key, json_stringn(text ? text : "", text ? 2 * size : 0));
	free(text);
}

static int get_bytes(const json_t *state, const char *key, void *bytes, size_t size)
{
	const char *text = json_string_value(json_object_get(state, key));
	unsigned int byte;

	if (!text || strlen(text) != 2 * size)
		return err_fail(EBADMSG, "journal", "'%s' of an unfinished apply cannot be read", key);
	for (size_t i = 0; i < size; i++) {
		if (sscanf(text + 2 * i, "%2x", &byte) != 1)
			return err_fail(EBADMSG, "journal", "'%s' of an unfinished apply cannot be read", key);
		((unsigned char *)bytes)[i] = byte;
	}
	return 0;
}

json_t *journal_state(const struct ns *ns)
{
	json_t *state = json_pack("{s:{},s:[]}", "policies", "steer");
	struct mpb_rules rules;
	struct mpb_paths paths;

	loaded_each(ns, add_policy, state);
	rules_read(ns, &rules);
	journal_put_bytes(state, "rules", &rules, sizeof(rules));
	paths_read(ns, &paths);
	journal_put_bytes(state, "paths", &paths, sizeof(paths));
	return state;
}

/* A map holds the text; its pin appears, and takes the place of the one before, in one step. */
int journal_write(const struct ns *ns, const json_t *state)
{
	char next[PATH_MAX], path[PATH_MAX], *text = json_dumps(state, JSON_COMPACT);
	__u32 zero = 0, size = text ? (strlen(text) + 8) & ~7U : 8;
	char *value = calloc(1, size);
	int fd, err = pin_mkdir(ns->dir);

	if (text && value)
		strcpy(value, text);
	fd = err ? -1 : bpf_map_create(BPF_MAP_TYPE_ARRAY, "mpb_journal", sizeof(zero), size, 1, NULL);
	pin_path(next, "%s/+apply-next", ns->dir);
	if (!err && (!text || !value || fd < 0 || bpf_map_update_elem(fd, &zero, value, BPF_ANY)))
		err = err_fail(errno, "journal", "cannot be written: %s", strerror(errno));
	if (!err)
		err = pin_remove(next);
	if (!err && bpf_obj_pin(fd, next))
		err = err_fail(errno, next, "cannot pin: %s", strerror(errno));
	if (!err)
		err = pin_commit(next, pin_path(path, "%s/+apply", ns->dir));
	if (fd >= 0)
		close(fd);
	free(value);
	free(text);
	return err;
}

/* NULL: there is none. */
static json_t *journal_read(const struct ns *ns)
{
	struct bpf_map_info info = {};
	__u32 len = sizeof(info), zero = 0;
	char path[PATH_MAX], *text = NULL;
	json_t *state = NULL;
	int fd = bpf_obj_get(pin_path(path, "%s/+apply", ns->dir));

	if (fd >= 0 && !bpf_map_get_info_by_fd(fd, &info, &len))
		text = calloc(1, info.value_size + 1);
	if (text && !bpf_map_lookup_elem(fd, &zero, text))
		state = json_loads(text, 0, NULL);
	free(text);
	if (fd >= 0)
		close(fd);
	return state;
}

struct setting_up {
	const struct ns *ns;
	const json_t *policies, *steer;
};

static int set_tunables(struct loaded *l, void *arg)
{
	const struct setting_up *s = arg;
	json_t *policy = json_object_get(s->policies, l->desc.policy.name), *tune = json_object_get(policy, "tune"), *want, *dev;
	char key[64];
	uint64_t now;
	int err = 0;
	size_t k;

	for (int i = 0; tune && !err && i < l->desc.ntunables; i++) {
		const struct tunable *t = &l->desc.tunables[i];

		want = json_object_get(tune, t->name);
		if (want && !loaded_tunable(l, t, 0, &now) && now != (uint64_t)json_integer_value(want))
			err = loaded_tune(l, t, 0, json_integer_value(want));
		json_array_foreach(json_object_get(policy, "devs"), k, dev) {
			int ifindex = json_integer_value(dev);

			if (err || t->slot < 0)
				break;
			snprintf(key, sizeof(key), "%s@%d", t->name, ifindex);
			want = json_object_get(tune, key);
			if (want)
				err = loaded_tune(l, t, ifindex, json_integer_value(want));
			else
				loaded_untune(l, t, ifindex);
		}
	}
	return err;
}

int journal_set(const struct ns *ns, const json_t *state)
{
	struct setting_up s = { .policies = json_object_get(state, "policies") };
	struct mpb_rules rules, rules_now;
	struct mpb_paths paths, paths_now;
	int err = get_bytes(state, "rules", &rules, sizeof(rules));

	if (!err)
		err = get_bytes(state, "paths", &paths, sizeof(paths));
	if (!err)
		err = loaded_each(ns, set_tunables, &s);
	paths_read(ns, &paths_now);
	if (!err && (paths.n != paths_now.n || memcmp(paths.path, paths_now.path, sizeof(paths.path)))) {
		paths.generation = paths_now.generation;
		err = paths_write(ns, &paths);
	}
	rules_read(ns, &rules_now);
	if (!err && memcmp(&rules, &rules_now, sizeof(rules))) {
		err = rules_write(ns, &rules);
		if (!err)
			err = steer_kick(ns, MPB_KICK_RULES);
	}
	return err;
}

static bool names_device(const json_t *devs, int ifindex)
{
	json_t *dev;
	size_t i;

	json_array_foreach((json_t *)devs, i, dev)
		if (json_integer_value(dev) == ifindex)
			return true;
	return false;
}

/* Devices that are not among those to keep. */
static int prune_devices(const struct ns *ns, const struct loaded *l, const json_t *devs)
{
	json_t *all = json_array(), *dev;
	int err = 0;
	size_t i;

	loaded_attachments(l, add_device, all);
	json_array_foreach(all, i, dev)
		if (!err && !names_device(devs, json_integer_value(dev)))
			err = detach_device(ns, l->at, json_integer_value(dev));
	json_decref(all);
	return err;
}

static int prune_policy(struct loaded *l, void *arg)
{
	const struct setting_up *s = arg;
	const char *name = l->desc.policy.name;
	json_t *policy = json_object_get(s->policies, name);
	uint32_t kind = l->desc.policy.kind;

	if (!policy)
		return kind == MPB_SCHED ? scheduler_unload(s->ns, name) : kind == MPB_CC ? cc_unload(s->ns, name) : unload_dir(s->ns, name);
	if (!l->at[0])
		return 0;
	return prune_devices(s->ns, l, kind == MPB_SCHED ? s->steer : json_object_get(policy, "devs"));
}

int journal_settle(const struct ns *ns)
{
	json_t *state = journal_read(ns);
	struct setting_up s = { .ns = ns, .policies = json_object_get(state, "policies"), .steer = json_object_get(state, "steer") };
	char path[PATH_MAX];
	int err = 0;

	if (state)
		err = journal_set(ns, state);
	if (!err && state)
		err = loaded_each(ns, prune_policy, &s);
	if (!err)
		err = pin_remove(pin_path(path, "%s/+apply-next", ns->dir));
	if (!err)
		err = pin_remove(pin_path(path, "%s/+apply", ns->dir));
	json_decref(state);
	return err;
}
