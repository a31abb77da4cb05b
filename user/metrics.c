/* SPDX-License-Identifier: GPL-2.0-only */
#include <arpa/inet.h>
#include <ifaddrs.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include "conn.h"
#include "loaded.h"
#include "metrics.h"
#include "records.h"
#include "sight.h"
#include "steer.h"

const char *metrics_type(enum metrics_format format)
{
	return format == METRICS_OPENMETRICS ? "application/openmetrics-text; version=1.0.0; charset=utf-8" : "text/plain; version=0.0.4; charset=utf-8";
}

struct exposition {
	FILE *to;
	enum metrics_format format;
	const struct conns *conns;
	struct ifaddrs *addrs;
	const struct ns *ns;
};

/* The older format names a counter's family with its suffix. */
static void family(struct exposition *x, const char *name, const char *type, const char *help)
{
	const char *suffix = x->format == METRICS_PROMETHEUS && !strcmp(type, "counter") ? "_total" : "";

	fprintf(x->to, "# HELP mptcp_bpf_%s%s %s\n# TYPE mptcp_bpf_%s%s %s\n", name, suffix, help, name, suffix, type);
}

__attribute__((format(printf, 4, 5))) static void sample(struct exposition *x, const char *name, double value, const char *labels, ...)
{
	va_list ap;

	fprintf(x->to, "mptcp_bpf_%s", name);
	if (*labels) {
		va_start(ap, labels);
		fputc('{', x->to);
		vfprintf(x->to, labels, ap);
		fputc('}', x->to);
		va_end(ap);
	}
	fprintf(x->to, " %.15g\n", value);
}

/* The device that has a subflow's local address: it outlasts the subflow, unlike its route. */
static const char *dev_of(const struct exposition *x, const struct mpb_tuple *t)
{
	for (const struct ifaddrs *a = x->addrs; a; a = a->ifa_next) {
		if (!a->ifa_addr)
			continue;
		if (a->ifa_addr->sa_family == AF_INET && t->saddr[2] == htonl(0xffff) &&
		    ((struct sockaddr_in *)a->ifa_addr)->sin_addr.s_addr == t->saddr[3])
			return a->ifa_name;
		if (a->ifa_addr->sa_family == AF_INET6 && !memcmp(&((struct sockaddr_in6 *)a->ifa_addr)->sin6_addr, t->saddr, 16))
			return a->ifa_name;
	}
	return "";
}

/* Beyond METRICS_PATHS all share the last. */
static struct metrics_path *path_of(struct metrics_path *paths, int *n, const char *dev)
{
	for (int i = 0; i < *n; i++)
		if (!strcmp(paths[i].dev, dev))
			return &paths[i];
	if (*n == METRICS_PATHS)
		return &paths[METRICS_PATHS - 1];
	snprintf(paths[*n].dev, IFNAMSIZ, "%s", dev);
	return &paths[(*n)++];
}

static void account_ended(struct metrics *m, const struct exposition *x)
{
	struct mpb_past *past;
	struct records r;
	uint64_t first;
	int n;

	records_open(m->ns, &r);
	n = records_past(&r, &past);
	records_close(&r);
	first = m->number;
	for (int i = 0; i < n; i++) {
		struct metrics_path *p;

		if (past[i].number <= first)
			continue;
		if (past[i].number > m->number + 1)
			m->missed += past[i].number - m->number - 1;
		m->number = past[i].number;
		p = path_of(m->path, &m->npaths, dev_of(x, &past[i].tuple));
		p->sent += past[i].bytes_sent;
		p->acked += past[i].bytes_acked;
		p->retrans += past[i].bytes_retrans;
		p->received += past[i].bytes_received;
		p->lost += past[i].lost;
		p->flips += past[i].flips;
		if (past_is_refused(&past[i]))
			p->refused++;
		else if (past[i].reset_seen || past[i].reset_reason)
			p->reset++;
		else
			p->closed++;
	}
	free(past);
}

/* What is on a path now. */
struct now {
	uint64_t subflows, backup, stale, cwnd, inflight, unsent;
	double srtt_us; /* the sum */
	struct mpb_rtts rtts[2];
};

static void add_rtts(struct now *now, const struct mpb_sight *s)
{
	for (int w = 0; w < 2; w++) {
		if (s->rtts[w].window > now->rtts[w].window)
			memset(&now->rtts[w], 0, sizeof(now->rtts[w]));
		if (s->rtts[w].window < now->rtts[w].window)
			continue;
		now->rtts[w].window = s->rtts[w].window;
		for (int i = 0; i < MPB_RTT_BUCKETS; i++)
			now->rtts[w].bucket[i] += s->rtts[w].bucket[i];
	}
}

static void add_live(const struct exposition *x, struct metrics_path *sums, int *n, struct now *now)
{
	for (int i = 0; i < x->conns->n; i++) {
		for (int k = 0; k < x->conns->list[i].nsubflows; k++) {
			const struct subflow_view *v = &x->conns->list[i].subflows[k];
			const struct mpb_snap *s = v->snap;
			struct metrics_path *p = path_of(sums, n, dev_of(x, &s->tuple));
			struct now *here = &now[p - sums];

			p->sent += s->bytes_sent;
			p->acked += s->bytes_acked;
			p->retrans += s->bytes_retrans;
			p->received += s->bytes_received;
			p->lost += s->lost;
			p->flips += v->flips;
			here->subflows++;
			here->backup += s->backup || s->request_bkup;
			here->stale += s->stale;
			here->cwnd += (uint64_t)s->cwnd * s->mss;
			here->inflight += (uint64_t)s->inflight * s->mss;
			here->unsent += s->unsent;
			here->srtt_us += s->srtt_us;
			if (v->seen)
				add_rtts(here, &v->sight);
		}
	}
}

static void write_paths(struct metrics *m, struct exposition *x)
{
	struct metrics_path sums[METRICS_PATHS];
	struct now *now = calloc(METRICS_PATHS, sizeof(*now));
	int n = m->npaths;

	if (!now)
		return;
	memcpy(sums, m->path, sizeof(sums));
	add_live(x, sums, &n, now);
#define COUNTER(_name, _member, _help)                                                    \
	family(x, "path_" _name, "counter", _help);                                       \
	for (int i = 0; i < n; i++)                                                       \
		sample(x, "path_" _name "_total", sums[i]._member, "device=\"%s\"", sums[i].dev)
#define GAUGE(_name, _value, _help)                                                       \
	family(x, "path_" _name, "gauge", _help);                                         \
	for (int i = 0; i < n; i++)                                                       \
		sample(x, "path_" _name, _value, "device=\"%s\"", sums[i].dev)
	COUNTER("sent_bytes", sent, "Bytes of payload sent by subflows of the path, retransmissions included.");
	COUNTER("acked_bytes", acked, "Bytes of payload acknowledged.");
	COUNTER("retransmitted_bytes", retrans, "Bytes of payload retransmitted on the same subflow.");
	COUNTER("received_bytes", received, "Bytes of payload received in order by subflows of the path.");
	COUNTER("lost_segments", lost, "Segments marked lost.");
	COUNTER("priority_changes", flips, "Priorities changed by schedulers of mptcp-bpf.");
	COUNTER("closed_subflows", closed, "Subflows that closed without a reset.");
	COUNTER("reset_subflows", reset, "Subflows that ended by MP_TCPRST of either end.");
	COUNTER("refused_subflows", refused, "Subflows that were never established.");
	GAUGE("subflows", now[i].subflows, "Subflows that live.");
	GAUGE("backup_subflows", now[i].backup, "Subflows that are backup now.");
	GAUGE("stale_subflows", now[i].stale, "Subflows that the kernel has given up for the time being.");
	GAUGE("cwnd_bytes", now[i].cwnd, "Sum of the congestion windows.");
	GAUGE("inflight_bytes", now[i].inflight, "Sum of what is in flight.");
	GAUGE("unsent_bytes", now[i].unsent, "Sum of what waits in subflows' queues.");
	GAUGE("srtt_seconds", now[i].subflows ? now[i].srtt_us / now[i].subflows / 1e6 : 0, "Mean of the smoothed round-trip times.");
	family(x, "path_rtt_percentile_seconds", "gauge", "Round-trip times of the last 10 to 20 seconds.");
	for (int i = 0; i < n; i++) {
		static const unsigned int percent[] = { 50, 95 };
		struct mpb_sight all = {};

		memcpy(all.rtts, now[i].rtts, sizeof(all.rtts));
		for (int k = 0; k < 2; k++) {
			uint32_t us = sight_rtt(&all, x->conns->now_ns, percent[k]);

			if (us)
				sample(x, "path_rtt_percentile_seconds", us / 1e6, "device=\"%s\",percentile=\"%u\"", sums[i].dev, percent[k]);
		}
	}
	free(now);
}

static void write_scheds(struct exposition *x)
{
	uint64_t fallbacks[MPB_FB_MAX] = {};

	family(x, "connections", "gauge", "Connections by the scheduler in force and what carries it out.");
	for (int i = 0; i < x->conns->n; i++) {
		const struct conn_view *c = &x->conns->list[i];
		int same = 0, earlier = 0;

		fallbacks[c->fallback ? c->subflows[0].snap->fallback % MPB_FB_MAX : MPB_FB_NONE]++;
		for (int k = 0; k < i && !earlier; k++)
			earlier = !strcmp(c->sched, x->conns->list[k].sched) && c->backend == x->conns->list[k].backend;
		for (int k = i; !earlier && k < x->conns->n; k++)
			same += !strcmp(c->sched, x->conns->list[k].sched) && c->backend == x->conns->list[k].backend;
		if (!earlier)
			sample(x, "connections", same, "scheduler=\"%s\",backend=\"%s\"", c->sched, c->backend);
	}
	family(x, "fallback_connections", "gauge", "Connections that are plain TCP, by cause.");
	for (int i = MPB_FB_NONE + 1; i < MPB_FB_MAX; i++)
		sample(x, "fallback_connections", fallbacks[i], "cause=\"%s\"", fallback_word(i));
}

static void write_counters(struct metrics *m, struct exposition *x)
{
	struct mpb_steer_counts steer;

	if (x->conns->observed) {
#define X(_name, _help)                                                                   \
		family(x, "observer_" #_name, "counter", "Since the first load: " _help "."); \
		sample(x, "observer_" #_name "_total", x->conns->counters._name, "%s", "");
		MPB_NS_COUNTERS(X)
#undef X
		family(x, "observer_waits_full", "counter", "Since the first load: segments that found data waiting and no room to note it.");
		sample(x, "observer_waits_full_total", x->conns->waits_full, "%s", "");
		family(x, "unaccounted_subflows", "counter", "Ended subflows that were forgotten before they were added to the paths' counters.");
		sample(x, "unaccounted_subflows_total", m->missed, "%s", "");
	}
	if (steer_counts(x->ns, &steer))
		return;
#define X(_name, _help)                                                                   \
	family(x, "steer_" #_name, "counter", "Of the scheduler runtime: " _help ".");    \
	sample(x, "steer_" #_name "_total", steer._name, "%s", "");
	MPB_STEER_COUNTERS(X)
#undef X
}

static int write_attachment(const struct attachment *a, void *arg)
{
	void **args = arg;
	const struct loaded *l = args[0];
	struct exposition *x = args[1];
	struct mpb_counts sum;
	char dev[IF_NAMESIZE];

	if (loaded_counts(l, a->ifindex, a->dir, &sum) || !if_indextoname(a->ifindex, dev))
		return 0;
	for (int i = 0; i < l->desc.ncounters; i++)
		sample(x, "policy_events_total", sum.n[i], "policy=\"%s\",device=\"%s\",direction=\"%s\",event=\"%s\"", l->desc.policy.name, dev,
		       a->dir == MPB_OUT ? "out" : "in", l->desc.counters[i]);
	return 0;
}

static int write_policy(struct loaded *l, void *arg)
{
	void *args[] = { l, arg };

	return loaded_attachments(l, write_attachment, args);
}

static void write_connections(struct exposition *x)
{
#define EACH for (int i = 0; i < x->conns->n; i++) for (int k = 0; k < x->conns->list[i].nsubflows; k++)
#define OF(_name, _value) \
	sample(x, _name, _value, "token=\"0x%08x\",subflow=\"%d\",device=\"%s\",peer=\"%s\"", x->conns->list[i].token, x->conns->list[i].subflows[k].id, \
	       x->conns->list[i].subflows[k].dev, x->conns->list[i].subflows[k].remote)
	family(x, "subflow_sent_bytes", "counter", "Bytes of payload sent by the subflow.");
	EACH OF("subflow_sent_bytes_total", x->conns->list[i].subflows[k].snap->bytes_sent);
	family(x, "subflow_received_bytes", "counter", "Bytes of payload received by the subflow.");
	EACH OF("subflow_received_bytes_total", x->conns->list[i].subflows[k].snap->bytes_received);
	family(x, "subflow_srtt_seconds", "gauge", "Smoothed round-trip time of the subflow.");
	EACH OF("subflow_srtt_seconds", x->conns->list[i].subflows[k].snap->srtt_us / 1e6);
}

int metrics_write(struct metrics *m, enum metrics_format format, FILE *to)
{
	struct exposition x = { .to = to, .format = format, .ns = m->ns };
	struct conns conns;
	int err = conns_read(m->ns, 0, &conns);

	if (err)
		return err;
	x.conns = &conns;
	getifaddrs(&x.addrs); /* without them paths have no names */
	account_ended(m, &x);
	family(&x, "build_info", "gauge", "The version of mptcp-bpf.");
	sample(&x, "build_info", 1, "version=\"%s\"", MPB_VERSION);
	write_scheds(&x);
	write_paths(m, &x);
	write_counters(m, &x);
	family(&x, "policy_events", "counter", "What option policies counted, by device and direction.");
	loaded_each(m->ns, write_policy, &x);
	if (m->connections)
		write_connections(&x);
	if (format == METRICS_OPENMETRICS)
		fputs("# EOF\n", to);
	freeifaddrs(x.addrs);
	conns_free(&conns);
	return 0;
}
