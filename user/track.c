/* SPDX-License-Identifier: GPL-2.0-only */
#include <ifaddrs.h>
#include <linux/mptcp.h>
#include <string.h>
#include "agent.h"
#include "detour.h"
#include "dev.h"

#define LATELY_NS 60000000000ULL
#define TRIES_MAX 16 /* endpoints that are looked at */

static struct track *find(struct tracks *t, const struct in6_addr *addr)
{
	for (struct track *i = t->one; i < t->one + t->n; i++)
		if (!memcmp(&i->addr, addr, sizeof(*addr)))
			return i;
	return NULL;
}

static uint64_t last_ns(const struct track *t)
{
	return t->heard_ns > t->failed_ns ? t->heard_ns : t->failed_ns;
}

/* Of more addresses than there is room for, the one of which nothing has been known for longest makes it. */
static struct track *make(struct tracks *t, const struct in6_addr *addr)
{
	struct track *i = find(t, addr);

	if (i)
		return i;
	i = t->one;
	if (t->n < TRACKS_MAX) {
		i = &t->one[t->n++];
	} else {
		for (struct track *k = t->one; k < t->one + t->n; k++)
			if (last_ns(k) < last_ns(i))
				i = k;
	}
	*i = (struct track){ .addr = *addr };
	return i;
}

void track_look(struct agent *a)
{
	for (const struct agent_row *r = a->rows; r < a->rows + a->nrows; r++) {
		struct in6_addr addr;
		struct track *t;

		if (!r->clock.srtt_us) /* nothing has come in since it is watched */
			continue;
		memcpy(&addr, r->tuple.saddr, sizeof(addr));
		t = make(&a->tracks, &addr);
		if (r->clock.heard_ns <= t->heard_ns)
			continue;
		t->heard_ns = r->clock.heard_ns;
		t->srtt_us = r->clock.srtt_us;
	}
}

void track_failed(struct agent *a, const struct in6_addr *addr, uint64_t now)
{
	make(&a->tracks, addr)->failed_ns = now;
}

struct tries {
	struct endpoint endpoint[TRIES_MAX];
	int n;
	bool v4;
};

static int add_try(const struct endpoint *e, void *arg)
{
	struct tries *t = arg;

	if (t->n < TRIES_MAX && IN6_IS_ADDR_V4MAPPED(&e->addr) == t->v4 && !(e->flags & MPTCP_PM_ADDR_FLAG_IMPLICIT))
		t->endpoint[t->n++] = *e;
	return 0;
}

static bool better(const struct track *x, const struct track *y, uint64_t now)
{
	static const struct track none;
	bool failed, other;

	x = x ? x : &none;
	y = y ? y : &none;
	failed = x->failed_ns > x->heard_ns;
	other = y->failed_ns > y->heard_ns;
	if (failed || other)
		return failed && other ? x->failed_ns < y->failed_ns : other;
	failed = !x->heard_ns || now - x->heard_ns > LATELY_NS;
	other = !y->heard_ns || now - y->heard_ns > LATELY_NS;
	return failed || other ? other && !failed : x->srtt_us < y->srtt_us;
}

static bool leads(const struct ifaddrs *list, const struct endpoint *e, const struct mpb_tuple *t, uint32_t *table)
{
	int dev = dev_of_address(list, &e->addr), out;
	struct in6_addr to;

	memcpy(&to, t->daddr, sizeof(to));
	return dev && memcmp(&e->addr, t->saddr, sizeof(e->addr)) && !detour_route(&e->addr, &to, &out, table) && out == dev && *table;
}

/* Where nothing is known, the endpoint after that of the present address. */
bool track_choose(const struct agent *a, const struct mpb_tuple *t, struct endpoint *chosen, uint32_t *table)
{
	struct tries tries = { .v4 = IN6_IS_ADDR_V4MAPPED(t->saddr) };
	const struct track *best = NULL;
	struct tracks tracks = a->tracks;
	uint64_t now = agent_now();
	struct ifaddrs *list;
	bool found = false;
	uint32_t route;
	int from = 0;

	endpoint_each(add_try, &tries);
	if (getifaddrs(&list))
		return false;
	for (int i = 0; i < tries.n; i++)
		if (!memcmp(&tries.endpoint[i].addr, t->saddr, sizeof(tries.endpoint[i].addr)))
			from = i + 1;
	for (int i = 0; i < tries.n; i++) {
		const struct endpoint *e = &tries.endpoint[(from + i) % tries.n];
		const struct track *track = find(&tracks, &e->addr);

		if (!leads(list, e, t, &route) || (found && !better(track, best, now)))
			continue;
		*chosen = *e;
		*table = route;
		best = track;
		found = true;
	}
	freeifaddrs(list);
	return found;
}
