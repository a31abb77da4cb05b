/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include "records.h"
#include "sight.h"
#include "snapshot.h"
#include "state.h"

void records_open(const struct ns *ns, struct records *r)
{
	r->conns = state_map(ns, "mpb_conns");
	r->subflows = state_map(ns, "mpb_subflows");
	r->steered = state_map(ns, "mpb_steered");
	r->sights = state_map(ns, "mpb_sights");
	r->waits = state_map(ns, "mpb_waits");
	r->past = state_map(ns, "mpb_past");
	r->watch = state_map(ns, "mpb_watch");
	r->deals = state_map(ns, "mpb_deals");
}

void records_close(struct records *r)
{
	const int fds[] = { r->conns, r->subflows, r->steered, r->sights, r->waits, r->past, r->watch, r->deals };

	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

int record_subflow(const struct records *r, const struct mpb_tuple *key, struct mpb_subflow *sf)
{
	return r->subflows < 0 || bpf_map_lookup_elem(r->subflows, key, sf) ? -ENOENT : 0;
}

int record_sight(const struct records *r, const struct mpb_tuple *key, struct mpb_sight *sight)
{
	return r->sights < 0 || bpf_map_lookup_elem(r->sights, key, sight) ? -ENOENT : 0;
}

int record_deal(const struct records *r, const struct mpb_tuple *key, struct mpb_deal *deal)
{
	return r->deals < 0 || bpf_map_lookup_elem(r->deals, key, deal) ? -ENOENT : 0;
}

int record_wait(const struct records *r, const struct mpb_waiter *key, struct mpb_wait *wait)
{
	return r->waits < 0 || bpf_map_lookup_elem(r->waits, key, wait) ? -ENOENT : 0;
}

uint64_t record_watch(const struct records *r, enum mpb_watch what)
{
	__u32 key = what;
	uint64_t n = 0;

	return r->watch < 0 || bpf_map_lookup_elem(r->watch, &key, &n) ? 0 : n;
}

#define PAST_CHUNK 128 /* records that are read at a time */

static int by_number(const void *a, const void *b)
{
	uint64_t x = ((const struct mpb_past *)a)->number, y = ((const struct mpb_past *)b)->number;

	return x < y ? -1 : x > y;
}

int records_past(const struct records *r, struct mpb_past **list)
{
	__u32 keys[PAST_CHUNK], at, count, had = 1;
	int n = 0, err = 0;

	*list = malloc((MPB_PAST_MAX + PAST_CHUNK) * sizeof(**list));
	/* It is filled from the front: behind a chunk that is empty all are. */
	for (__u32 read = 0; *list && r->past >= 0 && !err && had && read < MPB_PAST_MAX; read += count) {
		count = PAST_CHUNK;
		err = bpf_map_lookup_batch(r->past, read ? &at : NULL, &at, keys, *list + n, &count, NULL);
		if (err && errno != ENOENT)
			break;
		had = 0;
		for (__u32 i = 0; i < count; i++)
			if ((*list)[n + i].number)
				(*list)[n + had++] = (*list)[n + i];
		n += had;
	}
	if (n)
		qsort(*list, n, sizeof(**list), by_number);
	return n;
}

int record_conn(const struct records *r, uint32_t token, struct mpb_conn *conn)
{
	return r->conns < 0 || bpf_map_lookup_elem(r->conns, &token, conn) ? -ENOENT : 0;
}

int record_steered(const struct records *r, uint32_t token, struct mpb_steer *steer)
{
	return r->steered < 0 || bpf_map_lookup_elem(r->steered, &token, steer) ? -ENOENT : 0;
}

static int by_tuple(const void *a, const void *b)
{
	return memcmp(&((const struct mpb_snap *)a)->tuple, &((const struct mpb_snap *)b)->tuple, sizeof(struct mpb_tuple));
}

/* Delete the subflows that are recorded from before `start` and not alive. Keys are read ahead of the deletion, which would restart the walk. */
static void sweep_subflows(const struct records *r, const struct mpb_snap *live, int n, uint64_t start)
{
	struct mpb_snap key;
	struct mpb_tuple next;
	struct mpb_subflow sf;
	int more = !bpf_map_get_next_key(r->subflows, NULL, &next);

	while (more) {
		key.tuple = next;
		more = !bpf_map_get_next_key(r->subflows, &key.tuple, &next);
		if (bsearch(&key, live, n, sizeof(*live), by_tuple) || bpf_map_lookup_elem(r->subflows, &key.tuple, &sf) || sf.born_ns >= start)
			continue;
		bpf_map_delete_elem(r->subflows, &key.tuple);
		bpf_map_delete_elem(r->sights, &key.tuple);
		bpf_map_delete_elem(r->deals, &key.tuple);
	}
}

static int by_token(const void *a, const void *b)
{
	uint32_t x = ((const struct mpb_snap *)a)->token, y = ((const struct mpb_snap *)b)->token;

	return x < y ? -1 : x > y;
}

static void sweep_conns(int fd, int steered, const struct mpb_snap *live, int n, uint64_t start)
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
		bpf_map_delete_elem(steered, &key.token);
	}
}

static void sweep_waits(int fd, const struct mpb_snap *live, int n, uint64_t start)
{
	struct mpb_waiter next;
	struct mpb_wait wait;
	struct mpb_snap key;
	int more = !bpf_map_get_next_key(fd, NULL, &next);

	while (more) {
		struct mpb_waiter now = next;

		key.token = now.token;
		more = !bpf_map_get_next_key(fd, &now, &next);
		if (!bsearch(&key, live, n, sizeof(*live), by_token) && !bpf_map_lookup_elem(fd, &now, &wait) && wait.looked_ns < start)
			bpf_map_delete_elem(fd, &now);
	}
}

int records_sweep(const struct ns *ns)
{
	uint64_t start = monotonic_ns();
	struct mpb_snap *live = NULL;
	struct records r;
	int n = 0;

	records_open(ns, &r);
	if (r.conns >= 0 && r.subflows >= 0)
		n = snapshot_read(false, &live);
	if (live) {
		qsort(live, n, sizeof(*live), by_tuple);
		sweep_subflows(&r, live, n, start);
		qsort(live, n, sizeof(*live), by_token);
		sweep_conns(r.conns, r.steered, live, n, start);
		sweep_waits(r.waits, live, n, start);
	}
	free(live);
	records_close(&r);
	return n < 0 ? n : 0;
}
