/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdio.h>
#include "conn_json.h"
#include "limit.h"
#include "sight.h"
#include "terms.h"
#include "tuple.h"

static void put_number(json_t *o, const char *key, uint64_t n)
{
	json_object_set_new_nocheck(o, key, json_integer(n));
}

static void put_word(json_t *o, const char *key, const char *word)
{
	json_object_set_new_nocheck(o, key, json_string(word));
}

/* Identities, which nobody reckons with: DSNs have 64 bits, JSON's integers 63. */
static void put_hex(json_t *o, const char *key, uint64_t n, int digits)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%0*llx", digits, (unsigned long long)n);
	put_word(o, key, text);
}

/* What was measured, or null. */
static void put_measured(json_t *o, const char *key, uint32_t n)
{
	json_object_set_new_nocheck(o, key, n ? json_integer(n) : json_null());
}

static void put_sight(json_t *o, const struct subflow_view *v)
{
	const struct mpb_sight *s = &v->sight;

	put_measured(o, "rtt_p50_us", v->rtt_p50_us);
	put_measured(o, "rtt_p95_us", v->rtt_p95_us);
	put_measured(o, "join_us", s->join_us);
	put_measured(o, "add_addr_echo_us", s->echo_us);
	put_number(o, "active_ms", v->active_ms);
	put_number(o, "backup_ms", v->backup_ms);
	put_word(o, "last_reason", why_word(s->why));
	json_object_set_new_nocheck(o, "signals", signals_json(s->signals));
}

static void put_since(json_t *o, const struct subflow_view *v)
{
	json_t *since = json_object();

	put_number(since, "bytes_sent", v->since.sent);
	put_number(since, "bytes_acked", v->since.acked);
	put_number(since, "bytes_retrans", v->since.retrans);
	put_number(since, "bytes_received", v->since.received);
	put_number(since, "lost", v->since.lost);
	put_number(since, "flips", v->since.flips);
	json_object_set_new_nocheck(o, "since", since);
}

static void put_wait(json_t *o, const struct conns *all, const struct mpb_wait *w)
{
	if (!all->sighted && !w->times)
		return;
	put_number(o, "hol_us", w->total_ns / 1000);
	put_number(o, "hol_times", w->times);
	put_number(o, "hol_longest_us", w->longest_ns / 1000);
}

static json_t *subflow_json(const struct conns *all, const struct conn_view *c, const struct subflow_view *v)
{
	const struct mpb_snap *s = v->snap;
	json_t *o = json_object(), *terms = deal_json(&v->deal);

	put_number(o, "id", v->id);
	put_word(o, "local", v->local);
	put_word(o, "remote", v->remote);
	put_word(o, "dev", v->dev);
	put_word(o, "cc", s->cc);
	put_word(o, "state", tcp_state_word(s->state));
	json_object_set_new_nocheck(o, "backup", json_boolean(s->backup || s->request_bkup));
	json_object_set_new_nocheck(o, "locked", json_boolean(s->request_bkup));
	json_object_set_new_nocheck(o, "stale", json_boolean(s->stale));
	json_object_set_new_nocheck(o, "local_id", json_integer(s->local_id));
	put_number(o, "remote_id", s->remote_id);
	put_number(o, "srtt_us", s->srtt_us);
	put_number(o, "rttvar_us", s->rttvar_us);
	put_measured(o, "min_rtt_us", s->min_rtt_us);
	put_number(o, "mss", s->mss);
	put_number(o, "cwnd", s->cwnd);
	put_number(o, "ssthresh", s->ssthresh);
	put_number(o, "inflight", s->inflight);
	put_number(o, "unsent", s->unsent);
	put_number(o, "peer_window", s->peer_window);
	put_number(o, "pacing_bps", v->pacing_bps);
	put_number(o, "delivery_bps", v->delivery_bps);
	put_number(o, "bytes_sent", s->bytes_sent);
	put_number(o, "bytes_acked", s->bytes_acked);
	put_number(o, "bytes_retrans", s->bytes_retrans);
	put_number(o, "bytes_received", s->bytes_received);
	json_object_set_new_nocheck(o, "share", json_real(v->share));
	put_number(o, "lost", s->lost);
	put_number(o, "duplicates", s->dsack_dups);
	put_number(o, "backoff", s->backoff);
	put_number(o, "flips", v->flips);
	put_number(o, "stale_ms", v->stale_ms);
	put_word(o, "limit", limit_word(c, v));
	if (terms)
		json_object_set_new_nocheck(o, "terms", terms);
	if (v->seen)
		put_sight(o, v);
	if (all->since_ns)
		put_since(o, v);
	return o;
}

static json_t *past_json(const struct conns *all, const struct mpb_past *p)
{
	json_t *o = json_object();
	char text[128];

	tuple_local(&p->tuple, text, sizeof(text));
	put_word(o, "local", text);
	tuple_remote(&p->tuple, text, sizeof(text));
	put_word(o, "remote", text);
	put_number(o, "local_id", p->local_id);
	put_number(o, "remote_id", p->remote_id);
	put_word(o, "cause", past_cause(p, text, sizeof(text)));
	put_number(o, "ended_ms_ago", (all->now_ns - p->ended_ns) / 1000000);
	put_number(o, "age_ms", (p->ended_ns - p->born_ns) / 1000000);
	put_number(o, "bytes_sent", p->bytes_sent);
	put_number(o, "bytes_acked", p->bytes_acked);
	put_number(o, "bytes_retrans", p->bytes_retrans);
	put_number(o, "bytes_received", p->bytes_received);
	put_number(o, "srtt_us", p->srtt_us);
	put_measured(o, "min_rtt_us", p->min_rtt_us);
	put_measured(o, "join_us", p->join_us);
	put_number(o, "lost", p->lost);
	put_number(o, "flips", p->flips);
	put_number(o, "active_ms", p->active_ms);
	put_number(o, "backup_ms", p->backup_ms);
	put_number(o, "stale_ms", p->stale_ms);
	json_object_set_new_nocheck(o, "signals", signals_json(p->signals));
	return o;
}

static json_t *pasts_json(const struct conns *all, const struct mpb_past *past, int n)
{
	json_t *list = json_array();

	for (int i = 0; i < n; i++)
		json_array_append_new(list, past_json(all, &past[i]));
	return list;
}

json_t *conn_json(const struct conns *all, const struct conn_view *c)
{
	const struct mpb_snap *first = c->subflows[0].snap;
	json_t *o = json_object(), *subflows = json_array();

	put_hex(o, "token", c->token, 8);
	put_word(o, "peer", c->subflows[0].remote);
	put_word(o, "state", tcp_state_word(c->state));
	put_word(o, "sched", c->sched);
	put_word(o, "backend", c->backend);
	json_object_set_new_nocheck(o, "fallback", json_boolean(c->fallback));
	if (c->fallback)
		put_word(o, "fallback_cause", fallback_word(first->fallback));
	put_number(o, "bytes_sent", c->bytes_sent);
	put_number(o, "bytes_acked", c->bytes_acked);
	put_number(o, "bytes_received", c->bytes_received);
	put_number(o, "bytes_reinjected", c->bytes_reinjected);
	put_number(o, "bytes_duplicate", c->bytes_duplicate);
	put_number(o, "queued", first->conn_queued);
	put_number(o, "inflight", first->conn_inflight);
	put_number(o, "window", first->conn_window);
	put_number(o, "out_of_order", first->conn_ahead);
	put_wait(o, all, &c->wait);
	put_hex(o, "dsn_sent", first->dsn_sent, 16);
	put_hex(o, "dsn_acked", first->dsn_acked, 16);
	put_hex(o, "dsn_received", first->dsn_received, 16);
	put_number(o, "flips", c->flips);
	if (c->age_ms >= 0) {
		put_number(o, "age_ms", c->age_ms);
		put_number(o, "subflows_joined", c->joined);
		put_number(o, "subflows_refused", c->refused);
		put_number(o, "subflows_closed", c->nclosed - c->refused);
	}
	for (int i = 0; i < c->nsubflows; i++)
		json_array_append_new(subflows, subflow_json(all, c, &c->subflows[i]));
	json_object_set_new_nocheck(o, "subflows", subflows);
	if (c->nclosed)
		json_object_set_new_nocheck(o, "closed", pasts_json(all, c->closed, c->nclosed));
	return o;
}

json_t *ended_json(const struct conns *all, const struct ended_view *e)
{
	const struct mpb_past *last = &e->subflows[e->n - 1];
	struct mpb_wait wait = ended_wait(e);
	json_t *o = json_object();
	char text[128];

	put_hex(o, "token", e->token, 8);
	tuple_remote(&ended_first(e)->tuple, text, sizeof(text));
	put_word(o, "peer", text);
	put_word(o, "cause", past_cause(last, text, sizeof(text)));
	put_number(o, "ended_ms_ago", (all->now_ns - last->ended_ns) / 1000000);
	put_number(o, "bytes_sent", last->conn.sent);
	put_number(o, "bytes_acked", last->conn.acked);
	put_number(o, "bytes_received", last->conn.received);
	put_number(o, "bytes_reinjected", ended_reinjected(e));
	put_wait(o, all, &wait);
	json_object_set_new_nocheck(o, "subflows", pasts_json(all, e->subflows, e->n));
	return o;
}
