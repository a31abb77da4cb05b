/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <mptcp_bpf/steer.h>
#include "change.h"
#include "err.h"
#include "scheduler.h"
#include "sight.h"
#include "state.h"
#include "steer.h"

struct looking {
	struct teller *t;
	const struct filter *f;
	uint64_t now_ns;
};

static void tell(const struct looking *l, enum mpb_event_kind kind, const struct conn_view *c, const struct mpb_snap *s)
{
	struct mpb_event e = { .ns = l->now_ns, .token = c->token, .kind = kind, .tuple = s->tuple, .local_id = s->local_id, .remote_id = s->remote_id };

	if (kind == MPB_EV_FALLBACK)
		e.value = s->fallback;
	if (filter_event(l->f, event_word(&e), &e))
		event_tell(l->t, &e, sizeof(e));
}

static const struct conn_view *find(const struct conns *c, uint32_t token)
{
	int low = 0, high = c->n;

	while (low < high) {
		int mid = (low + high) / 2;

		if (c->list[mid].token < token)
			low = mid + 1;
		else
			high = mid;
	}
	return low < c->n && c->list[low].token == token ? &c->list[low] : NULL;
}

static bool was_stale(const struct conn_view *c, const struct mpb_tuple *tuple)
{
	for (int i = 0; c && i < c->nsubflows; i++)
		if (!memcmp(&c->subflows[i].snap->tuple, tuple, sizeof(*tuple)))
			return c->subflows[i].snap->stale;
	return false;
}

static void compare_conn(const struct looking *l, const struct conn_view *now, const struct conn_view *was)
{
	if (now->fallback && (!was || !was->fallback))
		tell(l, MPB_EV_FALLBACK, now, now->subflows[0].snap);
	for (int i = 0; i < now->nsubflows; i++) {
		const struct mpb_snap *s = now->subflows[i].snap;

		if (s->stale != was_stale(was, &s->tuple))
			tell(l, s->stale ? MPB_EV_STALE : MPB_EV_RECOVERED, now, s);
	}
}

/* Counters begin anew with the first load after the last unload. */
static uint64_t more(uint64_t now, uint64_t was)
{
	return now > was ? now - was : 0;
}

static void compare_tables(const struct looking *l, const struct conns *now, const struct conns *was)
{
	uint64_t subflows = more(now->counters.subflows_full, was->counters.subflows_full), conns = more(now->counters.conns_full, was->counters.conns_full);
	uint64_t waits = more(now->waits_full, was->waits_full);

	if ((subflows || conns || waits) && filter_event(l->f, "full", NULL))
		event_tell_other(l->t, "full", json_pack("{s:I,s:I,s:I}", "subflows", (json_int_t)subflows, "connections", (json_int_t)conns, "waits", (json_int_t)waits),
				 "table full: %llu subflows, %llu connections and %llu waits not recorded (--max-subflows)", (unsigned long long)subflows,
				 (unsigned long long)conns, (unsigned long long)waits);
}

static void compare_scheds(struct change *c, const struct looking *l)
{
	uint64_t used = steer_runs(l->t->ns) ? ~steer_slots(l->t->ns, 0) : 0;

	for (unsigned int slot = 1; slot < MPB_SLOTS; slot++) {
		char now[MPB_NAME_LEN] = "";

		if (used & 1ULL << slot)
			scheduler_name(l->t->ns, slot, now);
		if (c->looked && *now && *c->sched[slot] && strcmp(now, c->sched[slot]) && filter_event(l->f, "swap", NULL))
			event_tell_other(l->t, "swap", json_pack("{s:s,s:s}", "from", c->sched[slot], "to", now), "swap %s -> %s", c->sched[slot], now);
		memcpy(c->sched[slot], now, sizeof(now));
	}
	memcpy(l->t->sched, c->sched, sizeof(c->sched));
}

static void compare_losses(struct change *c, const struct looking *l)
{
	__u32 what = MPB_WATCH_UNTOLD;
	uint64_t untold = c->untold, lost;
	int fd = state_map(l->t->ns, "mpb_watch");

	if (fd < 0)
		return;
	bpf_map_lookup_elem(fd, &what, &untold);
	close(fd);
	lost = more(untold, c->untold);
	if (c->looked && lost && filter_event(l->f, "lost", NULL))
		event_tell_other(l->t, "lost", json_pack("{s:I}", "count", (json_int_t)lost), "%llu events lost: they came faster than they were read",
				 (unsigned long long)lost);
	c->untold = untold;
}

int change_look(struct change *c, struct teller *t, const struct filter *f)
{
	struct looking l = { .t = t, .f = f, .now_ns = monotonic_ns() };
	struct conns now;
	int err = conns_read(t->ns, 0, &now);

	if (err)
		return err;
	for (int i = 0; c->looked && i < now.n; i++)
		compare_conn(&l, &now.list[i], find(&c->before, now.list[i].token));
	if (c->looked)
		compare_tables(&l, &now, &c->before);
	compare_scheds(c, &l);
	compare_losses(c, &l);
	converters_look(&c->converters, !c->looked, t, f);
	conns_free(&c->before);
	c->before = now;
	c->looked = true;
	return 0;
}

void change_free(struct change *c)
{
	conns_free(&c->before);
}
