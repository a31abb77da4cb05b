/* SPDX-License-Identifier: GPL-2.0-only */
#include "limit.h"

enum { ESTABLISHED = 1, CLOSE_WAIT = 8 }; /* TCP states */
enum { CA_RECOVERY = 3, CA_LOSS = 4 };    /* enum tcp_ca_state */

/* Could the kernel send on it at all? */
static bool is_active(const struct mpb_snap *s)
{
	return (s->state == ESTABLISHED || s->state == CLOSE_WAIT) && (s->established || !s->joined) && !s->stale;
}

uint64_t limit_stock_ns(const struct mpb_snap *s)
{
	return s->stock_bps ? (unsigned __int128)s->stock_queued * 1000000000 / s->stock_bps : 0;
}

static bool is_backup(const struct mpb_snap *s)
{
	return s->backup || s->request_bkup;
}

const struct subflow_view *limit_stock_choice(const struct conn_view *c)
{
	const struct subflow_view *best[2] = {}; /* active, backup */

	for (int i = 0; i < c->nsubflows; i++) {
		const struct subflow_view **b = &best[is_backup(c->subflows[i].snap)];

		if (is_active(c->subflows[i].snap) && (!*b || limit_stock_ns(c->subflows[i].snap) < limit_stock_ns((*b)->snap)))
			*b = &c->subflows[i];
	}
	return best[0] ? best[0] : best[1];
}

static bool has_preferred(const struct conn_view *c)
{
	for (int i = 0; i < c->nsubflows; i++)
		if (is_active(c->subflows[i].snap) && !is_backup(c->subflows[i].snap))
			return true;
	return false;
}

const char *limit_word(const struct conn_view *c, const struct subflow_view *v)
{
	const struct mpb_snap *s = v->snap;

	if (s->state != ESTABLISHED && s->state != CLOSE_WAIT)
		return "not established";
	if (s->joined && !s->established)
		return "join not complete";
	if (s->stale)
		return "stale";
	if (s->ca_state == CA_LOSS)
		return "retransmission timeout";
	if (is_backup(s) && has_preferred(c))
		return s->request_bkup ? "backup by the own endpoint" : "backup";
	if (s->inflight && s->inflight >= s->cwnd)
		return s->ca_state == CA_RECOVERY ? "congestion window, in recovery" : "congestion window";
	if (s->unsent && s->peer_window < s->mss)
		return "receive window of the subflow";
	if (s->unsent)
		return s->paced ? "pacing" : "queue of the device";
	if (c->subflows[0].snap->conn_queued)
		return c->subflows[0].snap->conn_window < s->mss ? "receive window" : "packet scheduler";
	return "application";
}
