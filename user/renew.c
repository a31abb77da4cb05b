/* SPDX-License-Identifier: GPL-2.0-only */
#include <ifaddrs.h>
#include <linux/mptcp.h>
#include <string.h>
#include "agent.h"
#include "dev.h"

#define FIRST_NS 100000000ULL /* between the first two tries; each next time twice as long */
#define TRIES_MAX 9           /* so for 26 s */
#define SECOND 1000000000ULL
#define HOLD_NS (5 * SECOND)       /* between two renewals of one endpoint, */
#define HOLD_VAIN_NS (60 * SECOND) /* and after one that was in vain */

static struct renewal *find(struct agent *a, const struct in6_addr *addr)
{
	struct renewal *oldest = a->renew.one;

	for (struct renewal *r = a->renew.one; r < a->renew.one + RENEWALS_MAX; r++) {
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
	if (r->at_ns && r->ifindex == ifindex && (r->tries < TRIES_MAX || now < r->hold_ns)) /* events repeat */
		return;
	r->ifindex = ifindex;
	r->tries = 0;
	r->at_ns = now;
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
		r->hold_ns = agent_now() + HOLD_NS;
		return;
	}
	err = endpoint_del(&e);
	if (e.ifindex)
		e.ifindex = r->ifindex;
	if (!err)
		err = endpoint_add(&e);
	if (err || !r->tries)
		agent_log(a, err ? "failed" : "renewed", &e.addr, "the address is there, and nothing uses it; endpoint %d, connections %d%s%s", e.id, connections,
			  err ? ": " : "", err ? strerror(-err) : "");
	a->soon_ns = agent_now();
}

static bool lives(const struct agent *a, uint32_t token)
{
	for (const struct agent_row *r = a->rows; r < a->rows + a->nrows; r++)
		if (r->clock.open && r->clock.token == token)
			return true;
	return false;
}

/* The connection goes on, and nothing is left that leaves by the address. */
static bool is_lost(const struct agent *a, const struct renew_use *u)
{
	struct mpb_tuple one;
	int lonely;

	return lives(a, u->token) && !agent_users_of(a, &u->addr, &lonely, &one);
}

static void renew_lost(struct agent *a, const struct in6_addr *addr)
{
	struct endpoint e;
	struct ifaddrs *list;
	int dev;

	if (away_find(&a->away, addr) || endpoint_idle() || endpoint_find(addr, &e) ||
	    !(e.flags & (MPTCP_PM_ADDR_FLAG_SUBFLOW | MPTCP_PM_ADDR_FLAG_FULLMESH)) || getifaddrs(&list))
		return;
	dev = dev_of_address(list, addr);
	freeifaddrs(list);
	if (dev)
		renew_address(a, addr, dev);
}

static void remember(struct renew *w, const struct agent_row *r)
{
	for (int i = 0; i < w->nuses; i++)
		if (!memcmp(&w->use[i].addr, r->tuple.saddr, sizeof(w->use[i].addr)))
			return;
	if (!r->clock.open || w->nuses == RENEWALS_MAX)
		return;
	memcpy(&w->use[w->nuses].addr, r->tuple.saddr, sizeof(w->use[0].addr));
	w->use[w->nuses++].token = r->clock.token;
}

/* What is lost is remembered until it is back, or its connection has ended. */
static void look_for_lost(struct agent *a)
{
	struct renew *w = &a->renew;
	int n = 0;

	agent_read_rows(a);
	for (int i = 0; i < w->nuses; i++)
		if (is_lost(a, &w->use[i]))
			w->use[n++] = w->use[i];
	w->nuses = n;
	for (int i = 0; i < n; i++)
		renew_lost(a, &w->use[i].addr);
	for (const struct agent_row *r = a->rows; r < a->rows + a->nrows; r++)
		remember(w, r);
}

void renew_look(struct agent *a, uint64_t now)
{
	if (now - a->renew.looked_ns >= SECOND) {
		a->renew.looked_ns = now;
		look_for_lost(a);
		track_look(a);
	}
	for (struct renewal *r = a->renew.one; r < a->renew.one + RENEWALS_MAX; r++) {
		if (!r->at_ns || r->tries == TRIES_MAX || now < r->at_ns)
			continue;
		try(a, r);
		if (r->tries == TRIES_MAX)
			continue;
		r->at_ns = now + (FIRST_NS << r->tries++);
		r->hold_ns = now + HOLD_VAIN_NS;
	}
}
