/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "conn.h"
#include <mptcp_bpf/steer.h>
#include "diag.h"
#include "err.h"
#include "pin.h"
#include "records.h"
#include "scheduler.h"
#include "sight.h"
#include "snapshot.h"
#include "state.h"
#include "tuple.h"

const char *tcp_state_word(unsigned int state)
{
	static const char *const words[] = { "UNKNOWN", "ESTAB", "SYN-SENT", "SYN-RECV", "FIN-WAIT-1", "FIN-WAIT-2", "TIME-WAIT",
					     "CLOSE", "CLOSE-WAIT", "LAST-ACK", "LISTEN", "CLOSING", "NEW-SYN-RECV" };

	return words[state < sizeof(words) / sizeof(words[0]) ? state : 0];
}

static int by_connection(const void *a, const void *b)
{
	const struct mpb_snap *x = a, *y = b;

	if (x->token != y->token)
		return x->token < y->token ? -1 : 1;
	if (x->subflow_id != y->subflow_id)
		return x->subflow_id < y->subflow_id ? -1 : 1;
	return x->local_id - y->local_id;
}

/* What the views are made from besides the snapshot; a name is asked for once, not for each subflow. */
#define NAMES 64
struct join {
	const struct ns *ns;
	struct records records;
	uint64_t now_ns;
	struct { unsigned int ifindex; char name[IF_NAMESIZE]; } devs[NAMES]; /* by ifindex modulo NAMES */
	char scheds[MPB_SLOTS][MPB_NAME_LEN];
};

static const char *dev_name(struct join *j, unsigned int ifindex)
{
	char *name = j->devs[ifindex % NAMES].name;

	if (j->devs[ifindex % NAMES].ifindex != ifindex) {
		j->devs[ifindex % NAMES].ifindex = ifindex;
		if (!if_indextoname(ifindex, name))
			strcpy(name, "-");
	}
	return ifindex ? name : "-";
}

static const char *sched_name(struct join *j, unsigned int slot)
{
	char *name = j->scheds[slot % MPB_SLOTS];

	if (!*name)
		scheduler_name(j->ns, slot, name);
	return name;
}

static void view_sight(struct join *j, struct subflow_view *v)
{
	const struct mpb_sight *s = &v->sight;
	uint64_t spent;

	v->seen = !record_sight(&j->records, &v->snap->tuple, &v->sight);
	if (!v->seen)
		return;
	v->rtt_p50_us = sight_rtt(s, j->now_ns, 50);
	v->rtt_p95_us = sight_rtt(s, j->now_ns, 95);
	spent = j->now_ns > s->turned_ns ? j->now_ns - s->turned_ns : 0;
	v->active_ms = (s->active_ns + (s->backup ? 0 : spent)) / 1000000;
	v->backup_ms = (s->backup_ns + (s->backup ? spent : 0)) / 1000000;
}

/* What the last segment found still holds. */
static void view_stale(struct join *j, struct subflow_view *v)
{
	const struct mpb_snap *s = v->snap;
	struct mpb_waiter key = { s->token, s->tuple.sport, s->tuple.dport };
	struct mpb_wait wait = {};
	uint64_t from;

	record_wait(&j->records, &key, &wait);
	from = wait.looked_ns > s->delivered_ns ? wait.looked_ns : s->delivered_ns;
	v->stale_ms = (wait.total_ns + (s->stale && j->now_ns > from ? j->now_ns - from : 0)) / 1000000;
}

static void view_wait(struct join *j, struct conn_view *c)
{
	struct mpb_waiter key = { .token = c->token };
	struct mpb_wait *w = &c->wait;

	record_wait(&j->records, &key, w);
	if (!c->subflows[0].snap->conn_ahead || j->now_ns <= w->looked_ns)
		return;
	if (!w->waits)
		w->times++;
	w->total_ns += w->looked_ns ? j->now_ns - w->looked_ns : 0;
}

static void view_subflow(struct join *j, const struct mpb_snap *s, int rank, struct subflow_view *v)
{
	struct mpb_subflow own;

	v->snap = s;
	v->id = s->subflow_id ? (int)s->subflow_id : rank;
	tuple_local(&s->tuple, v->local, sizeof(v->local));
	tuple_remote(&s->tuple, v->remote, sizeof(v->remote));
	/* After a retransmission the kernel looks for a new route; until it has one, the device is the one that the socket is bound to. */
	strcpy(v->dev, dev_name(j, s->ifindex ? s->ifindex : s->path_bound));
	/* A rate of all ones is how the kernel says "not paced". */
	v->pacing_bps = s->pacing_bps > UINT64_MAX / 8 ? 0 : s->pacing_bps * 8;
	v->delivery_bps = s->delivery_bps * 8;
	if (!record_subflow(&j->records, &s->tuple, &own))
		v->flips = own.flips;
	if (record_deal(&j->records, &s->tuple, &v->deal))
		v->deal.said = MPB_TERMS_TIMES;
	view_sight(j, v);
	view_stale(j, v);
}

static int by_token_and_number(const void *a, const void *b)
{
	const struct mpb_past *x = a, *y = b;

	if (x->token != y->token)
		return x->token < y->token ? -1 : 1;
	return x->number < y->number ? -1 : x->number > y->number;
}

static const struct mpb_past *find_past(const struct mpb_past *past, int n, uint32_t token, int *count)
{
	int low = 0, high = n;

	while (low < high) {
		int mid = (low + high) / 2;

		if (past[mid].token < token)
			low = mid + 1;
		else
			high = mid;
	}
	for (*count = 0; low + *count < n && past[low + *count].token == token;)
		++*count;
	return &past[low];
}

/* What only all subflows together tell: shares; and what went or came on more than one, which the connection counts once. The kernel's own count of what was
 * sent again leaves out what it gave to others when it found a subflow stale or closed. */
static void view_sums(struct conn_view *c)
{
	uint64_t sent = 0, received = 0, ahead = c->subflows[0].snap->conn_ahead, taken = 0, once = 0;

	for (int i = 0; i < c->nsubflows; i++) {
		sent += c->subflows[i].snap->bytes_sent;
		received += c->subflows[i].snap->bytes_received;
		taken += c->subflows[i].snap->bytes_sent - c->subflows[i].snap->bytes_retrans + c->subflows[i].snap->unsent;
		if (c->subflows[i].snap->conn_sent > once) /* the latest */
			once = c->subflows[i].snap->conn_sent;
	}
	for (int i = 0; i < c->nclosed; i++) {
		taken += c->closed[i].bytes_sent - c->closed[i].bytes_retrans;
		sent += c->closed[i].bytes_sent;
		received += c->closed[i].bytes_received;
		c->refused += past_is_refused(&c->closed[i]);
	}
	for (int i = 0; sent && i < c->nsubflows; i++)
		c->subflows[i].share = (double)c->subflows[i].snap->bytes_sent / sent;
	if (once && taken > once + c->bytes_reinjected)
		c->bytes_reinjected = taken - once;
	if (c->bytes_received && received > c->bytes_received + ahead)
		c->bytes_duplicate = received - c->bytes_received - ahead;
}

static void view_conn(struct join *j, const struct diag_conn *diag, struct conn_view *c)
{
	const struct mpb_snap *first = c->subflows[0].snap;
	struct mpb_steer steer;
	struct mpb_conn own;

	c->token = first->token;
	c->state = diag ? diag->state : first->state;
	c->fallback = diag && diag->info.flags & MPB_MPTCP_INFO_FALLBACK;
	snprintf(c->sched, sizeof(c->sched), "%s", first->sched[0] ? first->sched : "default");
	c->backend = "stock";
	if (!record_steered(&j->records, c->token, &steer)) {
		c->flips = steer.flips;
		if (steer.slot) {
			snprintf(c->sched, sizeof(c->sched), "%s", sched_name(j, steer.slot));
			c->backend = "steer";
		}
	}
	if (diag && diag->has_bytes) {
		c->bytes_sent = diag->info.bytes_sent;
		c->bytes_acked = diag->info.bytes_acked;
		c->bytes_received = diag->info.bytes_received;
		c->bytes_reinjected = diag->info.bytes_retrans;
	} else {
		for (int i = 0; i < c->nsubflows; i++) {
			c->bytes_sent += c->subflows[i].snap->bytes_sent - c->subflows[i].snap->bytes_retrans;
			c->bytes_acked += c->subflows[i].snap->bytes_acked;
		}
	}
	c->age_ms = -1;
	if (!record_conn(&j->records, c->token, &own)) {
		c->age_ms = ((int64_t)j->now_ns - (int64_t)own.born_ns) / 1000000;
		c->joined = own.joined;
	}
	view_wait(j, c);
	view_sums(c);
}

/* Connections all of whose subflows are in the past. */
static void view_ended(struct conns *c, int npast)
{
	for (int i = 0, live = 0; i < npast;) {
		struct ended_view *e = &c->ended[c->nended];

		e->token = c->past[i].token;
		e->subflows = &c->past[i];
		for (e->n = 0; i < npast && c->past[i].token == e->token; i++)
			e->n++;
		while (live < c->n && c->list[live].token < e->token)
			live++;
		if (live == c->n || c->list[live].token != e->token)
			c->nended++;
	}
}

uint64_t ended_reinjected(const struct ended_view *e)
{
	const struct mpb_totals *conn = &e->subflows[e->n - 1].conn;
	uint64_t taken = 0;

	for (int i = 0; i < e->n; i++)
		taken += e->subflows[i].bytes_sent - e->subflows[i].bytes_retrans;
	return conn->sent && taken > conn->sent + conn->retrans ? taken - conn->sent : conn->retrans;
}

/* The last subflows to end may have found it forgotten. */
struct mpb_wait ended_wait(const struct ended_view *e)
{
	struct mpb_wait w = {};

	for (int i = 0; i < e->n; i++)
		if (e->subflows[i].hol_ns >= w.total_ns)
			w = (struct mpb_wait){ .total_ns = e->subflows[i].hol_ns, .longest_ns = e->subflows[i].hol_longest_ns, .times = e->subflows[i].hol_times };
	return w;
}

const struct mpb_past *ended_first(const struct ended_view *e)
{
	const struct mpb_past *first = &e->subflows[0];

	for (int i = 1; i < e->n; i++)
		if (e->subflows[i].born_ns < first->born_ns)
			first = &e->subflows[i];
	return first;
}

static int recent(struct mpb_past *past, int n, uint64_t since)
{
	int kept = 0;

	for (int i = 0; i < n; i++)
		if (past[i].ended_ns >= since)
			past[kept++] = past[i];
	return kept;
}

int conns_read(const struct ns *ns, uint64_t memory_ns, struct conns *c)
{
	struct diag_conn *diag = NULL;
	struct join j = { .ns = ns };
	int ndiag, n, npast;
	char path[PATH_MAX];

	memset(c, 0, sizeof(*c));
	c->observed = !state_counters(ns, &c->counters);
	n = snapshot_read(false, &c->snaps);
	if (n < 0)
		return n;
	j.now_ns = c->now_ns = monotonic_ns();
	ndiag = diag_connections(&diag); /* absent: the subflows alone must do */
	qsort(c->snaps, n, sizeof(*c->snaps), by_connection);
	records_open(ns, &j.records);
	c->sighted = pin_exists(pin_path(path, "%s/opt/sight", ns->dir));
	c->waits_full = record_watch(&j.records, MPB_WATCH_FULL);
	npast = records_past(&j.records, &c->past);
	npast = recent(c->past, npast, memory_ns < c->now_ns ? c->now_ns - memory_ns : 0);
	qsort(c->past, npast, sizeof(*c->past), by_token_and_number);
	c->views = calloc(n + 1, sizeof(*c->views));
	c->list = calloc(n + 1, sizeof(*c->list));
	c->ended = calloc(npast + 1, sizeof(*c->ended));
	if (!c->past || !c->views || !c->list || !c->ended) {
		records_close(&j.records);
		free(diag);
		conns_free(c);
		return err_fail(ENOMEM, "stat", "out of memory");
	}
	for (int i = 0; i < n; i++) {
		struct conn_view *conn = i && c->snaps[i].token == c->snaps[i - 1].token ? &c->list[c->n - 1] : &c->list[c->n++];

		if (!conn->nsubflows)
			conn->subflows = &c->views[i];
		view_subflow(&j, &c->snaps[i], ++conn->nsubflows, &c->views[i]);
	}
	for (int i = 0; i < c->n; i++) {
		struct conn_view *conn = &c->list[i];

		conn->closed = find_past(c->past, npast, conn->subflows[0].snap->token, &conn->nclosed);
		view_conn(&j, ndiag > 0 ? diag_find(diag, ndiag, conn->subflows[0].snap->token) : NULL, conn);
	}
	view_ended(c, npast);
	records_close(&j.records);
	free(diag);
	return 0;
}

static int by_token(const void *a, const void *b)
{
	uint32_t x = ((const struct conn_view *)a)->token, y = ((const struct conn_view *)b)->token;

	return x < y ? -1 : x > y;
}

void conns_by_token(struct conns *c)
{
	if (c->n)
		qsort(c->list, c->n, sizeof(*c->list), by_token);
}

static const struct subflow_view *find_subflow(const struct conns *c, uint32_t token, const struct mpb_tuple *tuple)
{
	int low = 0, high = c->n;

	while (low < high) {
		int mid = (low + high) / 2;

		if (c->list[mid].token < token)
			low = mid + 1;
		else
			high = mid;
	}
	for (int i = 0; low < c->n && c->list[low].token == token && i < c->list[low].nsubflows; i++)
		if (!memcmp(&c->list[low].subflows[i].snap->tuple, tuple, sizeof(*tuple)))
			return &c->list[low].subflows[i];
	return NULL;
}

void conns_since(struct conns *now, const struct conns *before)
{
	static const struct mpb_snap nothing;

	now->since_ns = before->now_ns;
	for (int i = 0; i < now->n; i++) {
		for (int k = 0; k < now->list[i].nsubflows; k++) {
			struct subflow_view *v = &now->list[i].subflows[k];
			const struct subflow_view *old = find_subflow(before, now->list[i].token, &v->snap->tuple);
			const struct mpb_snap *was = old ? old->snap : &nothing;

			v->since.sent = v->snap->bytes_sent - was->bytes_sent;
			v->since.acked = v->snap->bytes_acked - was->bytes_acked;
			v->since.retrans = v->snap->bytes_retrans - was->bytes_retrans;
			v->since.received = v->snap->bytes_received - was->bytes_received;
			v->since.lost = v->snap->lost - was->lost;
			v->since.flips = v->flips - (old ? old->flips : 0);
		}
	}
}

void conns_free(struct conns *c)
{
	free(c->snaps);
	free(c->views);
	free(c->list);
	free(c->ended);
	free(c->past);
	memset(c, 0, sizeof(*c));
}
