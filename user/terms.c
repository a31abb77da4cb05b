/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include "iterate.h"
#include "paths.h"
#include "terms.h"

int terms_live(const struct ns *ns)
{
	static const char *const shared[] = { "mpb_subflows", "mpb_deals", "mpb_paths", NULL };

	return iterate_on(ns, "terms_live", shared, "the terms of paths cannot be put in force on subflows that live");
}

static bool is_anything(struct mpb_terms t)
{
	return t.rate || t.idle;
}

static json_t *terms_json(struct mpb_terms t)
{
	json_t *o = json_object();

	json_object_set_new(o, "rate_bps", t.rate ? json_integer(mpb_terms_kbit(t.rate) * 1000) : json_null());
	json_object_set_new(o, "idle_s", t.idle ? json_integer(t.idle) : json_null());
	return o;
}

static bool is_taken(const struct mpb_deal *d)
{
	return d->has_taken && d->taken.rate == d->ask.rate && d->taken.idle == d->ask.idle;
}

json_t *deal_json(const struct mpb_deal *d)
{
	json_t *o = json_object(), *ask;

	if (is_anything(d->ask) || d->said < MPB_TERMS_TIMES) {
		ask = terms_json(d->ask);
		json_object_set_new(ask, "taken", json_boolean(is_taken(d)));
		json_object_set_new(o, "asks", ask);
	}
	if (is_anything(d->asked))
		json_object_set_new(o, "obeys", terms_json(d->asked));
	if (d->refused)
		json_object_set_new(o, "refused", json_integer(d->refused));
	if (json_object_size(o))
		return o;
	json_decref(o);
	return NULL;
}

static void put(struct mpb_terms t, char *buf, size_t size)
{
	char rate[24];
	size_t n = strlen(buf);

	if (t.rate)
		n += snprintf(buf + n, size - n, " at most %s", rate_text(mpb_terms_bytes(t.rate), rate));
	if (t.idle && n < size)
		n += snprintf(buf + n, size - n, "%s not idle for %u s", t.rate ? "," : "", t.idle);
	if (!is_anything(t) && n < size)
		snprintf(buf + n, size - n, " nothing any more");
}

void deal_text(const struct mpb_deal *d, char *buf, size_t size)
{
	buf[0] = 0;
	if (is_anything(d->ask) || d->said < MPB_TERMS_TIMES) {
		snprintf(buf, size, "asks for");
		put(d->ask, buf, size);
		snprintf(buf + strlen(buf), size - strlen(buf), is_taken(d) ? " (taken)" : " (no answer)");
	}
	if (is_anything(d->asked)) {
		snprintf(buf + strlen(buf), size - strlen(buf), "%sobeys:", buf[0] ? "; " : "");
		put(d->asked, buf, size);
	}
	if (d->refused)
		snprintf(buf + strlen(buf), size - strlen(buf), "%srefused %u times", buf[0] ? "; " : "", d->refused);
}

json_t *terms_counts_json(const struct mpb_terms_counts *counts)
{
	json_t *o = json_object();

#define X(name, help) json_object_set_new(o, #name, json_integer(counts->name));
	MPB_TERMS_COUNTERS(X)
#undef X
	return o;
}
