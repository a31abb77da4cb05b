/* SPDX-License-Identifier: GPL-2.0-only */
#include <string.h>
#include "agent.h"
#include "detour.h"

#define AVOID_NS 10000000000ULL /* after an unanswered SYN */

static void begin_as_before(struct avoid *v)
{
	if (v->until_ns)
		detour_prefer(&v->tuple, v->table, false);
	v->until_ns = 0;
}

/* One preference a peer: the last. */
static struct avoid *room(struct avoids *s, const struct mpb_tuple *t)
{
	struct avoid *v = NULL;

	for (struct avoid *i = s->one; i < s->one + AVOIDS_MAX; i++)
		if ((i->until_ns && !memcmp(i->tuple.daddr, t->daddr, sizeof(t->daddr))) || (!v && !i->until_ns))
			v = i;
	return v;
}

void avoid_peer(struct agent *a, const struct mpb_tuple *t, uint32_t table, uint64_t now)
{
	struct avoid *v = room(&a->avoids, t);

	if (!v)
		return;
	if (!v->until_ns || v->table != table) {
		begin_as_before(v);
		if (detour_prefer(t, table, true))
			return;
	}
	*v = (struct avoid){ .until_ns = now + AVOID_NS, .tuple = *t, .table = table };
}

/* Peers are few where rows are many: one that is avoided already costs no more than the comparison. */
static bool is_avoided(const struct avoids *s, const struct mpb_tuple *t)
{
	for (const struct avoid *v = s->one; v < s->one + AVOIDS_MAX; v++)
		if (v->until_ns && !memcmp(v->tuple.daddr, t->daddr, sizeof(t->daddr)) && !memcmp(v->tuple.saddr, t->saddr, sizeof(t->saddr)))
			return true;
	return false;
}

void avoid_path(struct agent *a, const struct in6_addr *addr)
{
	uint64_t now = agent_now();
	struct endpoint e;
	uint32_t table;
	int looked = 0;

	track_look(a);
	track_failed(a, addr, now);
	if (!a->syns.link || !agent_tunable(a, "syn_ms"))
		return;
	for (const struct agent_row *r = a->rows; r < a->rows + a->nrows && looked < AVOIDS_MAX; r++) {
		if (memcmp(r->tuple.saddr, addr, sizeof(*addr)) || is_avoided(&a->avoids, &r->tuple))
			continue;
		looked++;
		if (track_choose(a, &r->tuple, &e, &table))
			avoid_peer(a, &r->tuple, table, now);
	}
}

void avoid_look(struct agent *a, uint64_t now)
{
	for (struct avoid *v = a->avoids.one; v < a->avoids.one + AVOIDS_MAX; v++) {
		const struct away_one *away;
		struct in6_addr addr;

		if (!v->until_ns || now < v->until_ns)
			continue;
		memcpy(&addr, v->tuple.saddr, sizeof(addr));
		away = away_find(&a->away, &addr);
		if (!away || away->aside)
			begin_as_before(v);
	}
}

void avoid_stop(struct agent *a)
{
	for (struct avoid *v = a->avoids.one; v < a->avoids.one + AVOIDS_MAX; v++)
		begin_as_before(v);
}
