/* SPDX-License-Identifier: GPL-2.0-only */
/* A discrete-event simulator of MPTCP senders under a packet-scheduling policy. Times are nanoseconds, rates bytes per second. */
#ifndef MPB_SIM_H
#define MPB_SIM_H

#include <stdbool.h>
#include "policy.h"

#define MILLI 1000000ULL
#define SECOND 1000000000ULL
#define NEVER (~0ULL)
#define HEADERS 86 /* bytes around a payload: Ethernet, IPv4, TCP with timestamps and a DSS */
#define MSS 1428

/* event.c: what happens when; those of one time in the order in which they were asked for. */
extern uint64_t now;
void at(uint64_t when, void (*run)(void *who, uint64_t a, uint64_t b), void *who, uint64_t a, uint64_t b);
void run_until(uint64_t end);
double random_unit(void); /* 0 <= x < 1 */
void random_seed(uint64_t seed);

/* One way of a drop-tail link; acknowledgements come back after `delay` and are not lost. */
struct path {
	uint64_t rate, delay, queue; /* queue: the longest backlog, as a time */
	uint64_t down, up;           /* it loses everything in between */
	uint64_t busy;               /* until then it sends what it has */
	uint64_t known;              /* the operator's word: rate, weight, cost */
	double loss;
	uint32_t weight, cost;
};

enum segment_state { UNSENT, SENT, LOST, ACKED };

struct segment {
	uint64_t dsn, sent_ns, order, delivered, delivered_ns;
	uint32_t len;
	uint8_t state;      /* enum segment_state, the sender's word */
	bool got;           /* the receiver has it */
	bool resent, app_limited;
};

struct conn;

/* subflow.c: a TCP sender with CUBIC and selective acknowledgements, one for each segment, and its receiver. */
struct subflow {
	struct conn *conn;
	struct path *path;
	struct segment *seg;            /* ring */
	uint64_t size;                  /* of the ring, a power of two */
	uint64_t una, next, end, rcv;   /* numbers of segments: not acknowledged, not sent, not there yet; the receiver's next */
	uint64_t order;                 /* transmissions so far */
	uint64_t recovery;              /* the segment that ends recovery */
	uint64_t delivered, delivered_ns, rto_at, last_sent_ns, send_at;
	double cwnd, ssthresh, wmax, k; /* packets; seconds */
	uint64_t epoch;                 /* of CUBIC's growth; 0: none */
	uint64_t avg_pacing;            /* the stock scheduler's mean */
	uint64_t sndbuf, wmem;          /* bytes: limit and use of the send queue */
	uint64_t pace, pace_asked;      /* 0: as congestion control does */
	uint64_t inflight, nlost;       /* packets */
	uint64_t retrans;
	uint64_t round;                 /* the segment that ends a round of HyStart */
	uint32_t round_samples, round_rtt_us, last_rtt_us;
	bool in_recovery, rto_armed, backup, alive, stale, send_armed;
	unsigned int stale_count;
	struct mpb_sf view;             /* kept up to date but for what view_of() fills in */
};

void subflow_init(struct subflow *s, struct conn *c, struct path *p);
void subflow_queue(struct subflow *s, uint64_t dsn, uint32_t len);
void subflow_send(struct subflow *s);
uint64_t subflow_pacing(const struct subflow *s);
void subflow_view(const struct subflow *s, struct mpb_sf *view);

struct hole {
	uint64_t from, to; /* DSNs */
};

/* conn.c: the data level: the stock scheduler, the policy that steers it, order at the receiver, reinjection. */
struct conn {
	uint64_t write_seq, snd_nxt, snd_una, wnd_end, rcv_nxt, retransmit_at;
	bool retransmit_armed, blocked;
	unsigned int nsubflows, nheld, held_size;
	struct subflow sf[MPB_SUBFLOWS];
	struct hole *held;                        /* what the receiver has beyond rcv_nxt, in order */
	_Alignas(8) uint8_t priv[MPB_PRIV_SIZE];
	uint64_t flips, decisions;
	struct app *app;
};

struct setup {
	const struct sched_policy *policy; /* NULL: the stock scheduler alone */
	struct path path[MPB_SUBFLOWS];
	unsigned int npaths, connections;
	uint64_t end, window;
};
extern struct setup setup;

void conn_open(struct conn *c);
void conn_push(struct conn *c);
uint64_t conn_room(struct conn *c);                                      /* bytes that the application may write; once none, it sleeps for a third */
void conn_acknowledged(struct conn *c, struct subflow *s, uint64_t una); /* an ACK came, and brought this DATA_ACK */
void conn_arrived(struct conn *c, uint64_t dsn, uint32_t len);
void conn_decide(struct conn *c);

/* app.c: what the applications do, and how long it took. */
struct sample {
	uint64_t *ns;
	unsigned int n, size;
};
enum app_kind { BULK, STREAM, REQUEST };
struct app_model {
	enum app_kind kind;
	uint64_t bytes; /* of a bulk (0: no end), a block of the stream, a response */
	uint64_t rate;  /* of the stream */
	uint64_t gap;   /* between response and next request */
};
extern struct app_model model;
extern struct sample delays, completions;

bool app_parse(const char *word);
void app_open(struct conn *c);
void app_room(struct conn *c);
void app_delivered(struct conn *c);
bool parse_scaled(const char *word, const char *units, double *value); /* "50mbit": units name what may follow the number */

#endif
