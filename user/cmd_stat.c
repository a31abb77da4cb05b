/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cmd.h"
#include "conn.h"
#include "err.h"
#include "out.h"
#include "pin.h"
#include "state.h"
#include "steer.h"

static json_t *subflow_json(const struct subflow_view *v)
{
	const struct mpb_snap *s = v->snap;

	return json_pack("{s:i,s:s,s:s,s:s,s:s,s:s,s:b,s:i,s:i,s:i,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:b,s:b}", "id", v->id, "local", v->local, "remote",
			 v->remote, "dev", v->dev, "cc", s->cc, "state", tcp_state_word(s->state), "backup", s->backup || s->request_bkup, "local_id",
			 s->local_id, "remote_id", s->remote_id, "lost", s->lost, "srtt_us", (json_int_t)s->srtt_us, "cwnd", (json_int_t)s->cwnd,
			 "inflight", (json_int_t)s->inflight, "unsent", (json_int_t)s->unsent, "pacing_bps", (json_int_t)v->pacing_bps, "delivery_bps",
			 (json_int_t)v->delivery_bps, "bytes_sent", (json_int_t)s->bytes_sent, "bytes_acked", (json_int_t)s->bytes_acked,
			 "bytes_retrans", (json_int_t)s->bytes_retrans, "flips", (json_int_t)v->flips, "stale", s->stale, "locked", s->request_bkup);
}

static json_t *conn_json(const struct conn_view *c)
{
	json_t *subflows = json_array(), *o;
	char token[16];

	for (int i = 0; i < c->nsubflows; i++)
		json_array_append_new(subflows, subflow_json(&c->subflows[i]));
	snprintf(token, sizeof(token), "0x%08x", c->token);
	o = json_pack("{s:s,s:s,s:s,s:s,s:b,s:I,s:I}", "token", token, "state", tcp_state_word(c->state), "sched", c->sched, "backend", c->backend, "fallback",
		      c->fallback, "bytes_sent", (json_int_t)c->bytes_sent, "bytes_acked", (json_int_t)c->bytes_acked);
	if (c->age_ms >= 0)
		json_object_set_new(o, "age_ms", json_integer(c->age_ms));
	json_object_set_new(o, "subflows", subflows);
	return o;
}

static void conn_text(const struct conn_view *c)
{
	char sent[16], acked[16], pacing[16], delivery[16], bytes[16], retrans[16], unsent[16];

	printf("0x%08x %s sched=%s backend=%s subflows=%d sent=%sB acked=%sB%s\n", c->token, tcp_state_word(c->state), c->sched, c->backend, c->nsubflows,
	       out_human(c->bytes_sent, sent), out_human(c->bytes_acked, acked), c->fallback ? " FALLBACK to TCP" : "");
	printf("  %2s %-23s %-23s %-9s %-8s %-9s %1s %8s %5s %6s %7s %8s %8s %7s %7s %5s %5s\n", "ID", "LOCAL", "REMOTE", "DEV", "CC", "STATE", "B", "SRTT(ms)",
	       "CWND", "FLIGHT", "UNSENT", "PACE b/s", "RATE b/s", "SENT", "RETRANS", "LOST", "FLIPS");
	for (int i = 0; i < c->nsubflows; i++) {
		const struct subflow_view *v = &c->subflows[i];
		const struct mpb_snap *s = v->snap;

		printf("  %2d %-23s %-23s %-9s %-8s %-9s %1s %8.2f %5u %6u %7s %8s %8s %7s %7s %5u %5u\n", v->id, v->local, v->remote, v->dev, s->cc,
		       tcp_state_word(s->state), s->request_bkup ? "L" : s->backup ? "b" : "-", s->srtt_us / 1000.0, s->cwnd, s->inflight,
		       out_human(s->unsent, unsent), out_human(v->pacing_bps, pacing), out_human(v->delivery_bps, delivery),
		       out_human(s->bytes_sent, bytes), out_human(s->bytes_retrans, retrans), s->lost, v->flips);
	}
}

static int token_parse(const char *word, uint32_t *token)
{
	uint64_t n;
	int err = number_parse("token", word, 1, UINT32_MAX, &n);

	*token = n;
	return err;
}

static void put_counters(const char *name, json_t *counters)
{
	printf(",\"%s\":", name);
	json_dumpf(counters, stdout, JSON_COMPACT);
	json_decref(counters);
}

/* A connection at a time: a tree of 65,536 of them takes 370 MB. */
static void stat_json(const struct ns *ns, const struct conns *conns, uint32_t token)
{
	struct mpb_steer_counts steer;
	const char *comma = "";

	printf("{\"netns\":%" PRIu64 ",\"connections\":[", ns->cookie);
	for (int i = 0; i < conns->n; i++) {
		json_t *o;

		if (token && conns->list[i].token != token)
			continue;
		o = conn_json(&conns->list[i]);
		fputs(comma, stdout);
		json_dumpf(o, stdout, JSON_COMPACT);
		json_decref(o);
		comma = ",";
	}
	putchar(']');
	if (conns->observed) {
		json_t *counters = json_object();

#define X(name, help) json_object_set_new(counters, #name, json_integer(conns->counters.name));
		MPB_NS_COUNTERS(X)
#undef X
		put_counters("observer", counters);
	}
	if (!steer_counts(ns, &steer)) {
		json_t *counters = json_object();

#define X(name, help) json_object_set_new(counters, #name, json_integer(steer.name));
		MPB_STEER_COUNTERS(X)
#undef X
		put_counters("steer", counters);
	}
	puts("}");
}

static void stat_text(const struct conns *conns, uint32_t token)
{
	for (int i = 0; i < conns->n; i++)
		if (!token || conns->list[i].token == token)
			conn_text(&conns->list[i]);
}

static bool has_token(const struct conns *conns, uint32_t token)
{
	for (int i = 0; i < conns->n; i++)
		if (conns->list[i].token == token)
			return true;
	return false;
}

int cmd_stat(const struct args *a)
{
	uint32_t token = 0;
	struct conns conns;
	struct ns ns;
	int err = 0;

	if (a->nwords > 2)
		return err_usage("stat", "takes one token at the most");
	if (a->nwords == 2)
		err = token_parse(a->words[1], &token);
	if (!err)
		err = ns_enter(a->netns, &ns);
	if (!err)
		err = conns_read(&ns, &conns);
	if (err)
		return err;
	if (token && !has_token(&conns, token))
		err = err_fail(ENOENT, a->words[1], "no connection has this token here");
	else if (a->json)
		stat_json(&ns, &conns, token);
	else
		stat_text(&conns, token);
	conns_free(&conns);
	return err;
}
