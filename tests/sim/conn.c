/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdlib.h>
#include <string.h>
#include "sim.h"

#define BURST 65428 /* MPTCP_SEND_BURST_SIZE */
#define FRAGMENT 16384
#define RETRANSMIT_MIN (200 * MILLI)
#define STALE_COUNT 4 /* net.mptcp.stale_loss_cnt */

struct setup setup;

static void established(void *who, uint64_t i, uint64_t unused)
{
	struct conn *c = who;

	(void)unused;
	c->sf[i].alive = true;
	if (!i)
		app_open(c);
	conn_push(c);
}

/* Subflow 0 after its handshake; the others join then, and carry data when the fourth acknowledgement is there (RFC 8684 section 3.2). */
void conn_open(struct conn *c)
{
	uint64_t first = now + 2 * setup.path[0].delay;

	c->nsubflows = setup.npaths;
	c->wnd_end = setup.window;
	for (unsigned int i = 0; i < c->nsubflows; i++) {
		subflow_init(&c->sf[i], c, &setup.path[i]);
		at(i ? first + 4 * setup.path[i].delay : first, established, c, i, 0);
	}
}

/* The kernel's own flag says backup, or not, until the next decision. Asked before TCP has seen the acknowledgement, as at tc ingress. */
void conn_decide(struct conn *c)
{
	struct mpb_view v = { .now_ns = SECOND + now, .queued = c->write_seq - c->snd_nxt, .inflight = c->snd_nxt - c->snd_una, .window = c->wnd_end - c->snd_nxt };
	struct mpb_ask ask = {};
	mpb_set want;

	for (unsigned int i = 0; i < c->nsubflows; i++) {
		subflow_view(&c->sf[i], &v.sf[i]);
		v.alive |= c->sf[i].alive && !c->sf[i].stale ? mpb_bit(i) : 0;
		v.set |= c->sf[i].alive && !c->sf[i].backup ? mpb_bit(i) : 0;
	}
	if (!setup.policy || !(v.alive & (v.alive - 1)))
		return;
	want = setup.policy->ops->pick(&v, c->priv, &ask) & v.alive;
	c->decisions++;
	if (!want)
		want = v.alive;
	for (unsigned int i = 0; i < c->nsubflows; i++) {
		struct subflow *s = &c->sf[i];

		s->pace_asked = ask.rate[i];
		if (!s->alive || s->backup == !(want & mpb_bit(i)))
			continue;
		s->backup = !s->backup;
		c->flips++;
	}
}

/* mptcp_subflow_get_send(): the least queue, as a time, of those that are not backup; then of those that are. */
static struct subflow *stock_choice(struct conn *c)
{
	struct subflow *best = NULL;
	double least = 0;

	for (unsigned int i = 0; i < c->nsubflows; i++) {
		struct subflow *s = &c->sf[i];
		double linger;

		if (!s->alive || s->stale)
			continue;
		if (!s->avg_pacing)
			s->avg_pacing = subflow_pacing(s);
		linger = (double)s->wmem / s->avg_pacing;
		if (best && (s->backup != best->backup ? s->backup : linger >= least))
			continue;
		best = s;
		least = linger;
	}
	return best && best->wmem < best->sndbuf ? best : NULL;
}

static void retransmit(void *who, uint64_t a, uint64_t b);

static void arm(struct conn *c)
{
	uint64_t longest = 0;

	for (unsigned int i = 0; i < c->nsubflows; i++)
		if (c->sf[i].wmem && c->sf[i].view.srtt_us > longest)
			longest = c->sf[i].view.srtt_us;
	c->retransmit_at = now + RETRANSMIT_MIN + 1000 * longest;
	if (!c->retransmit_armed)
		at(c->retransmit_at, retransmit, c, 0, 0);
	c->retransmit_armed = true;
}

/* mptcp_pm_subflow_chk_stale(): with no word from a subflow for some rounds of the timer, and another that works, all that is not acknowledged is
 * given out anew. */
static void find_stale(struct conn *c)
{
	unsigned int works = 0;

	for (unsigned int i = 0; i < c->nsubflows; i++)
		works += c->sf[i].alive && !c->sf[i].stale && !(c->sf[i].view.flags & MPB_SF_LOSS);
	for (unsigned int i = 0; i < c->nsubflows && works; i++) {
		struct subflow *s = &c->sf[i];

		if (!s->alive || s->stale || !(s->view.flags & MPB_SF_LOSS) || ++s->stale_count < STALE_COUNT)
			continue;
		s->stale = true;
		c->snd_nxt = c->snd_una;
		conn_push(c);
	}
}

/* __mptcp_retrans(): what the peer misses longest goes to a subflow that has nothing to do. */
static void retransmit(void *who, uint64_t a, uint64_t b)
{
	struct subflow *best = NULL;
	struct conn *c = who;
	uint64_t len = c->snd_nxt - c->snd_una;

	(void)a, (void)b;
	c->retransmit_armed = false;
	if (!len)
		return;
	if (now < c->retransmit_at) {
		c->retransmit_armed = true;
		at(c->retransmit_at, retransmit, c, 0, 0);
		return;
	}
	find_stale(c);
	for (unsigned int i = 0; i < c->nsubflows; i++)
		if (c->sf[i].alive && !c->sf[i].stale && !c->sf[i].wmem && (!best || (best->backup && !c->sf[i].backup)))
			best = &c->sf[i];
	if (best) {
		subflow_queue(best, c->snd_una, len < FRAGMENT ? len : FRAGMENT);
		subflow_send(best);
	}
	arm(c);
}

void conn_push(struct conn *c)
{
	while (c->snd_nxt < c->write_seq && c->snd_nxt < c->wnd_end) {
		struct subflow *s = stock_choice(c);
		uint64_t burst = c->wnd_end - c->snd_nxt;

		if (!s)
			return;
		if (burst > BURST)
			burst = BURST;
		s->avg_pacing = (s->avg_pacing * (double)s->wmem + subflow_pacing(s) * (double)burst) / (s->wmem + burst);
		if (c->snd_nxt == c->snd_una)
			arm(c);
		while (burst && c->snd_nxt < c->write_seq && s->wmem < s->sndbuf) {
			uint64_t len = c->write_seq - c->snd_nxt;

			len = len < burst ? len : burst;
			len = len < FRAGMENT ? len : FRAGMENT;
			subflow_queue(s, c->snd_nxt, len);
			c->snd_nxt += len;
			burst -= len;
		}
		subflow_send(s);
	}
}

uint64_t conn_room(struct conn *c)
{
	uint64_t limit = 0, used = c->write_seq - c->snd_una;

	for (unsigned int i = 0; i < c->nsubflows; i++)
		limit += c->sf[i].alive ? c->sf[i].sndbuf : 0; /* __mptcp_propagate_sndbuf() */
	if (limit <= used)
		c->blocked = true;
	else if (limit - used >= used / 2) /* sk_stream_is_writeable() */
		c->blocked = false;
	return c->blocked ? 0 : limit - used;
}

void conn_acknowledged(struct conn *c, struct subflow *s, uint64_t una)
{
	s->stale = false;
	s->stale_count = 0;
	if (una > c->snd_una) {
		c->snd_una = una;
		if (c->snd_nxt < una) /* it was given out anew */
			c->snd_nxt = una;
		c->wnd_end = una + setup.window;
		arm(c);
	}
	app_room(c);
	conn_push(c);
}

/* Merge it into what is held, and move rcv_nxt over what has become whole. */
void conn_arrived(struct conn *c, uint64_t dsn, uint32_t len)
{
	uint64_t to = dsn + len;
	unsigned int i = c->nheld, j;

	if (to <= c->rcv_nxt)
		return;
	while (i && c->held[i - 1].from > dsn)
		i--;
	if (i && c->held[i - 1].to >= dsn) { /* it continues the one before */
		i--;
		dsn = c->held[i].from;
		to = c->held[i].to > to ? c->held[i].to : to;
	}
	for (j = i; j < c->nheld && c->held[j].from <= to; j++)
		to = c->held[j].to > to ? c->held[j].to : to;
	if (c->nheld + 1 > c->held_size) {
		c->held_size = 2 * c->held_size + 16;
		c->held = realloc(c->held, c->held_size * sizeof(*c->held));
		if (!c->held)
			abort();
	}
	memmove(&c->held[i + 1], &c->held[j], (c->nheld - j) * sizeof(*c->held));
	c->held[i] = (struct hole){ dsn, to };
	c->nheld += 1 + i - j;
	if (c->held[0].from > c->rcv_nxt)
		return;
	c->rcv_nxt = c->held[0].to;
	memmove(c->held, c->held + 1, --c->nheld * sizeof(*c->held));
	app_delivered(c);
}
