/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include "away.h"
#include "err.h"
#include "pin.h"

#define SECOND 1000000000ULL
#define FLAPPING_NS (60 * SECOND) /* one that fails again within this time is trusted less */
#define HOLD_NS (60 * 1000000ULL)
#define HOLD_MAX_NS (60 * SECOND)

struct kept {
	struct endpoint endpoint;
	struct probe probe;
	bool aside;
	uint8_t pad[7];
};

static int open_map(const struct ns *ns, bool make)
{
	char path[PATH_MAX];
	int fd = bpf_obj_get(pin_path(path, "%s/agent/away", ns->dir)), err;

	if (fd >= 0 || !make)
		return fd;
	err = pin_mkdir(pin_path(path, "%s/agent", ns->dir));
	if (err)
		return err;
	fd = bpf_map_create(BPF_MAP_TYPE_HASH, "mpb_away", sizeof(struct in6_addr), sizeof(struct kept), AWAY_MAX, NULL);
	if (fd >= 0 && !bpf_obj_pin(fd, pin_path(path, "%s/agent/away", ns->dir)))
		return fd;
	err = err_fail(errno, path, "cannot make or pin the map: %s", strerror(errno));
	if (fd >= 0)
		close(fd);
	return err;
}

int away_open(struct away *w, const struct ns *ns, uint64_t now)
{
	struct in6_addr addr;
	struct kept kept = {};
	char path[PATH_MAX];
	int more, n = 0;

	memset(w, 0, sizeof(*w));
	for (int i = 0; i < AWAY_MAX; i++)
		w->one[i].sk = -1;
	w->map = open_map(ns, true);
	if (w->map < 0)
		return w->map;
	w->lock = open(pin_path(path, "%s/agent", ns->dir), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (w->lock < 0 || flock(w->lock, LOCK_EX | LOCK_NB)) {
		if (w->lock >= 0)
			close(w->lock);
		close(w->map);
		w->map = -1;
		return err_fail(EBUSY, "run", "another agent works in this network namespace");
	}
	for (more = !bpf_map_get_next_key(w->map, NULL, &addr); more && n < AWAY_MAX; more = !bpf_map_get_next_key(w->map, &addr, &addr)) {
		if (bpf_map_lookup_elem(w->map, &addr, &kept))
			continue;
		w->one[n].endpoint = kept.endpoint;
		w->one[n].probe = kept.probe;
		w->one[n].aside = kept.aside;
		w->one[n].since_ns = now;
		w->one[n].hold_ns = HOLD_NS;
		w->one[n].sk = kept.probe.tuple.dport ? probe_listen(&kept.probe.tuple) : -1;
		n++;
	}
	return 0;
}

int away_restore(const struct ns *ns)
{
	int fd = open_map(ns, false);
	struct in6_addr addr;
	struct kept kept = {};
	char path[PATH_MAX];

	for (int more = fd >= 0 && !bpf_map_get_next_key(fd, NULL, &addr); more; more = !bpf_map_get_next_key(fd, &addr, &addr))
		if (!bpf_map_lookup_elem(fd, &addr, &kept))
			endpoint_add(&kept.endpoint); /* an administrator's own is there already: EEXIST */
	if (fd >= 0)
		close(fd);
	return pin_remove(pin_path(path, "%s/agent", ns->dir));
}

void away_close(struct away *w, const struct ns *ns)
{
	for (int i = 0; i < AWAY_MAX; i++)
		if (w->one[i].sk >= 0)
			close(w->one[i].sk);
	if (w->map >= 0)
		close(w->map);
	away_restore(ns);
	close(w->lock);
}

static struct away_one *find(struct away *w, const struct in6_addr *addr)
{
	for (int i = 0; i < AWAY_MAX; i++)
		if (w->one[i].since_ns && !memcmp(&w->one[i].endpoint.addr, addr, sizeof(*addr)))
			return &w->one[i];
	return NULL;
}

struct away_one *away_find(struct away *w, const struct in6_addr *addr)
{
	struct away_one *one = find(w, addr);

	return one && !one->back_ns ? one : NULL;
}

/* Room for one more: what came back longest ago makes it. */
static struct away_one *room(struct away *w)
{
	struct away_one *best = NULL;

	for (int i = 0; i < AWAY_MAX; i++) {
		struct away_one *one = &w->one[i];

		if (!one->since_ns)
			return one;
		if (one->back_ns && (!best || one->back_ns < best->back_ns))
			best = one;
	}
	return best;
}

struct away_one *away_add(struct away *w, const struct endpoint *e, const struct probe *p, bool aside, uint64_t now)
{
	struct away_one *one = find(w, &e->addr);
	struct kept kept = { .endpoint = *e, .probe = *p, .aside = aside };
	uint64_t hold = HOLD_NS;

	if (one && !one->aside && one->back_ns && now - one->back_ns < FLAPPING_NS)
		hold = one->hold_ns * 4 < HOLD_MAX_NS ? one->hold_ns * 4 : HOLD_MAX_NS;
	if (!one)
		one = room(w);
	if (!one || bpf_map_update_elem(w->map, &e->addr, &kept, BPF_ANY))
		return NULL;
	memset(one, 0, sizeof(*one));
	one->endpoint = *e;
	one->probe = *p;
	one->aside = aside;
	one->since_ns = now;
	one->hold_ns = hold;
	one->sk = p->tuple.dport ? probe_listen(&p->tuple) : -1;
	return one;
}

void away_back(struct away *w, struct away_one *one, uint64_t now)
{
	bpf_map_delete_elem(w->map, &one->endpoint.addr);
	if (one->sk >= 0)
		close(one->sk);
	one->sk = -1;
	one->back_ns = now;
}

void away_move(struct away *w, struct away_one *one, int ifindex, uint64_t now)
{
	struct kept kept = { .aside = one->aside };

	if (one->endpoint.ifindex)
		one->endpoint.ifindex = ifindex;
	one->probe.ifindex = ifindex;
	one->since_ns = now; /* it is asked often again */
	kept.endpoint = one->endpoint;
	kept.probe = one->probe;
	bpf_map_update_elem(w->map, &one->endpoint.addr, &kept, BPF_ANY);
}
