/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdio.h>
#include "conn_text.h"
#include "out.h"
#include "sight.h"
#include "terms.h"
#include "tuple.h"

/* Bytes, or bytes per second where the reading has one before it. */
static char *amount(const struct conns *all, uint64_t total, uint64_t since, char buf[16])
{
	if (!all->since_ns)
		return out_human(total, buf);
	return out_human(since * 1000000000.0 / (all->now_ns - all->since_ns), buf);
}

static char *ms(uint32_t us, char buf[16])
{
	if (us)
		snprintf(buf, 16, "%.2f", us / 1000.0);
	else
		snprintf(buf, 16, "-");
	return buf;
}

static void subflow_text(const struct conns *all, const struct subflow_view *v)
{
	char pacing[16], delivery[16], sent[16], received[16], retrans[16], unsent[16], p50[16], p95[16];
	const struct mpb_snap *s = v->snap;

	printf("  %2d %-21s %-21s %-9s %-7s %-9s %1s %7.2f %7s %7s %4u %5u %6s %6s %6s %6s %6s %7s %4.0f%% %4u %5u\n", v->id, v->local, v->remote, v->dev, s->cc,
	       s->stale ? "STALE" : tcp_state_word(s->state), s->request_bkup ? "L" : s->backup ? "b" : "-", s->srtt_us / 1000.0, ms(v->rtt_p50_us, p50),
	       ms(v->rtt_p95_us, p95), s->cwnd, s->inflight, out_human(s->unsent, unsent), out_human(v->pacing_bps, pacing),
	       out_human(v->delivery_bps, delivery), amount(all, s->bytes_sent, v->since.sent, sent), amount(all, s->bytes_received, v->since.received, received),
	       amount(all, s->bytes_retrans, v->since.retrans, retrans), v->share * 100, all->since_ns ? v->since.lost : s->lost,
	       all->since_ns ? v->since.flips : v->flips);
}

/* What is seldom there, below the subflow. */
static void seen_text(const struct subflow_view *v)
{
	char signals[512], join[16], echo[16];

	if (!v->seen)
		return;
	signals_text(v->sight.signals, signals, sizeof(signals));
	printf("     joined in %s ms, active %.1f s, backup %.1f s", ms(v->sight.join_us, join), v->active_ms / 1000.0, v->backup_ms / 1000.0);
	if (v->stale_ms)
		printf(", stale %.1f s", v->stale_ms / 1000.0);
	if (v->sight.flips)
		printf(", last flip: %s", why_word(v->sight.why));
	if (v->sight.echo_us)
		printf(", ADD_ADDR echoed in %s ms", ms(v->sight.echo_us, echo));
	printf("%s%s\n", *signals ? "; " : "", signals);
}

static void terms_text(const struct subflow_view *v)
{
	char text[256];

	deal_text(&v->deal, text, sizeof(text));
	if (text[0])
		printf("     %s\n", text);
}

static void past_text(const struct conns *all, const struct mpb_past *p)
{
	char path[128], cause[128], sent[16], retrans[16], received[16];

	tuple_path(&p->tuple, path, sizeof(path));
	printf("   - %s ended %.1f s ago after %.1f s: %s; sent %sB, retransmitted %sB, received %sB", path, (all->now_ns - p->ended_ns) / 1e9,
	       (p->ended_ns - p->born_ns) / 1e9, past_cause(p, cause, sizeof(cause)), out_human(p->bytes_sent, sent), out_human(p->bytes_retrans, retrans),
	       out_human(p->bytes_received, received));
	if (p->stale_ms)
		printf(", stale %.1f s", p->stale_ms / 1000.0);
	putchar('\n');
}

/* How far both directions are. */
static void dsn_text(const struct mpb_snap *s)
{
	char inflight[16], queued[16], window[16];

	printf("  DSN sent 0x%016llx, acknowledged 0x%016llx, received 0x%016llx; in flight %sB, queued %sB, window %sB\n", s->dsn_sent, s->dsn_acked,
	       s->dsn_received, out_human(s->conn_inflight, inflight), out_human(s->conn_queued, queued), out_human(s->conn_window, window));
}

static void wait_text(const struct mpb_wait *w)
{
	if (w->times)
		printf(" head-of-line=%.3fs/%u(%.3fs)", w->total_ns / 1e9, w->times, w->longest_ns / 1e9);
}

void conn_text(const struct conns *all, const struct conn_view *c)
{
	char sent[16], acked[16], received[16], reinjected[16], duplicate[16], ahead[16];
	const struct mpb_snap *first = c->subflows[0].snap;

	printf("0x%08x %s peer=%s sched=%s backend=%s", c->token, tcp_state_word(c->state), c->subflows[0].remote, c->sched, c->backend);
	if (c->age_ms >= 0)
		printf(" age=%.1fs joined=%u refused=%u closed=%u", c->age_ms / 1000.0, c->joined, c->refused, c->nclosed - c->refused);
	printf(" subflows=%d sent=%sB acked=%sB received=%sB", c->nsubflows, out_human(c->bytes_sent, sent), out_human(c->bytes_acked, acked),
	       out_human(c->bytes_received, received));
	if (c->bytes_reinjected)
		printf(" reinjected=%sB", out_human(c->bytes_reinjected, reinjected));
	if (c->bytes_duplicate)
		printf(" duplicate=%sB", out_human(c->bytes_duplicate, duplicate));
	if (first->conn_ahead)
		printf(" out-of-order=%sB", out_human(first->conn_ahead, ahead));
	wait_text(&c->wait);
	if (c->fallback)
		printf(" FALLBACK to TCP: %s", fallback_word(first->fallback));
	putchar('\n');
	if (!c->fallback)
		dsn_text(first);
	printf("  %2s %-21s %-21s %-9s %-7s %-9s %1s %7s %7s %7s %4s %5s %6s %6s %6s %6s %6s %7s %5s %4s %5s\n", "ID", "LOCAL", "REMOTE", "DEV", "CC", "STATE", "B",
	       "SRTT ms", "P50", "P95", "CWND", "FLGHT", "UNSENT", "PACE", "RATE", all->since_ns ? "TX B/s" : "TX B", all->since_ns ? "RX B/s" : "RX B", "RETRANS",
	       "SHARE", "LOST", "FLIPS");
	for (int i = 0; i < c->nsubflows; i++) {
		subflow_text(all, &c->subflows[i]);
		if (!all->since_ns)
			seen_text(&c->subflows[i]);
		terms_text(&c->subflows[i]);
	}
	for (int i = 0; i < c->nclosed; i++)
		past_text(all, &c->closed[i]);
}

void ended_text(const struct conns *all, const struct ended_view *e)
{
	const struct mpb_past *last = &e->subflows[e->n - 1];
	char cause[128], remote[64], sent[16], received[16], reinjected[16];
	struct mpb_wait wait = ended_wait(e);

	tuple_remote(&ended_first(e)->tuple, remote, sizeof(remote));
	printf("0x%08x ENDED peer=%s %.1f s ago: %s; sent=%sB received=%sB reinjected=%sB", e->token, remote, (all->now_ns - last->ended_ns) / 1e9,
	       past_cause(last, cause, sizeof(cause)), out_human(last->conn.sent, sent), out_human(last->conn.received, received),
	       out_human(ended_reinjected(e), reinjected));
	wait_text(&wait);
	putchar('\n');
	for (int i = 0; i < e->n; i++)
		past_text(all, &e->subflows[i]);
}
