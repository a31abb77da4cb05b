/* SPDX-License-Identifier: GPL-2.0-only */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <mptcp_bpf/rule.h>
#include "attach.h"
#include "err.h"
#include "pace.h"
#include "paths.h"
#include "pin.h"
#include "policy.h"
#include "rules.h"
#include "state.h"
#include "steer.h"

/* Its own maps, which live as long as it; the others are the namespace's and the observer's. */
static const char *const own_maps[] = { "mpb_steer_conf", "mpb_steer_counts", "mpb_scheds", "mpb_deciding" };
static const char *const ns_maps[] = { "mpb_subflows", "mpb_steered", "mpb_rules", "mpb_paths", "mpb_sights", "mpb_watch", "mpb_events" };
static const char *const programs[] = { "steer_in", "steer_in3", "steer_out", "steer_out3", "steer_kick" };
#define N(_array) (sizeof(_array) / sizeof((_array)[0]))

static int get(const struct ns *ns, const char *name)
{
	char path[PATH_MAX];

	return bpf_obj_get(pin_path(path, "%s/steer/%s", ns->dir, name));
}

int steer_map(const struct ns *ns, const char *name)
{
	return get(ns, name);
}

static int share(struct bpf_object *obj, const char *name, int fd)
{
	struct bpf_map *map = bpf_object__find_map_by_name(obj, name);
	int err = fd < 0 ? -errno : bpf_map__reuse_fd(map, fd);

	if (fd >= 0)
		close(fd);
	return err ? err_fail(-err, name, "cannot be shared with the scheduler runtime: %s", strerror(-err)) : 0;
}

static int pin_into(const char *dir, const char *name, int fd)
{
	char path[PATH_MAX + 64];

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	return bpf_obj_pin(fd, path) ? err_fail(errno, path, "cannot pin: %s", strerror(errno)) : 0;
}

bool steer_runs(const struct ns *ns)
{
	char path[PATH_MAX];

	return pin_exists(pin_path(path, "%s/steer", ns->dir));
}

int steer_start(const struct ns *ns)
{
	char final[PATH_MAX], dir[PATH_MAX];
	struct mpb_paths paths;
	struct policy p;
	int err;

	if (steer_runs(ns))
		return 0;
	err = policy_open("steer", &p);
	for (size_t i = 0; !err && i < N(ns_maps); i++)
		err = share(p.obj, ns_maps[i], state_map(ns, ns_maps[i]));
	if (!err)
		err = policy_load("steer", &p);
	if (!err)
		err = pin_mkdir(pin_path(dir, "%s/+steer", ns->dir));
	for (size_t i = 0; !err && i < N(own_maps); i++)
		err = pin_into(dir, own_maps[i], bpf_object__find_map_fd_by_name(p.obj, own_maps[i]));
	for (size_t i = 0; !err && i < N(programs); i++)
		err = pin_into(dir, programs[i], bpf_program__fd(bpf_object__find_program_by_name(p.obj, programs[i])));
	if (!err)
		err = pin_commit(dir, pin_path(final, "%s/steer", ns->dir));
	policy_close(&p);
	if (err) {
		steer_sweep(ns);
		return err;
	}
	paths_read(ns, &paths);
	return steer_paths(ns, paths.generation);
}

static int detach_batch(const char *batch, void *arg)
{
	const struct ns *ns = arg;
	char path[PATH_MAX];

	return detach(ns, pin_path(path, "%s/steer/at/%s", ns->dir, batch));
}

int steer_stop(const struct ns *ns)
{
	char path[PATH_MAX], dead[PATH_MAX];
	int err;

	if (!steer_runs(ns))
		return 0;
	err = steer_kick(ns, MPB_KICK_RELEASE);
	if (!err)
		err = pin_each(pin_path(path, "%s/steer/at", ns->dir), false, detach_batch, (void *)ns);
	if (!err)
		err = pin_commit(pin_path(path, "%s/steer", ns->dir), pin_path(dead, "%s/+steer", ns->dir));
	return err ? err : steer_sweep(ns);
}

int steer_sweep(const struct ns *ns)
{
	char path[PATH_MAX];
	int err;

	err = pin_each(pin_path(path, "%s/steer/at", ns->dir), true, detach_batch, (void *)ns);
	return err ? err : pin_remove(pin_path(path, "%s/+steer", ns->dir));
}

static int is_there(const struct attachment *a, void *arg)
{
	return a->ifindex == *(int *)arg;
}

struct search {
	const struct ns *ns;
	int ifindex;
};

static int search_batch(const char *batch, void *arg)
{
	struct search *s = arg;
	char path[PATH_MAX];

	return attachment_each(pin_path(path, "%s/steer/at/%s", s->ns->dir, batch), is_there, &s->ifindex);
}

int steer_attach(const struct ns *ns, const struct dev *devs, int n)
{
	char at[PATH_MAX], batch[PATH_MAX], final[PATH_MAX];
	int progs[PROG_MAX] = {
		[PROG_IN] = get(ns, "steer_in"), [PROG_OUT] = get(ns, "steer_out"), [PROG_IN3] = get(ns, "steer_in3"), [PROG_OUT3] = get(ns, "steer_out3")
	};
	int err = 0, number = 0;

	if (progs[PROG_IN] < 0 || progs[PROG_OUT] < 0 || progs[PROG_IN3] < 0 || progs[PROG_OUT3] < 0)
		err = err_fail(errno, "steer", "its programs cannot be opened: %s", strerror(errno));
	pin_path(at, "%s/steer/at", ns->dir);
	do
		pin_path(final, "%s/steer/at/%d", ns->dir, ++number);
	while (pin_exists(final));
	if (!err)
		err = pin_mkdir(pin_path(batch, "%s/steer/at/+%d", ns->dir, number));
	for (int i = 0; !err && i < n; i++) {
		struct search s = { ns, devs[i].ifindex };

		if (!pin_each(at, false, search_batch, &s))
			err = attach(ns, batch, NULL, progs, &devs[i], HOOK_TCX, true, true, true);
	}
	if (!err)
		err = pin_commit(batch, final);
	if (err)
		detach(ns, batch);
	for (int i = 0; i < PROG_MAX; i++)
		if (progs[i] > 0)
			close(progs[i]);
	return err;
}

uint64_t steer_slots(const struct ns *ns, uint32_t prog_id)
{
	int fd = get(ns, "mpb_scheds");
	uint64_t slots = 0;

	for (uint32_t i = 1, id; fd >= 0 && i < MPB_SLOTS; i++)
		if ((bpf_map_lookup_elem(fd, &i, &id) ? 0 : id) == prog_id)
			slots |= 1ULL << i;
	if (fd >= 0)
		close(fd);
	return slots;
}

int steer_slot_set(const struct ns *ns, int slot, int prog)
{
	int fd = get(ns, "mpb_scheds"), err;

	err = fd < 0 || bpf_map_update_elem(fd, &slot, &prog, BPF_ANY) ? err_fail(errno, "steer", "the policy cannot be put in its slot: %s", strerror(errno)) : 0;
	if (fd >= 0)
		close(fd);
	return err;
}

void steer_slot_clear(const struct ns *ns, int slot)
{
	int fd = get(ns, "mpb_scheds");

	if (fd < 0)
		return;
	bpf_map_delete_elem(fd, &slot);
	close(fd);
}

int steer_paths(const struct ns *ns, uint32_t generation)
{
	struct mpb_steer_conf conf = {};
	int fd = get(ns, "mpb_steer_conf"), err = 0;
	__u32 zero = 0;

	if (fd < 0)
		return 0; /* not running */
	bpf_map_lookup_elem(fd, &zero, &conf);
	conf.paths = generation + 1; /* 0 stands for never looked */
	if (bpf_map_update_elem(fd, &zero, &conf, BPF_ANY))
		err = err_fail(errno, "paths", "the scheduler runtime cannot be told: %s", strerror(errno));
	close(fd);
	return err ? err : steer_kick(ns, MPB_KICK_DECIDE);
}

int steer_counts(const struct ns *ns, struct mpb_steer_counts *sum)
{
	int fd = get(ns, "mpb_steer_counts"), cpus = libbpf_num_possible_cpus(), err = -ENOENT;
	struct mpb_steer_counts *each = calloc(cpus > 0 ? cpus : 1, sizeof(*each));
	__u32 zero = 0;

	memset(sum, 0, sizeof(*sum));
	if (fd >= 0 && each && cpus > 0 && !bpf_map_lookup_elem(fd, &zero, each))
		err = 0;
	for (int i = 0; !err && i < cpus; i++) {
#define X(name, help) sum->name += each[i].name;
		MPB_STEER_COUNTERS(X)
#undef X
	}
	free(each);
	if (fd >= 0)
		close(fd);
	return err;
}

struct known {
	struct mpb_tuple key;
	struct mpb_subflow sf;
};

/* By connection, the oldest subflow first: the rules are asked about that one. */
static int by_age(const void *a, const void *b)
{
	const struct mpb_subflow *x = &((const struct known *)a)->sf, *y = &((const struct known *)b)->sf;

	if (x->token != y->token)
		return x->token < y->token ? -1 : 1;
	if (x->born_ns != y->born_ns)
		return x->born_ns < y->born_ns ? -1 : 1;
	return x->local_id - y->local_id;
}

static int known_subflows(int fd, struct known **list)
{
	struct mpb_tuple next;
	struct known *grown;
	int n = 0, room = 0, more;

	*list = NULL;
	for (more = !bpf_map_get_next_key(fd, NULL, &next); more; more = !bpf_map_get_next_key(fd, &next, &next)) {
		if (n == room) {
			grown = realloc(*list, (room = 2 * room + 64) * sizeof(*grown));
			if (!grown)
				break;
			*list = grown;
		}
		(*list)[n].key = next;
		if (!bpf_map_lookup_elem(fd, &next, &(*list)[n].sf))
			n++;
	}
	return n;
}

static int kick_one(int prog, const struct mpb_tuple *key, enum mpb_kick_op op)
{
	struct mpb_kick kick = { .op = op, .key = *key };
	bool v4 = !key->saddr[0] && !key->saddr[1] && key->saddr[2] == htonl(0xffff);
	unsigned char frame[MPB_KICK_FRAME] = { [12] = v4 ? 0x08 : 0x86, [13] = v4 ? 0x00 : 0xdd }; /* what is injected is of that kind */
	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = sizeof(frame), .repeat = 1);
	int err;

	memcpy(frame + MPB_KICK_AT, &kick, sizeof(kick));
	for (int i = 0; i < 1000; i++) { /* a CPU that decides on it is done within microseconds */
		err = bpf_prog_test_run_opts(prog, &opts);
		if (err || opts.retval != MPB_KICK_BUSY)
			break;
	}
	return err ? err : (int)opts.retval;
}

int steer_kick(const struct ns *ns, enum mpb_kick_op op)
{
	int fd = state_map(ns, "mpb_subflows"), prog = get(ns, "steer_kick"), n = 0, full = 0, err = 0;
	struct known *list = NULL;
	struct mpb_rules rules;
	bool paced;

	if (fd >= 0 && prog >= 0)
		n = known_subflows(fd, &list);
	if (list)
		qsort(list, n, sizeof(*list), by_age);
	rules_read(ns, &rules);
	paced = rules.paced;
	for (int i = 0; !err && i < n; i++) {
		bool first = !i || list[i].sf.token != list[i - 1].sf.token;
		int kicked = kick_one(prog, &list[i].key, op == MPB_KICK_RULES && !first ? MPB_KICK_DECIDE : op);

		if (kicked < 0)
			err = err_fail(-kicked, "steer", "cannot be run on the connections: %s", strerror(-kicked));
		full += kicked == MPB_KICK_FULL;
		paced |= list[i].sf.rate || list[i].sf.rate_set;
	}
	if (!err && n && paced)
		err = pace(ns);
	if (full)
		note("mptcp-bpf: %d connections are left to the stock scheduler: the table is full (--max-subflows)", full);
	free(list);
	if (fd >= 0)
		close(fd);
	if (prog >= 0)
		close(prog);
	return err;
}
