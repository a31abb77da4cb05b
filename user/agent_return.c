/* SPDX-License-Identifier: GPL-2.0-only */
/* Paths that are away: do they work again? */
#include <errno.h>
#include <ifaddrs.h>
#include <string.h>
#include "agent.h"
#include "dev.h"

#define MSEC 1000000ULL
#define SECOND (1000 * MSEC)
#define RETURN_NS (25 * MSEC)     /* between two probes of a path that is not used: at least so long, */
#define RETURN_MAX_NS SECOND      /* and at most */
#define RETURN_SHARE 80           /* else an 80th of the time that it has been away, until it answers */
#define SILENT_NS (200 * MSEC)    /* that does not answer for so long: it does not work */
#define RETRY_NS (30 * SECOND)    /* a path whose probes nobody answers is tried all the same */

static bool answers(const struct away_one *one, uint64_t now)
{
	return one->answered_ns && now - one->heard_ns < SILENT_NS;
}

static bool is_due(const struct away_one *one, uint64_t now)
{
	uint64_t every = (now - one->since_ns) / RETURN_SHARE;

	if (every < RETURN_NS || answers(one, now))
		every = RETURN_NS;
	return now - one->probed_ns >= (every > RETURN_MAX_NS ? RETURN_MAX_NS : every);
}

static bool is_there(const struct in6_addr *addr)
{
	struct ifaddrs *list;
	bool there;

	if (getifaddrs(&list))
		return true;
	there = dev_of_address(list, addr);
	freeifaddrs(list);
	return there;
}

/* Does a path that is not used work again? */
static void look_for_return(struct agent *a, struct away_one *one, uint64_t now)
{
	bool works;
	int err;

	if (probe_heard(one->sk)) {
		if (!answers(one, now))
			one->answered_ns = now;
		one->heard_ns = now;
	}
	if (one->probe.tuple.dport && is_due(one, now)) {
		if (one->sk < 0) /* without its address, or routes, there was none to be had */
			one->sk = probe_listen(&one->probe.tuple);
		probe_send(a->probes, &one->probe);
		one->probed_ns = now;
	}
	works = answers(one, now) && now - one->answered_ns >= one->hold_ns;
	if (!works && (now - one->since_ns < RETRY_NS || a->demand.single)) /* a lone path is not left for one that may not work */
		return;
	if (!works && !is_there(&one->endpoint.addr)) {
		one->since_ns = now;
		return;
	}
	demand_return(a);
	err = endpoint_add(&one->endpoint);
	if (err && err != -EEXIST) {
		one->since_ns = now;
		return agent_log(a, "failed", &one->endpoint.addr, "endpoint %d cannot be added: %s", one->endpoint.id, strerror(-err));
	}
	agent_log(a, "returned", &one->endpoint.addr, works ? "probes answered for %llu ms" : "tried again after %llu ms without an answer",
		  (unsigned long long)((now - (works ? one->answered_ns : one->since_ns)) / MSEC));
	away_back(&a->away, one, now);
}

bool agent_look_at_away(struct agent *a)
{
	bool away = false;

	for (int i = 0; i < AWAY_MAX; i++) {
		if (!a->away.one[i].since_ns || a->away.one[i].back_ns || a->away.one[i].aside)
			continue;
		away = true;
		look_for_return(a, &a->away.one[i], agent_now());
	}
	return away;
}
