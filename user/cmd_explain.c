/* SPDX-License-Identifier: GPL-2.0-only */
/* Why a connection uses its paths as it does: what the policy last saw and answered, the rule that chose it, the stock scheduler's choice, limits. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <mptcp_bpf/rule.h>
#include <mptcp_bpf/steer.h>
#include "cmd.h"
#include "conn.h"
#include "err.h"
#include "filter.h"
#include "limit.h"
#include "out.h"
#include "records.h"
#include "rules.h"
#include "sight.h"

struct explanation {
	const struct conn_view *c;
	const struct subflow_view *stock;
	struct mpb_steer steer;
	bool steered;
	unsigned int rule; /* its number in `rule list`; 0: none */
	uint64_t now_ns;
};

/* The first rule that gives this scheduler and whose addresses, ports and mark are the connection's. The runtime alone knows cgroups: a rule that looks at
 * one is taken to match. */
static unsigned int find_rule(const struct ns *ns, const struct mpb_snap *first, unsigned int slot)
{
	struct mpb_rules rules;

	rules_read(ns, &rules);
	for (unsigned int i = 0; i < rules.n; i++) {
		const struct mpb_rule *r = &rules.rule[i];

		if (r->sched != slot || (r->by & MPB_BY_PEER && !mpb_prefix_match(first->tuple.daddr, r->peer, r->peer_bits)) ||
		    (r->by & MPB_BY_PEER_PORT && __builtin_bswap16(first->tuple.dport) != r->peer_port) ||
		    (r->by & MPB_BY_LOCAL_PORT && __builtin_bswap16(first->tuple.sport) != r->local_port) || (r->by & MPB_BY_MARK && first->mark != r->mark))
			continue;
		return i + 1;
	}
	return 0;
}

/* The place of a subflow in the policy's view; -1: it has none. */
static int place(const struct explanation *e, const struct subflow_view *v)
{
	for (int i = 0; e->steered && i < MPB_SUBFLOWS; i++)
		if (e->steer.used & mpb_bit(i) && !memcmp(&e->steer.tuple[i], &v->snap->tuple, sizeof(v->snap->tuple)))
			return i;
	return -1;
}

static bool is_in(mpb_set set, int i)
{
	return i >= 0 && set & mpb_bit(i);
}

/* What the policy wanted, as it was put in force: those that are alive and that it did not make backup. */
static mpb_set wanted(const struct explanation *e)
{
	return e->steer.view.alive & ~e->steer.backup;
}

static json_t *view_json(const struct explanation *e, const struct subflow_view *v)
{
	int i = place(e, v);
	const struct mpb_sf *sf = i >= 0 ? &e->steer.view.sf[i] : NULL;

	if (!sf)
		return json_null();
	return json_pack("{s:b,s:b,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "alive", is_in(e->steer.view.alive, i), "chosen", is_in(wanted(e), i), "srtt_us",
			 (json_int_t)sf->srtt_us, "cwnd", (json_int_t)sf->cwnd, "inflight", (json_int_t)sf->inflight, "unsent", (json_int_t)sf->unsent,
			 "delivery_bps", (json_int_t)sf->delivery * 8, "lost", (json_int_t)sf->lost, "weight", (json_int_t)sf->weight, "cost",
			 (json_int_t)sf->cost, "path_bps", (json_int_t)sf->rate * 8, "paced_bps", (json_int_t)e->steer.ask.rate[i] * 8);
}

static void explain_json(const struct explanation *e)
{
	json_t *subflows = json_array(), *o;
	char token[16];

	for (int i = 0; i < e->c->nsubflows; i++) {
		const struct subflow_view *v = &e->c->subflows[i];

		json_array_append_new(subflows, json_pack("{s:i,s:s,s:s,s:s,s:s,s:b,s:I,s:o}", "id", v->id, "local", v->local, "remote", v->remote, "dev", v->dev,
							  "limit", limit_word(e->c, v), "stock_choice", v == e->stock, "stock_queue_ns",
							  (json_int_t)limit_stock_ns(v->snap), "view", view_json(e, v)));
	}
	snprintf(token, sizeof(token), "0x%08x", e->c->token);
	o = json_pack("{s:s,s:s,s:s,s:o}", "token", token, "sched", e->c->sched, "backend", e->c->backend, "subflows", subflows);
	if (e->steered)
		json_object_set_new(o, "decision", json_pack("{s:I,s:s,s:I,s:I,s:I}", "age_us", (json_int_t)((e->now_ns - e->steer.view.now_ns) / 1000), "reason",
							     why_word(e->steer.ask.why), "queued", (json_int_t)e->steer.view.queued, "inflight",
							     (json_int_t)e->steer.view.inflight, "window", (json_int_t)e->steer.view.window));
	if (e->rule)
		json_object_set_new(o, "rule", json_integer(e->rule));
	out_json(o);
	json_decref(o);
}

static void head_text(const struct explanation *e)
{
	char queued[16], inflight[16], window[16];

	printf("0x%08x to %s: scheduler %s, by %s", e->c->token, e->c->subflows[0].remote, e->c->sched, e->c->backend);
	if (e->rule)
		printf(", as rule %u says", e->rule);
	putchar('\n');
	if (!e->steered) {
		puts("  no policy of ours decides on it");
		return;
	}
	printf("  %.1f ms ago the policy saw %sB queued, %sB in flight, %sB of window, and chose", (e->now_ns - e->steer.view.now_ns) / 1e6,
	       out_human(e->steer.view.queued, queued), out_human(e->steer.view.inflight, inflight), out_human(e->steer.view.window, window));
	for (int i = 0; i < e->c->nsubflows; i++)
		if (is_in(wanted(e), place(e, &e->c->subflows[i])))
			printf(" %d", e->c->subflows[i].id);
	printf(" (%s)\n", why_word(e->steer.ask.why));
}

static void subflow_text(const struct explanation *e, const struct subflow_view *v)
{
	int i = place(e, v);
	char paced[24];

	printf("  %d %s>%s %s: %s%s; limited by: %s\n", v->id, v->local, v->remote, v->dev,
	       i < 0 ? "no policy looks at it" :
	       is_in(wanted(e), i) ? "may carry data" :
	       is_in(e->steer.view.alive, i) ? "held back" : "not alive",
	       v == e->stock ? "; the stock scheduler would take it" : "", limit_word(e->c, v));
	printf("    now: srtt %.2f ms, cwnd %u, in flight %u, unsent %u B; its queue lasts %.2f ms by the stock reckoning\n", v->snap->srtt_us / 1000.0,
	       v->snap->cwnd, v->snap->inflight, v->snap->unsent, limit_stock_ns(v->snap) / 1e6);
	if (i < 0)
		return;
	printf("    seen: srtt %.2f ms, cwnd %u, in flight %u, unsent %u B, weight %u, cost %u", e->steer.view.sf[i].srtt_us / 1000.0, e->steer.view.sf[i].cwnd,
	       e->steer.view.sf[i].inflight, e->steer.view.sf[i].unsent, e->steer.view.sf[i].weight, e->steer.view.sf[i].cost);
	if (e->steer.ask.rate[i])
		printf(", paced at %sbit/s", out_human(e->steer.ask.rate[i] * 8, paced));
	putchar('\n');
}

int cmd_explain(const struct args *a)
{
	struct explanation e = {};
	struct conns conns;
	struct records r;
	struct filter f;
	struct ns ns;
	int err;

	err = filter_parse(a, 0, &f);
	if (!err && !f.token)
		err = err_usage("explain", "needs the token of a connection; 'mptcp-bpf stat' shows them");
	if (!err)
		err = ns_enter(a->netns, &ns);
	if (!err)
		err = conns_read(&ns, 0, &conns);
	if (err)
		return err;
	for (int i = 0; i < conns.n; i++)
		if (conns.list[i].token == f.token)
			e.c = &conns.list[i];
	if (!e.c) {
		conns_free(&conns);
		return err_fail(ENOENT, a->words[1], "no connection has this token here");
	}
	records_open(&ns, &r);
	e.steered = !record_steered(&r, f.token, &e.steer) && e.steer.slot;
	records_close(&r);
	e.now_ns = monotonic_ns();
	e.stock = limit_stock_choice(e.c);
	if (e.steered)
		e.rule = find_rule(&ns, e.c->subflows[0].snap, e.steer.slot);
	if (a->json) {
		explain_json(&e);
	} else {
		head_text(&e);
		for (int i = 0; i < e.c->nsubflows; i++)
			subflow_text(&e, &e.c->subflows[i]);
	}
	conns_free(&conns);
	return 0;
}
