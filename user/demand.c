/* SPDX-License-Identifier: GPL-2.0-only */
#include <ifaddrs.h>
#include <linux/mptcp.h>
#include <string.h>
#include "agent.h"
#include "demand.h"
#include "dev.h"
#include "paths.h"

#define SECOND 1000000000ULL

/* All addresses of endpoints, closed ones too, with what their paths cost. */
struct costs {
	struct mpb_paths paths;
	struct ifaddrs *ifaddrs;
	int n;
	struct endpoint endpoint[DEMAND_MAX];
	uint32_t cost[DEMAND_MAX];
};

/* The last that matches holds. */
static uint32_t cost_of(const struct costs *c, const struct endpoint *e)
{
	int dev = e->ifindex ? (int)e->ifindex : dev_of_address(c->ifaddrs, &e->addr);
	__be32 addr[4];
	uint32_t cost = 0;

	memcpy(addr, &e->addr, sizeof(addr));
	for (uint32_t i = 0; i < c->paths.n; i++)
		if (mpb_path_match(&c->paths.path[i], dev, addr, e->id))
			cost = c->paths.path[i].cost;
	return cost;
}

static int add_cost(const struct endpoint *e, void *arg)
{
	struct costs *c = arg;

	if (c->n < DEMAND_MAX && !(e->flags & MPTCP_PM_ADDR_FLAG_IMPLICIT)) {
		c->endpoint[c->n] = *e;
		c->cost[c->n++] = cost_of(c, e);
	}
	return 0;
}

static bool is_costly(const struct demand *d, const struct in6_addr *addr)
{
	for (int i = 0; i < d->ncostly; i++)
		if (!memcmp(&d->costly[i], addr, sizeof(*addr)))
			return true;
	return false;
}

/* Not while a connection has no other subflow. */
static void close_one(struct agent *a, const struct endpoint *e)
{
	struct mpb_tuple one;
	struct away_one *away;
	int lonely = 0;

	agent_read_rows(a);
	agent_users_of(a, &e->addr, &lonely, &one);
	if (lonely)
		return;
	away = away_add(&a->away, e, &(struct probe){}, true, agent_now());
	if (!away)
		return;
	agent_withdraw(a, &e->addr, 0);
	endpoint_del(e);
	agent_log(a, "parked", &e->addr, "its path costs more than others, which do; endpoint %d", e->id);
}

static void open_all(struct agent *a, const char *why)
{
	for (int i = 0; i < AWAY_MAX; i++) {
		struct away_one *one = &a->away.one[i];

		if (!one->aside || one->back_ns)
			continue;
		endpoint_add(&one->endpoint);
		agent_log(a, "opened", &one->endpoint.addr, "%s; endpoint %d", why, one->endpoint.id);
		away_back(&a->away, one, agent_now());
	}
}

static bool cheap_is_away(const struct agent *a)
{
	for (int i = 0; i < AWAY_MAX; i++) {
		const struct away_one *one = &a->away.one[i];

		if (one->since_ns && !one->back_ns && !one->aside && !is_costly(&a->demand, &one->endpoint.addr))
			return true;
	}
	return false;
}

static void find_costly(struct agent *a, struct costs *c)
{
	struct demand *d = &a->demand;
	uint32_t least = UINT32_MAX;

	memset(c, 0, sizeof(*c));
	paths_read(a->ns, &c->paths);
	if (!c->paths.n || getifaddrs(&c->ifaddrs))
		c->ifaddrs = NULL;
	endpoint_each(add_cost, c);
	for (int i = 0; i < AWAY_MAX; i++)
		if (a->away.one[i].since_ns && !a->away.one[i].back_ns)
			add_cost(&a->away.one[i].endpoint, c);
	if (c->ifaddrs)
		freeifaddrs(c->ifaddrs);
	for (int i = 0; i < c->n; i++)
		least = c->cost[i] < least ? c->cost[i] : least;
	d->ncostly = 0;
	for (int i = 0; i < c->n; i++)
		if (c->cost[i] > least)
			d->costly[d->ncostly++] = c->endpoint[i].addr;
}

void demand_look(struct agent *a, uint64_t now)
{
	struct demand *d = &a->demand;
	struct costs c;

	if (!d->on || now - d->looked_ns < SECOND)
		return;
	d->looked_ns = now;
	find_costly(a, &c);
	if (d->open && (cheap_is_away(a) || now - d->poor_ns < d->calm_ns))
		return;
	d->open = false;
	for (int i = 0; i < c.n; i++)
		if (is_costly(d, &c.endpoint[i].addr) && !away_find(&a->away, &c.endpoint[i].addr))
			close_one(a, &c.endpoint[i]);
}

void demand_poor(struct agent *a, const struct in6_addr *addr, const char *why)
{
	struct demand *d = &a->demand;

	if (!d->on || !d->looked_ns || is_costly(d, addr))
		return;
	d->poor_ns = agent_now();
	if (d->open)
		return;
	d->open = true;
	open_all(a, why);
	a->soon_ns = d->poor_ns;
}

/* What an agent before this one had closed is as it was until the first look. */
void demand_start(struct agent *a)
{
	a->demand.on = agent_tunable(a, "demand") && !endpoint_idle();
	a->demand.calm_ns = agent_tunable(a, "calm_s") * SECOND;
	if (!a->demand.on)
		open_all(a, "paths are not on demand");
}
