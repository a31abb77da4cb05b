/* SPDX-License-Identifier: GPL-2.0-only */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "sim.h"

#define RTO_MIN (200 * MILLI)
#define WINDOW_INITIAL 10
#define REORDERING 3
#define HYSTART_SAMPLES 8
#define SNDBUF_A_PACKET 4352 /* what tcp_sndbuf_expand() allows for one, twice of it for each packet of the window */
#define SNDBUF_MAX (4U << 20)
#define CUBIC_C 0.4    /* RFC 9438 section 4 */
#define CUBIC_BETA 0.7
#define MARK_SHIFT 40  /* an acknowledgement names transmission and segment in one word */

static struct segment *segment(const struct subflow *s, uint64_t n)
{
	return &s->seg[n & (s->size - 1)];
}

void subflow_init(struct subflow *s, struct conn *c, struct path *p)
{
	*s = (struct subflow){ .conn = c, .path = p, .cwnd = WINDOW_INITIAL, .ssthresh = 1e9, .sndbuf = 2 * WINDOW_INITIAL * SNDBUF_A_PACKET, .size = 64 };
	s->seg = calloc(s->size, sizeof(*s->seg));
	if (!s->seg)
		abort();
	s->view = (struct mpb_sf){ .weight = p->weight, .cost = p->cost, .rate = p->known, .mss = MSS, .ifindex = 1 + (p - setup.path), .srtt_us = 2 * p->delay / 1000,
				   .rttvar_us = p->delay / 1000, .min_rtt_us = 2 * p->delay / 1000, .acked_ns = now };
}

/* tcp_update_pacing_rate() */
uint64_t subflow_pacing(const struct subflow *s)
{
	double rate = s->cwnd * MSS * 1e6 / (s->view.srtt_us ? s->view.srtt_us : 1000);

	rate *= s->cwnd < s->ssthresh / 2 ? 2 : 1.2;
	return s->pace && s->pace < rate ? s->pace : rate;
}

void subflow_view(const struct subflow *s, struct mpb_sf *view)
{
	*view = s->view;
	view->cwnd = s->cwnd;
	view->inflight = s->inflight;
	view->pacing = subflow_pacing(s);
	for (uint64_t n = s->next; n < s->end; n++)
		view->unsent += segment(s, n)->len;
	if (s->in_recovery)
		view->flags |= s->view.backoff || s->view.flags & MPB_SF_LOSS ? MPB_SF_LOSS : MPB_SF_RECOVERY;
}

void subflow_queue(struct subflow *s, uint64_t dsn, uint32_t len)
{
	s->wmem += len;
	s->view.sent += len;
	while (len) {
		struct segment *last = s->end > s->next ? segment(s, s->end - 1) : NULL;
		uint32_t part;

		if (last && last->dsn + last->len == dsn && last->len < MSS) {
			part = len < MSS - last->len ? len : MSS - last->len;
			last->len += part;
		} else {
			if (s->end - s->una == s->size) {
				struct segment *ring = calloc(2 * s->size, sizeof(*ring));

				if (!ring)
					abort();
				for (uint64_t n = s->una; n < s->end; n++)
					ring[n & (2 * s->size - 1)] = *segment(s, n);
				free(s->seg);
				s->seg = ring;
				s->size *= 2;
			}
			part = len < MSS ? len : MSS;
			*segment(s, s->end++) = (struct segment){ .dsn = dsn, .len = part };
		}
		dsn += part;
		len -= part;
	}
}

static void reduce(struct subflow *s)
{
	s->wmax = s->cwnd;
	s->ssthresh = fmax(s->cwnd * CUBIC_BETA, 2);
	s->epoch = 0;
	s->recovery = s->next;
	s->in_recovery = true;
}

static void expired(void *who, uint64_t a, uint64_t b)
{
	struct subflow *s = who;

	(void)a, (void)b;
	s->rto_armed = false;
	if (s->una == s->next)
		return;
	if (now >= s->rto_at) {
		if (!s->view.backoff)
			reduce(s);
		s->cwnd = 1;
		s->view.flags |= MPB_SF_LOSS;
		s->view.backoff += s->view.backoff < 10;
		for (uint64_t n = s->una; n < s->next; n++) {
			if (segment(s, n)->state != SENT)
				continue;
			segment(s, n)->state = LOST;
			s->nlost++;
			s->view.lost++;
		}
		s->inflight = 0;
		s->rto_at = NEVER;
		subflow_send(s);
	}
	if (!s->rto_armed && s->una < s->next) {
		s->rto_armed = true;
		at(s->rto_at, expired, s, 0, 0);
	}
}

static void arm(struct subflow *s)
{
	uint64_t var = 4000ULL * s->view.rttvar_us, rto = s->view.srtt_us * 1000ULL + (var > RTO_MIN ? var : RTO_MIN);

	s->rto_at = now + (rto << s->view.backoff);
	if (!s->rto_armed) {
		s->rto_armed = true;
		at(s->rto_at, expired, s, 0, 0);
	}
}

/* HyStart's delay test, on the first segments of a round: hystart_update() */
static void hystart(struct subflow *s)
{
	double more = fmin(fmax(s->view.min_rtt_us / 8.0, 4000), 16000);

	if (s->una >= s->round) {
		s->round = s->next;
		s->round_samples = 0;
		s->round_rtt_us = ~0U;
	}
	if (s->round_samples++ < HYSTART_SAMPLES && s->last_rtt_us < s->round_rtt_us)
		s->round_rtt_us = s->last_rtt_us;
	if (s->round_samples == HYSTART_SAMPLES && s->cwnd >= 16 && s->round_rtt_us > s->view.min_rtt_us + more)
		s->ssthresh = s->cwnd;
}

static void grow(struct subflow *s, bool limited)
{
	double t, target, rtt = s->view.srtt_us / 1e6;

	if (s->cwnd < s->ssthresh) {
		hystart(s);
		if (s->cwnd < s->ssthresh && s->cwnd < 2.0 * s->inflight + 2)
			s->cwnd++;
		return;
	}
	if (!limited)
		return;
	if (!s->epoch) {
		s->epoch = now;
		s->wmax = fmax(s->wmax, s->cwnd);
		s->k = cbrt((s->wmax - s->cwnd) / CUBIC_C);
	}
	t = (now - s->epoch) / 1e9;
	target = s->wmax + CUBIC_C * pow(t + rtt - s->k, 3);
	target = fmax(target, s->wmax * CUBIC_BETA + 3 * (1 - CUBIC_BETA) / (1 + CUBIC_BETA) * t / fmax(rtt, 1e-3)); /* as Reno would */
	s->cwnd += target > s->cwnd ? fmin((target - s->cwnd) / s->cwnd, 0.5) : 0.01 / s->cwnd;
}

static void sampled(struct subflow *s, const struct segment *seg)
{
	uint32_t rtt = (now - seg->sent_ns) / 1000, err = rtt > s->view.srtt_us ? rtt - s->view.srtt_us : s->view.srtt_us - rtt;
	uint64_t took = now - seg->delivered_ns, rate = took ? (s->delivered - seg->delivered) * SECOND / took : 0;

	s->last_rtt_us = rtt;
	s->view.srtt_us = (7ULL * s->view.srtt_us + rtt) / 8;
	s->view.rttvar_us = (3ULL * s->view.rttvar_us + err) / 4;
	if (rtt < s->view.min_rtt_us)
		s->view.min_rtt_us = rtt;
	if (!seg->app_limited || rate > s->view.delivery)
		s->view.delivery = rate;
	s->pace = s->pace_asked;
}

/* Everything sent REORDERING transmissions before the one that arrived is lost: a path keeps the order. */
static void find_lost(struct subflow *s, uint64_t order)
{
	for (uint64_t n = s->una; n < s->next; n++) {
		struct segment *seg = segment(s, n);

		if (seg->state != SENT || seg->order + REORDERING > order)
			continue;
		seg->state = LOST;
		s->inflight--;
		s->nlost++;
		s->view.lost++;
		if (!s->in_recovery) {
			reduce(s);
			s->cwnd = s->ssthresh;
		}
	}
}

/* mark: transmission and segment; una: the DATA_ACK that came with it. */
static void acknowledged(void *who, uint64_t mark, uint64_t una)
{
	uint64_t order = mark >> MARK_SHIFT, n = mark & ((1ULL << MARK_SHIFT) - 1), want;
	struct subflow *s = who;
	struct segment *seg = segment(s, n);
	bool limited = s->inflight + 1 >= s->cwnd;

	conn_decide(s->conn);
	if (n >= s->una && seg->state != ACKED) {
		s->delivered += seg->len;
		s->delivered_ns = now;
		s->view.acked += seg->len;
		s->view.acked_ns = now;
		s->view.backoff = 0;
		if (seg->state == SENT)
			s->inflight--;
		else
			s->nlost--;
		if (!seg->resent)
			sampled(s, seg);
		seg->state = ACKED;
		if (n != s->una || s->in_recovery)
			find_lost(s, order);
		for (; s->una < s->next && segment(s, s->una)->state == ACKED; s->una++)
			s->wmem -= segment(s, s->una)->len;
		if (s->in_recovery && s->una >= s->recovery) {
			s->in_recovery = false;
			s->view.flags &= ~MPB_SF_LOSS;
		}
		if (!s->in_recovery || s->cwnd < s->ssthresh)
			grow(s, limited);
		want = 2 * s->cwnd * SNDBUF_A_PACKET;
		if (want > s->sndbuf)
			s->sndbuf = want < SNDBUF_MAX ? want : SNDBUF_MAX;
		arm(s);
	}
	subflow_send(s);
	conn_acknowledged(s->conn, s, una);
}

static void received(void *who, uint64_t mark, uint64_t unused)
{
	struct subflow *s = who;
	uint64_t n = mark & ((1ULL << MARK_SHIFT) - 1);

	(void)unused;
	if (n >= s->rcv) {
		segment(s, n)->got = true;
		for (; s->rcv < s->next && segment(s, s->rcv)->got; s->rcv++)
			conn_arrived(s->conn, segment(s, s->rcv)->dsn, segment(s, s->rcv)->len);
	}
	at(now + s->path->delay, acknowledged, s, mark, s->conn->rcv_nxt);
}

static void transmit(struct subflow *s, uint64_t n)
{
	struct segment *seg = segment(s, n);
	struct path *p = s->path;

	seg->resent = seg->state == LOST;
	seg->state = SENT;
	seg->order = ++s->order;
	seg->sent_ns = s->last_sent_ns = now;
	seg->delivered = s->delivered;
	seg->delivered_ns = s->inflight ? s->delivered_ns : now;
	s->inflight++;
	s->retrans += seg->resent;
	if (s->inflight == 1 || s->rto_at == NEVER)
		arm(s);
	if (p->busy < now)
		p->busy = now;
	if (p->busy - now > p->queue)
		return;
	p->busy += (seg->len + HEADERS) * SECOND / p->rate;
	if (random_unit() < p->loss || (now >= p->down && now < p->up))
		return;
	at(p->busy + p->delay, received, s, seg->order << MARK_SHIFT | n, 0);
}

static void wake(void *who, uint64_t a, uint64_t b)
{
	struct subflow *s = who;

	(void)a, (void)b;
	s->send_armed = false;
	subflow_send(s);
}

/* What the congestion window and the pace allow, lost segments first. */
void subflow_send(struct subflow *s)
{
	uint64_t hole = s->una;

	if (!s->inflight && s->next < s->end && now - s->last_sent_ns > s->view.srtt_us * 1000ULL + RTO_MIN)
		s->cwnd = fmin(s->cwnd, WINDOW_INITIAL); /* RFC 2861 */
	while (s->inflight < (uint64_t)s->cwnd && (s->nlost || s->next < s->end)) {
		struct segment *seg;
		uint64_t n;

		if (s->pace && now < s->send_at) {
			if (!s->send_armed)
				at(s->send_at, wake, s, 0, 0);
			s->send_armed = true;
			return;
		}
		if (s->nlost) {
			while (segment(s, hole)->state != LOST)
				hole++;
			n = hole;
			s->nlost--;
		} else {
			n = s->next++;
		}
		seg = segment(s, n);
		transmit(s, n);
		seg->app_limited = s->next == s->end && s->inflight < (uint64_t)s->cwnd;
		if (s->pace)
			s->send_at = (s->send_at > now ? s->send_at : now) + seg->len * SECOND / s->pace;
	}
}
