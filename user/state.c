/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <mptcp_bpf/rule.h>
#include <mptcp_bpf/sight.h>
#include <mptcp_bpf/steer.h>
#include <mptcp_bpf/terms.h>
#include "convert/table.h"
#include "err.h"
#include "observer.h"
#include "paths.h"
#include "pin.h"
#include "rules.h"
#include "sight.h"
#include "snapshot.h"
#include "state.h"

/* A namespace's maps: in its directory, and, those that the programs of all namespaces use, in a registry of theirs. */
static const struct {
	const char *name, *registry;
	size_t key, value;
	uint32_t entries; /* 0: as many as --max-subflows says */
	enum bpf_map_type type;
} maps[] = {
	{ "mpb_conns", "mpb_ns_conns", sizeof(__u32), sizeof(struct mpb_conn), 0, BPF_MAP_TYPE_HASH },
	{ "mpb_subflows", "mpb_ns_subflows", sizeof(struct mpb_tuple), sizeof(struct mpb_subflow), 0, BPF_MAP_TYPE_HASH },
	{ "mpb_sights", "mpb_ns_sights", sizeof(struct mpb_tuple), sizeof(struct mpb_sight), 0, BPF_MAP_TYPE_HASH },
	{ "mpb_steered", "mpb_ns_steered", sizeof(__u32), sizeof(struct mpb_steer), 0, BPF_MAP_TYPE_HASH },
	{ "mpb_rules", "mpb_ns_rules", sizeof(__u32), sizeof(struct mpb_rules), 1, BPF_MAP_TYPE_HASH },
	{ "mpb_paths", "mpb_ns_paths", sizeof(__u32), sizeof(struct mpb_paths), 1, BPF_MAP_TYPE_HASH },
	{ "mpb_waits", "mpb_ns_waits", sizeof(struct mpb_waiter), sizeof(struct mpb_wait), 0, BPF_MAP_TYPE_HASH },
	{ "mpb_past", "mpb_ns_past", sizeof(__u32), sizeof(struct mpb_past), MPB_PAST_MAX, BPF_MAP_TYPE_ARRAY },
	{ "mpb_watch", "mpb_ns_watch", sizeof(__u32), sizeof(__u64), MPB_WATCH_MAX, BPF_MAP_TYPE_ARRAY },
	{ "mpb_events", "mpb_ns_events", 0, 0, MPB_EVENTS_BYTES, BPF_MAP_TYPE_RINGBUF },
	{ "mpb_conns", "mpb_ns_alive", sizeof(__u32), sizeof(struct mpb_conn), 0, BPF_MAP_TYPE_HASH }, /* the same again, for the witness */
	{ "mpb_deals", "mpb_ns_deals", sizeof(struct mpb_tuple), sizeof(struct mpb_deal), 0, BPF_MAP_TYPE_HASH },
	{ "mpb_subflows", "mpb_ns_paced", sizeof(struct mpb_tuple), sizeof(struct mpb_subflow), 0, BPF_MAP_TYPE_HASH }, /* and for terms */
};
enum { CONNS, SUBFLOWS, SIGHTS }; /* their places in it */
#define NMAPS (sizeof(maps) / sizeof(maps[0]))

static int get(const char *dir, const char *name)
{
	char path[PATH_MAX];

	return bpf_obj_get(pin_path(path, "%s/%s", dir, name));
}

/* Refuse a map, in DIR, whose entries are not of this version: looking one up would write past the end of ours. Closes FD; none is no map. */
static int check_map(int fd, const char *dir, const char *name, size_t key, size_t value)
{
	struct bpf_map_info info = {};
	__u32 len = sizeof(info);
	bool same;

	if (fd < 0)
		return 0;
	same = bpf_map_get_info_by_fd(fd, &info, &len) || (info.key_size == key && info.value_size == value);
	close(fd);
	if (same)
		return 0;
	err_hint("end what is loaded with the version that loaded it ('mptcp-bpf unload --all'), or remove " PIN_BASE ", and load it anew; connections go on");
	return err_fail(EPROTO, dir, "made by another version of mptcp-bpf: the entries of %s have %u + %u bytes, not %zu + %zu", name, info.key_size,
			info.value_size, key, value);
}

int state_check(const struct ns *ns)
{
	int err = check_map(observer_map("mpb_ns"), PIN_GLOBAL, "mpb_ns", sizeof(ns->cookie), sizeof(struct mpb_ns));

	if (!err)
		err = check_map(observer_map("mpb_ns_terms"), PIN_GLOBAL, "mpb_ns_terms", sizeof(ns->cookie), sizeof(struct mpb_terms_counts));
	for (size_t i = 0; !err && i < NMAPS; i++)
		err = check_map(get(ns->dir, maps[i].name), ns->dir, maps[i].name, maps[i].key, maps[i].value);
	return err;
}

static int make_map(const struct ns *ns, size_t i, uint32_t max_subflows)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = maps[i].type == BPF_MAP_TYPE_HASH ? BPF_F_NO_PREALLOC : 0);
	uint32_t entries = maps[i].entries ? maps[i].entries : max_subflows;
	int fd = get(ns->dir, maps[i].name), err;
	char path[PATH_MAX];

	if (fd >= 0)
		return fd;
	fd = bpf_map_create(maps[i].type, maps[i].name, maps[i].key, maps[i].value, entries, &opts);
	if (fd < 0)
		return err_fail(errno, maps[i].name, "cannot make the map with %u entries: %s", entries, strerror(errno));
	if (bpf_obj_pin(fd, pin_path(path, "%s/%s", ns->dir, maps[i].name))) {
		err = err_fail(errno, path, "cannot pin: %s", strerror(errno));
		close(fd);
		return err;
	}
	return fd;
}

/* The maps that have a registry. */
static int registrations(const int fds[NMAPS], struct registration list[NMAPS])
{
	int n = 0;

	for (size_t i = 0; i < NMAPS; i++)
		if (maps[i].registry)
			list[n++] = (struct registration){ maps[i].registry, fds[i] };
	return n;
}

static void unregister_ns(uint64_t cookie)
{
	struct registration list[NMAPS];
	const int none[NMAPS] = {};

	observer_unregister(cookie, "mpb_ns");
	observer_unregister(cookie, "mpb_ns_terms");
	observer_unregister_maps(cookie, list, registrations(none, list));
}

/* Count what found no room. The observer counts meanwhile; what it adds in the microseconds between is lost. */
static void count_full(const struct ns *ns, uint64_t conns_full, uint64_t subflows_full)
{
	struct mpb_ns counters;

	if (state_counters(ns, &counters))
		return;
	counters.conns_full += conns_full;
	counters.subflows_full += subflows_full;
	observer_register(ns->cookie, "mpb_ns", &counters);
}

/* Record the subflows that were there before the observer. */
static int adopt(const struct ns *ns, int conns, int subflows, int sights)
{
	uint64_t now = monotonic_ns(), conns_full = 0, subflows_full = 0;
	struct mpb_snap *list;
	int n = snapshot_read(true, &list);

	for (int i = 0; i < n; i++) {
		struct mpb_subflow sf = { .born_ns = now, .token = list[i].token, .local_id = list[i].local_id, .remote_id = list[i].remote_id,
					  .side = MPB_ADOPTED, .peer_backup = list[i].backup, .sk = list[i].sk };
		struct mpb_sight sight = { .born_ns = now, .turned_ns = now, .backup = list[i].backup || list[i].request_bkup };
		struct mpb_conn conn = { .born_ns = now };

		bpf_map_update_elem(sights, &list[i].tuple, &sight, BPF_NOEXIST);
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
	struct registration list[NMAPS];
	int fds[NMAPS], err;
	struct mpb_terms_counts unsaid = {};
	struct mpb_ns none = {};
	size_t n = 0;

	if (is_registered(ns))
		return max_subflows ? err_usage("--max-subflows", "counts at the first load in a namespace; something is loaded already") : 0;
	err = observer_start();
	if (!err)
		err = pin_mkdir(ns->dir);
	for (; !err && n < NMAPS; n++) {
		fds[n] = make_map(ns, n, max_subflows ? max_subflows : MPB_SUBFLOWS_DEFAULT);
		err = fds[n] < 0 ? fds[n] : 0;
	}
	if (!err)
		err = observer_register_maps(ns->cookie, list, registrations(fds, list));
	if (!err)
		err = observer_register(ns->cookie, "mpb_ns_terms", &unsaid);
	if (!err)
		err = observer_register(ns->cookie, "mpb_ns", &none);
	if (!err)
		err = adopt(ns, fds[CONNS], fds[SUBFLOWS], fds[SIGHTS]);
	while (n--)
		if (fds[n] >= 0)
			close(fds[n]);
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

/* Something is loaded here, or the operator said something that is to be kept. */
static bool in_use(const struct ns *ns)
{
	static const char *const kinds[] = { "opt", "sched", "cc", "agent" };
	char path[PATH_MAX];

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (pin_each(pin_path(path, "%s/%s", ns->dir, kinds[i]), false, stop_at_first, NULL))
			return true;
	return table_exists(ns) || rules_count(ns) || paths_count(ns);
}

int state_release(const struct ns *ns)
{
	return in_use(ns) ? 0 : state_drop(ns);
}

int state_drop(const struct ns *ns)
{
	int err;

	unregister_ns(ns->cookie);
	err = pin_remove(ns->dir);
	if (!err)
		err = observer_stop();
	pin_remove_empty(PIN_BASE);
	return err;
}

int state_map(const struct ns *ns, const char *name)
{
	return get(ns->dir, name);
}

/* What the map of that name counts for the namespace. */
static int counted(const struct ns *ns, const char *name, void *counts)
{
	int fd = observer_map(name), err;

	if (fd < 0)
		return -ENOENT;
	err = bpf_map_lookup_elem(fd, &ns->cookie, counts) ? -errno : 0;
	close(fd);
	return err;
}

int state_counters(const struct ns *ns, struct mpb_ns *counters)
{
	return counted(ns, "mpb_ns", counters);
}

int state_terms(const struct ns *ns, struct mpb_terms_counts *counts)
{
	return counted(ns, "mpb_ns_terms", counts);
}
