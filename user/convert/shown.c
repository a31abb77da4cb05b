/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdio.h>
#include <string.h>
#include "acl.h"
#include "service.h"
#include "shown.h"
#include "sight.h"
#include "table.h"

static const char *error_name(unsigned int code)
{
	switch (code) {
#define X(_code, _name, _help) case _code: return #_name;
		MPB_CONVERT_ERRORS(X)
#undef X
	}
	return "unknown";
}

static json_t *converter_json(const struct mpb_converter *c)
{
	struct sockaddr_in6 at = { .sin6_port = c->port };
	uint64_t now = monotonic_ns();
	char text[64];
	json_t *o;

	memcpy(&at.sin6_addr, c->addr, sizeof(c->addr));
	endpoint_text(text, sizeof(text), &at);
	o = json_pack("{s:s,s:s,s:s}", "name", c->name, "address", text, "state", c->down_until_ns > now ? "bypassed" : "up");
	if (c->down_until_ns > now)
		json_object_set_new(o, "bypassed_s", json_integer((c->down_until_ns - now) / 1000000000));
#define X(_name, _help) json_object_set_new(o, #_name, json_integer(c->_name));
	MPB_CONVERTER_COUNTERS(X)
#undef X
	if (c->errors)
		json_object_set_new(o, "last_error", json_string(error_name(c->last_error)));
	return o;
}

static int collect(const struct mpb_converter *c, void *arg)
{
	json_array_append_new(arg, converter_json(c));
	return 0;
}

json_t *converters_json(const struct ns *ns)
{
	json_t *array = json_array();

	table_each(ns, collect, array);
	return array;
}

void converters_text(const json_t *array, const char *before)
{
	json_t *o, *value;
	const char *key;
	size_t i;

	json_array_foreach(array, i, o) {
		fputs(before, stdout);
		json_object_foreach(o, key, value) {
			if (json_is_string(value))
				printf("%s%s", strcmp(key, "name") ? " " : "", json_string_value(value));
			else if (json_integer_value(value))
				printf(" %s %lld", key, (long long)json_integer_value(value));
		}
		putchar('\n');
	}
}

/* What changed at one of them, in JSON and in words. */
static void tell(struct teller *t, const struct mpb_converter *c, const char *what, const char *why)
{
	event_tell_other(t, "converter", json_pack("{s:s,s:s,s:s*}", "name", c->name, "what", what, "reason", why), "converter %s %s%s%s", c->name, what,
			 why ? ": " : "", why ? why : "");
}

struct looking {
	const struct converters_seen *before;
	struct converters_seen now;
	struct teller *t; /* NULL: nothing is told */
};

static int compare(const struct mpb_converter *c, void *arg)
{
	struct looking *l = arg;
	const struct mpb_converter *was = NULL;

	for (int i = 0; i < l->before->n; i++)
		if (!strcmp(l->before->was[i].name, c->name))
			was = &l->before->was[i];
	l->now.was[l->now.n++] = *c;
	if (!was || !l->t)
		return 0;
	if (c->unacked > was->unacked)
		tell(l->t, c, "bypassed", "does not take the request from the SYN");
	else if (c->silent > was->silent)
		tell(l->t, c, "bypassed", "does not answer");
	else if (was->down_until_ns && !c->down_until_ns)
		tell(l->t, c, "up", NULL);
	if (c->errors > was->errors)
		tell(l->t, c, "refuses", error_name(c->last_error));
	return 0;
}

void converters_look(struct converters_seen *seen, bool first, struct teller *t, const struct filter *f)
{
	struct looking l = { .before = seen, .t = !first && filter_event(f, "converter", NULL) ? t : NULL };

	table_each(t->ns, compare, &l);
	*seen = l.now;
}
