/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "sim.h"

#define BLOCK 1000 /* bytes of a stream's block */

struct app {
	uint64_t begun; /* of the stream, or when the request left */
	uint64_t blocks, delivered;
	uint64_t until; /* DSN after the response */
};

struct app_model model;
struct sample delays, completions;

static void add(struct sample *s, uint64_t ns)
{
	if (s->n == s->size) {
		s->size = s->size ? 2 * s->size : 4096;
		s->ns = realloc(s->ns, s->size * sizeof(*s->ns));
		if (!s->ns)
			abort();
	}
	s->ns[s->n++] = ns;
}

bool parse_scaled(const char *word, const char *units, double *value)
{
	char *end;

	*value = strtod(word, &end);
	if (end == word || !(*value >= 0 && *value < 1e12))
		return false;
	for (; *units; units += strlen(units) + 1) { /* "unit\0scale\0unit\0scale\0" */
		const char *scale = units + strlen(units) + 1;

		if (!strcmp(end, units)) {
			*value *= atof(scale);
			return true;
		}
		units = scale;
	}
	return !*end;
}

/* bulk[:BYTES], stream:RATE, request:BYTES[:GAP] */
bool app_parse(const char *word)
{
	char kind[16], number[32], gap[32] = "100ms";
	double value = 0, pause;
	int n = 0, fields = sscanf(word, "%15[a-z]%n:%31[^:]:%31[^:]", kind, &n, number, gap);

	if (fields < 1 || (fields == 1 && word[n]) || !parse_scaled(gap, "ms\0" "1e6\0" "s\0" "1e9\0", &pause))
		return false;
	if (!strcmp(kind, "bulk") && fields <= 2) {
		model.kind = BULK;
	} else if (!strcmp(kind, "stream") && fields == 2) {
		model.kind = STREAM;
		if (!parse_scaled(number, "mbit\0" "125000\0" "kbit\0" "125\0", &value) || value < 1)
			return false;
		model.rate = value;
		return true;
	} else if (!strcmp(kind, "request") && fields >= 2) {
		model.kind = REQUEST;
		model.gap = pause;
	} else {
		return false;
	}
	if (fields >= 2 && (!parse_scaled(number, "kb\0" "1e3\0" "mb\0" "1e6\0", &value) || value < 1))
		return false;
	model.bytes = value;
	return true;
}

/* The blocks that are due, as far as there is room for them. */
static void stream(void *who, uint64_t timer, uint64_t b)
{
	struct conn *c = who;
	struct app *a = c->app;
	uint64_t interval = BLOCK * SECOND / model.rate;

	(void)b;
	while (a->begun + a->blocks * interval <= now && conn_room(c)) {
		c->write_seq += BLOCK;
		a->blocks++;
	}
	conn_push(c);
	if (timer)
		at(now + interval, stream, c, true, 0);
}

static void answer(void *who, uint64_t a, uint64_t b)
{
	struct conn *c = who;

	(void)a, (void)b;
	c->app->until = c->write_seq + model.bytes;
	app_room(c);
	conn_push(c);
}

static void request(void *who, uint64_t a, uint64_t b)
{
	struct conn *c = who;

	(void)a, (void)b;
	c->app->begun = now;
	at(now + setup.path[0].delay, answer, c, 0, 0);
}

void app_open(struct conn *c)
{
	struct app *a = c->app = calloc(1, sizeof(*a));

	if (!a)
		abort();
	a->begun = now;
	if (model.kind == STREAM)
		stream(c, true, 0);
	else if (model.kind == REQUEST)
		request(c, 0, 0);
	else
		a->until = model.bytes ? model.bytes : NEVER;
	app_room(c);
}

void app_room(struct conn *c)
{
	struct app *a = c->app;
	uint64_t room;

	if (model.kind == STREAM) {
		if (c->write_seq - c->snd_una && conn_room(c))
			stream(c, false, 0);
		return;
	}
	room = conn_room(c);
	if (room > a->until - c->write_seq)
		room = a->until - c->write_seq;
	c->write_seq += room;
	conn_room(c); /* has it filled the buffer? */
}

void app_delivered(struct conn *c)
{
	struct app *a = c->app;

	if (model.kind == STREAM) {
		for (; (a->delivered + 1) * BLOCK <= c->rcv_nxt; a->delivered++)
			add(&delays, now - a->begun - a->delivered * (BLOCK * SECOND / model.rate));
	} else if (c->rcv_nxt == a->until) {
		add(&completions, now - a->begun);
		if (model.kind == REQUEST)
			at(now + model.gap, request, c, 0, 0);
	}
}
