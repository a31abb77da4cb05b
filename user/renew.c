/* SPDX-License-Identifier: GPL-2.0-only */
#include <ifaddrs.h>
#include <linux/mptcp.h>
#include <string.h>
#include "agent.h"
#include "dev.h"

#define FIRST_NS 100000000ULL /* between the first two tries; each next time twice as long */
#define TRIES_MAX 9           /* so for 26 s */
#define AGAIN_NS (60 * 1000000000ULL)

static struct renewal *find(struct agent *a, const struct in6_addr *addr)
{
	struct renewal *oldest = a->renewals;

	for (struct renewal *r = a->renewals; r < a->renewals + RENEWALS_MAX; r++) {
		if (r->at_ns && !memcmp(&r->addr, addr, sizeof(*addr)))
			return r;
		if (r->at_ns < oldest->at_ns)
			oldest = r;
	}
	memset(oldest, 0, sizeof(*oldest));
	oldest->addr = *addr;
	return oldest;
}

void renew_address(struct agent *a, const struct in6_addr *addr, int ifindex)
{
	struct away_one *away = away_find(&a->away, addr);
	uint64_t now = agent_now();
	struct endpoint endpoint;
	struct renewal *r;

	if (away) {
		away_move(&a->away, away, ifindex, now);
		return;
	}
	if (endpoint_find(addr, &endpoint) || endpoint.flags & MPTCP_PM_ADDR_FLAG_IMPLICIT)
		return;
	r = find(a, addr);
	if (r->at_ns && r->ifindex == ifindex && now < r->at_ns + AGAIN_NS) /* events repeat */
		return;
	r->ifindex = ifindex;
	r->tries = 0;
	r->at_ns = now;
}

struct wanted {
	struct agent *agent;
	struct ifaddrs *list;
	int ifindex;
};

static int look_at(const struct endpoint *e, void *arg)
{
	struct wanted *w = arg;

	if (dev_of_address(w->list, &e->addr) == w->ifindex)
		renew_address(w->agent, &e->addr, w->ifindex);
	return 0;
}

void renew_device(struct agent *a, int ifindex)
{
	struct wanted w = { .agent = a, .ifindex = ifindex };

	if (getifaddrs(&w.list))
		return;
	endpoint_each(look_at, &w);
	freeifaddrs(w.list);
}

/* Is there anything to gain: another device, or a connection, where none has the address in use? */
static bool is_wanted(struct agent *a, const struct renewal *r, struct endpoint *e, int *connections)
{
	struct mpb_tuple one;
	int lonely;

	if (away_find(&a->away, &r->addr) || endpoint_idle() || endpoint_find(&r->addr, e))
		return false;
	agent_read_rows(a);
	*connections = agent_connections_like(a, &r->addr);
	return !agent_users_of(a, &r->addr, &lonely, &one) && (*connections || (e->ifindex && (int)e->ifindex != r->ifindex));
}

static void try(struct agent *a, struct renewal *r)
{
	struct endpoint e;
	int connections, err;

	if (agent_discover(a) || !is_wanted(a, r, &e, &connections)) { /* what has joined a moment ago counts */
		r->tries = TRIES_MAX;
		return;
	}
	err = endpoint_del(&e);
	if (e.ifindex)
		e.ifindex = r->ifindex;
	if (!err)
		err = endpoint_add(&e);
	if (err || !r->tries)
		agent_log(a, err ? "failed" : "renewed", &e.addr, "the address is there, and nobody uses it; endpoint %d, connections %d%s%s", e.id, connections,
			  err ? ": " : "", err ? strerror(-err) : "");
	a->soon_ns = agent_now();
}

void renew_look(struct agent *a, uint64_t now)
{
	for (struct renewal *r = a->renewals; r < a->renewals + RENEWALS_MAX; r++) {
		if (!r->at_ns || r->tries == TRIES_MAX || now < r->at_ns)
			continue;
		try(a, r);
		if (r->tries < TRIES_MAX)
			r->at_ns = now + (FIRST_NS << r->tries++);
	}
}
