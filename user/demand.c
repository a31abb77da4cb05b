/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <ifaddrs.h>
#include <linux/mptcp.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include "agent.h"
#include "cgroup.h"
#include "demand.h"
#include "dev.h"
#include "err.h"
#include "paths.h"
#include "state.h"

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

/* Unless forced, not while a connection has no other subflow. */
static void close_one(struct agent *a, const struct endpoint *e, bool forced)
{
	struct mpb_tuple one;
	struct away_one *away;
	int lonely = 0;

	agent_read_rows(a);
	agent_users_of(a, &e->addr, &lonely, &one);
	if (lonely && !forced)
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

static void forget_costly(struct demand *d)
{
	for (int i = 0; d->map && i < d->ncostly; i++)
		bpf_map_delete_elem(d->map, &d->costly[i]);
	d->ncostly = 0;
}

static void add_costly(struct demand *d, const struct in6_addr *addr)
{
	const uint8_t one = 1;

	d->costly[d->ncostly++] = *addr;
	if (d->map)
		bpf_map_update_elem(d->map, addr, &one, BPF_ANY);
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
	forget_costly(d);
	for (int i = 0; i < c->n; i++)
		if (c->cost[i] > least)
			add_costly(d, &c->endpoint[i].addr);
}

void demand_look(struct agent *a, uint64_t now)
{
	struct demand *d = &a->demand;
	struct costs c;

	if (!d->on || now - d->looked_ns < SECOND)
		return;
	d->looked_ns = now;
	find_costly(a, &c);
	if (d->open && (cheap_is_away(a) || now < d->poor_ns + d->calm_ns)) /* it may have been poor a moment ago, after `now` */
		return;
	d->open = false;
	for (int i = 0; i < c.n; i++)
		if (is_costly(d, &c.endpoint[i].addr) && !away_find(&a->away, &c.endpoint[i].addr))
			close_one(a, &c.endpoint[i], false);
}

bool demand_may(const struct agent *a, uint32_t token)
{
	struct mpb_conn conn;

	return a->demand.conns < 0 || bpf_map_lookup_elem(a->demand.conns, &token, &conn) || conn.demand != MPB_DEMAND_NO;
}

/* Counts the subflows from the address whose connections ask for costly paths, and those whose do not. */
static void count_asking(const struct agent *a, const struct in6_addr *addr, int *asking, int *others)
{
	*asking = *others = 0;
	for (const struct agent_row *r = a->rows; r < a->rows + a->nrows; r++)
		if (r->clock.token && r->clock.open && !memcmp(r->tuple.saddr, addr, sizeof(*addr)))
			++*(demand_may(a, r->clock.token) ? asking : others);
}

static bool is_parked(const struct agent *a)
{
	for (int i = 0; i < AWAY_MAX; i++)
		if (a->away.one[i].aside && !a->away.one[i].back_ns)
			return true;
	return false;
}

/* First the path goes, and with it what may be the only subflow of a connection; the kernel keeps that for a while. A path that was only poor is not taken up
 * again before it has worked as long as one is calm. */
static bool leave_first(struct agent *a, const struct in6_addr *addr, const struct mpb_clock_event *e, const char *why)
{
	struct probe probe = {};
	struct endpoint endpoint;
	struct away_one *away;
	int users, lonely;

	if (endpoint_find(addr, &endpoint) || endpoint.flags & MPTCP_PM_ADDR_FLAG_IMPLICIT)
		return false;
	users = agent_users_of(a, addr, &lonely, &probe.tuple);
	if (e)
		agent_probe(e, &probe);
	agent_leave(a, &endpoint, &probe, users, why);
	away = away_find(&a->away, addr);
	if (away && e && e->what == MPB_CLOCK_POOR && away->hold_ns < a->demand.calm_ns)
		away->hold_ns = a->demand.calm_ns;
	return true;
}

void demand_open(struct agent *a, const struct in6_addr *addr, const char *why)
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

bool demand_poor(struct agent *a, const struct in6_addr *addr, const struct mpb_clock_event *e, const char *why)
{
	struct demand *d = &a->demand;
	int asking, others, lonely;
	struct mpb_tuple one;
	bool left = false;

	if (!d->on || !d->looked_ns || is_costly(d, addr))
		return false;
	count_asking(a, addr, &asking, &others);
	if (!asking)
		return false;
	agent_users_of(a, addr, &lonely, &one);
	if (d->single && !d->open && !lonely) /* all have another path that costs no more */
		return false;
	if (d->single && !d->open && !others && is_parked(a))
		left = leave_first(a, addr, e, why);
	demand_open(a, addr, why);
	if (left)
		avoid_path(a, addr); /* now there is another one */
	return left;
}

void demand_return(struct agent *a)
{
	struct demand *d = &a->demand;
	struct endpoint e;

	if (!d->single || !d->open)
		return;
	d->open = false;
	for (int i = 0; i < d->ncostly; i++)
		if (!endpoint_find(&d->costly[i], &e))
			close_one(a, &e, true);
}

static int load(struct agent *a)
{
	static const char *const programs[] = { "demand_c4", "demand_c6" };
	struct demand *d = &a->demand;
	int root, err = policy_open("demand", &d->policy);
	uint64_t *cookie;
	size_t size;

	if (err)
		return err;
	cookie = bpf_map__initial_value(bpf_object__find_map_by_name(d->policy.obj, ".rodata"), &size);
	*cookie = a->ns->cookie;
	err = bpf_map__reuse_fd(bpf_object__find_map_by_name(d->policy.obj, "mpb_conns"), d->conns);
	if (!err)
		err = policy_load("demand", &d->policy);
	root = err ? err : cgroup_root();
	if (root < 0)
		return root;
	for (int i = 0; !err && i < 2; i++) {
		d->links[i] = bpf_program__attach_cgroup(bpf_object__find_program_by_name(d->policy.obj, programs[i]), root);
		err = d->links[i] ? 0 : -errno;
	}
	close(root);
	d->map = err ? 0 : bpf_object__find_map_fd_by_name(d->policy.obj, "mpb_costly");
	return err;
}

static void unload(struct demand *d)
{
	for (int i = 0; i < 2; i++)
		bpf_link__destroy(d->links[i]);
	policy_close(&d->policy);
	d->links[0] = d->links[1] = NULL;
	d->policy = (struct policy){};
	d->map = 0;
	d->ncostly = 0;
}

/* What an agent before this one had closed is as it was until the first look. */
void demand_start(struct agent *a)
{
	struct demand *d = &a->demand;

	d->on = agent_tunable(a, "demand") && !endpoint_idle();
	d->single = d->on && agent_tunable(a, "single");
	d->calm_ns = agent_tunable(a, "calm_s") * SECOND;
	if (d->conns <= 0)
		d->conns = state_map(a->ns, "mpb_conns");
	if (!d->on) {
		unload(d);
		open_all(a, "paths are not on demand");
	} else if (!d->map && load(a)) {
		err_clear();
		policy_hush();
		unload(d);
		note("mptcp-bpf: rules cannot keep connections off costly paths here: all join those that one has opened");
	}
}

void demand_stop(struct agent *a)
{
	unload(&a->demand);
	if (a->demand.conns > 0)
		close(a->demand.conns);
}
