/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "cmd.h"
#include "conn.h"
#include "conn_json.h"
#include "conn_text.h"
#include "convert/shown.h"
#include "err.h"
#include "filter.h"
#include "metrics.h"
#include "recording.h"
#include "sight.h"
#include "state.h"
#include "steer.h"
#include "terms.h"

static void put(const char *comma, json_t *o)
{
	fputs(comma, stdout);
	json_dumpf(o, stdout, JSON_COMPACT);
	json_decref(o);
}

static void put_counters(const char *name, json_t *counters)
{
	printf(",\"%s\":", name);
	put("", counters);
}

/* A connection at a time: a tree of 65,536 of them takes 370 MB. */
static void stat_json(const struct ns *ns, const struct conns *conns, const struct filter *f)
{
	struct mpb_terms_counts terms;
	struct mpb_steer_counts steer;
	const char *comma = "";

	printf("{\"netns\":%" PRIu64, ns->cookie);
	if (conns->since_ns)
		printf(",\"interval_us\":%" PRIu64, (conns->now_ns - conns->since_ns) / 1000);
	printf(",\"connections\":[");
	for (int i = 0; i < conns->n; i++) {
		if (!filter_conn(f, &conns->list[i]))
			continue;
		put(comma, conn_json(conns, &conns->list[i]));
		comma = ",";
	}
	printf("],\"ended\":[");
	comma = "";
	for (int i = 0; i < conns->nended; i++) {
		if (!filter_ended(f, &conns->ended[i]))
			continue;
		put(comma, ended_json(conns, &conns->ended[i]));
		comma = ",";
	}
	putchar(']');
	if (conns->observed) {
		json_t *counters = json_object();

#define X(name, help) json_object_set_new(counters, #name, json_integer(conns->counters.name));
		MPB_NS_COUNTERS(X)
#undef X
		json_object_set_new(counters, "waits_full", json_integer(conns->waits_full));
		put_counters("observer", counters);
	}
	if (!steer_counts(ns, &steer)) {
		json_t *counters = json_object();

#define X(name, help) json_object_set_new(counters, #name, json_integer(steer.name));
		MPB_STEER_COUNTERS(X)
#undef X
		put_counters("steer", counters);
	}
	if (!state_terms(ns, &terms))
		put_counters("terms", terms_counts_json(&terms));
	put_counters("converters", converters_json(ns));
	puts("}");
}

static void full_text(const struct conns *c)
{
	if (c->counters.subflows_full || c->counters.conns_full || c->waits_full)
		printf("table full: %" PRIu64 " subflows, %" PRIu64 " connections and %" PRIu64 " waits not recorded (--max-subflows)\n",
		       (uint64_t)c->counters.subflows_full, (uint64_t)c->counters.conns_full, c->waits_full);
}

static void stat_text(const struct ns *ns, const struct conns *conns, const struct filter *f)
{
	json_t *converters = f->token ? NULL : converters_json(ns);

	for (int i = 0; i < conns->n; i++)
		if (filter_conn(f, &conns->list[i]))
			conn_text(conns, &conns->list[i]);
	for (int i = 0; i < conns->nended; i++)
		if (filter_ended(f, &conns->ended[i]))
			ended_text(conns, &conns->ended[i]);
	if (!f->token)
		full_text(conns);
	converters_text(converters, "converter ");
	json_decref(converters);
}

static bool has_token(const struct conns *conns, uint32_t token)
{
	for (int i = 0; i < conns->n; i++)
		if (conns->list[i].token == token)
			return true;
	for (int i = 0; i < conns->nended; i++)
		if (conns->ended[i].token == token)
			return true;
	return false;
}

/* The deltas are taken of readings by token; only what is shown is in another order. */
static void show(const struct args *a, const struct ns *ns, struct conns *conns, const struct filter *f)
{
	filter_sort(f, conns);
	if (a->json)
		stat_json(ns, conns, f);
	else
		stat_text(ns, conns, f);
	fflush(stdout);
}

/* What each interval brought, until the reader goes away. Round-trip times are kept meanwhile. */
static int repeat(const struct args *a, const struct ns *ns, const struct filter *f)
{
	struct timespec pause = { a->interval_ms / 1000, a->interval_ms % 1000 * 1000000 };
	struct conns before, now;
	int err = conns_read(ns, 0, &before);

	while (!err) {
		watch_rtts(ns, WATCH_NS + a->interval_ms * 1000000ULL);
		nanosleep(&pause, NULL);
		err = conns_read(ns, a->interval_ms * 1000000ULL, &now);
		if (err)
			break;
		conns_since(&now, &before);
		conns_free(&before);
		show(a, ns, &now, f);
		if (!a->json)
			putchar('\n');
		if (ferror(stdout))
			err = err_fail(EPIPE, "stdout", "cannot write");
		conns_by_token(&now);
		before = now;
	}
	conns_free(&before);
	return err;
}

/* Each interval to the file, until interrupted. It was opened before: paths mean something else in another mount namespace. */
static int record(const struct args *a, const struct ns *ns, const struct filter *f, int fd)
{
	uint32_t ms = a->interval_ms ? a->interval_ms : 1000;
	struct timespec pause = { ms / 1000, ms % 1000 * 1000000 };
	struct conns conns;
	int err;

	do {
		err = conns_read(ns, 0, &conns);
		if (err)
			break;
		err = recording_append(fd, &conns, f);
		conns_free(&conns);
		nanosleep(&pause, NULL);
	} while (!err);
	return err;
}

static int expose(const struct args *a, const struct ns *ns)
{
	struct metrics m = { .ns = ns, .connections = a->connections };

	return metrics_write(&m, METRICS_OPENMETRICS, stdout);
}

int cmd_stat(const struct args *a)
{
	struct conns conns;
	struct filter f;
	struct ns ns;
	int err, fd = -1;

	err = filter_parse(a, FILTER_CONNS, &f);
	if (!err && a->record)
		err = fd = recording_open(a->record);
	if (err >= 0)
		err = ns_enter(a->netns, &ns);
	if (!err && a->record)
		err = record(a, &ns, &f, fd);
	if (fd >= 0)
		close(fd);
	if (err || a->record)
		return err;
	if (a->openmetrics)
		return expose(a, &ns);
	if (!err && a->interval_ms)
		return repeat(a, &ns, &f);
	if (!err)
		err = conns_read(&ns, a->all ? UINT64_MAX : MEMORY_NS, &conns);
	if (err)
		return err;
	if (f.token && !has_token(&conns, f.token)) {
		char token[16];

		snprintf(token, sizeof(token), "0x%x", f.token);
		err = err_fail(ENOENT, token, "no connection has this token here");
	} else {
		show(a, &ns, &conns, &f);
	}
	conns_free(&conns);
	return err;
}
