/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "config.h"
#include "err.h"
#include "loaded.h"
#include "paths.h"
#include "pin.h"
#include "rules.h"
#include "terms.h"

/* What hangs on a device of one policy. */
struct spot {
	int ifindex;
	char dev[IF_NAMESIZE];
	bool in, out, xdp;
};

struct now {
	struct {
		json_t *json;
		uint32_t kind, id; /* of its oldest link: policies chain in this order */
	} policies[CONFIG_POLICIES_MAX];
	int n;
	struct spot spots[512];
	int nspots;
	uint32_t id;
};

static int add_spot(const struct attachment *a, void *arg)
{
	struct now *now = arg;
	char name[IF_NAMESIZE];
	struct spot *s;
	int i = 0;

	if (!if_indextoname(a->ifindex, name))
		return 0;
	while (i < now->nspots && strcmp(now->spots[i].dev, name))
		i++;
	if (i == (int)(sizeof(now->spots) / sizeof(now->spots[0])))
		return 0;
	s = &now->spots[i];
	if (i == now->nspots) {
		memset(s, 0, sizeof(*s));
		strcpy(s->dev, name);
		s->ifindex = a->ifindex;
		now->nspots++;
	}
	if (!strcmp(a->hook, "xdp"))
		s->xdp = true;
	else if (a->dir == MPB_IN)
		s->in = true;
	else
		s->out = true;
	if (!now->id || a->id < now->id)
		now->id = a->id;
	return 0;
}

static int by_ifindex(const void *a, const void *b)
{
	return ((const struct spot *)a)->ifindex - ((const struct spot *)b)->ifindex;
}

static bool alike(const struct spot *a, const struct spot *b)
{
	return a->in == b->in && a->out == b->out && a->xdp == b->xdp;
}

/* The devices that are used as spot i is, in one place. */
static void put_place(json_t *to, const struct now *now, int i, bool with_hook)
{
	const struct spot *s = &now->spots[i];
	json_t *devs = json_array();

	for (int k = i; k < now->nspots; k++)
		if (alike(&now->spots[k], s))
			json_array_append_new(devs, json_string(now->spots[k].dev));
	json_object_set_new(to, "dev", devs);
	if (with_hook && s->xdp)
		json_object_set_new(to, "hook", json_string("xdp"));
	else if (with_hook && !(s->in && s->out))
		json_object_set_new(to, "dir", json_string(s->in ? "in" : "out"));
}

static void put_places(json_t *o, const struct now *now, bool with_hook)
{
	json_t *list = json_array(), *place;

	for (int i = 0; i < now->nspots; i++) {
		bool seen = false;

		for (int k = 0; k < i; k++)
			seen |= alike(&now->spots[k], &now->spots[i]);
		if (seen)
			continue;
		place = json_object();
		put_place(place, now, i, with_hook);
		json_array_append_new(list, place);
	}
	if (json_array_size(list) == 1)
		json_object_update(o, json_array_get(list, 0));
	else if (json_array_size(list))
		json_object_set(o, "at", list);
	json_decref(list);
}

/* Tunables that are not at their default. */
static json_t *settings(const struct loaded *l, const struct now *now)
{
	json_t *set = json_object();
	char key[64];
	uint64_t value;

	for (int i = 0; i < l->desc.ntunables; i++) {
		const struct tunable *t = &l->desc.tunables[i];

		if (!loaded_tunable(l, t, 0, &value) && value != t->dfl)
			json_object_set_new(set, t->name, json_integer(value));
		for (int k = 0; t->slot >= 0 && k < now->nspots; k++) {
			if (loaded_tunable(l, t, if_nametoindex(now->spots[k].dev), &value))
				continue;
			snprintf(key, sizeof(key), "%s@%s", t->name, now->spots[k].dev);
			json_object_set_new(set, key, json_integer(value));
		}
	}
	return set;
}

static int add_policy(struct loaded *l, void *arg)
{
	struct now *now = arg;
	json_t *o = json_pack("{s:s}", "load", l->desc.policy.name), *set;

	if (now->n == CONFIG_POLICIES_MAX)
		return err_fail(E2BIG, "policies", "more than %d are loaded", CONFIG_POLICIES_MAX);
	now->nspots = now->id = 0;
	if (l->at[0])
		loaded_attachments(l, add_spot, now);
	qsort(now->spots, now->nspots, sizeof(now->spots[0]), by_ifindex);
	put_places(o, now, l->desc.policy.kind == MPB_OPT_POLICY);
	set = settings(l, now);
	if (json_object_size(set))
		json_object_set(o, "set", set);
	json_decref(set);
	now->policies[now->n].json = o;
	now->policies[now->n].kind = l->desc.policy.kind;
	now->policies[now->n++].id = l->desc.policy.kind == MPB_OPT_POLICY ? now->id : 0;
	return 0;
}

/* Option policies first, each behind those that it follows on the devices. */
static bool before(const struct now *now, int a, int b)
{
	bool x = now->policies[a].kind == MPB_OPT_POLICY, y = now->policies[b].kind == MPB_OPT_POLICY;

	return x != y ? x : x && now->policies[a].id < now->policies[b].id;
}

static json_t *policies_now(const struct ns *ns)
{
	struct now *now = calloc(1, sizeof(*now));
	json_t *list = json_array();

	if (now)
		loaded_each(ns, add_policy, now);
	for (int i = 0; now && i < now->n; i++) {
		size_t place = 0;

		for (int k = 0; k < now->n; k++)
			place += before(now, k, i) || (k < i && !before(now, i, k));
		json_object_set_new(now->policies[i].json, "place", json_integer(place));
	}
	for (int place = 0; now && place < now->n; place++) {
		for (int i = 0; i < now->n; i++)
			if (json_integer_value(json_object_get(now->policies[i].json, "place")) == place)
				json_array_append(list, now->policies[i].json);
	}
	for (int i = 0; now && i < now->n; i++) {
		json_object_del(now->policies[i].json, "place");
		json_decref(now->policies[i].json);
	}
	free(now);
	return list;
}

/* Exactly, where rate_text() is for people. */
static void put_rate(json_t *o, const char *key, uint64_t bits)
{
	static const struct { const char *unit; uint64_t bits; } units[] = { { "gbit", 1000000000 }, { "mbit", 1000000 }, { "kbit", 1000 }, { "bit", 1 } };
	char rate[32];
	size_t i = 0;

	if (!bits)
		return;
	while (bits % units[i].bits)
		i++;
	snprintf(rate, sizeof(rate), "%llu%s", (unsigned long long)(bits / units[i].bits), units[i].unit);
	json_object_set_new(o, key, json_string(rate));
}

json_t *config_now_path(const struct mpb_path *p)
{
	json_t *o = path_json(p);
	char idle[16];

	json_object_del(o, "rate_bps");
	json_object_del(o, "ask_rate_bps");
	json_object_del(o, "ask_idle_s");
	json_object_del(o, "obey_bps");
	put_rate(o, "rate", p->rate * 8);
	put_rate(o, "ask-rate", mpb_terms_kbit(p->ask_rate) * 1000);
	if (p->ask_idle) {
		snprintf(idle, sizeof(idle), "%us", p->ask_idle);
		json_object_set_new(o, "ask-idle", json_string(idle));
	}
	put_rate(o, "obey", p->obey * 8);
	return o;
}

json_t *config_now(const struct ns *ns)
{
	json_t *rules = json_array(), *paths = json_array();
	struct mpb_rules r;
	struct mpb_paths p;

	rules_read(ns, &r);
	for (unsigned int i = 0; i < r.n; i++)
		json_array_append_new(rules, rule_json(ns, &r.rule[i]));
	paths_read(ns, &p);
	for (unsigned int i = 0; i < p.n; i++)
		json_array_append_new(paths, config_now_path(&p.path[i]));
	return json_pack("{s:o,s:o,s:o}", "policies", policies_now(ns), "rules", rules, "paths", paths);
}

/* Plain where no YAML reader could take it for something else. */
static void print_text(const char *text)
{
	static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./@-";

	if (text[0] && !strchr("-./@", text[0]) && text[strspn(text, plain)] == 0) {
		fputs(text, stdout);
		return;
	}
	putchar('"');
	for (; *text; text++)
		printf(*text == '"' || *text == '\\' ? "\\%c" : (unsigned char)*text < ' ' ? "\\x%02x" : "%c", (unsigned char)*text);
	putchar('"');
}

static void print_flow(const json_t *value)
{
	const char *key, *sep = "";
	json_t *child;
	size_t i;

	if (json_is_integer(value)) {
		printf("%lld", (long long)json_integer_value(value));
	} else if (json_is_string(value)) {
		print_text(json_string_value(value));
	} else if (json_is_array(value)) {
		putchar('[');
		json_array_foreach((json_t *)value, i, child) {
			printf("%s", i ? ", " : "");
			print_flow(child);
		}
		putchar(']');
	} else {
		putchar('{');
		json_object_foreach((json_t *)value, key, child) {
			printf("%s", sep);
			print_text(key);
			printf(": ");
			print_flow(child);
			sep = ", ";
		}
		putchar('}');
	}
}

void config_print(const json_t *config)
{
	const char *key;
	json_t *list, *entry;
	size_t i;

	json_object_foreach((json_t *)config, key, list) {
		printf(json_array_size(list) ? "%s:\n" : "%s: []\n", key);
		json_array_foreach(list, i, entry) {
			printf("  - ");
			print_flow(entry);
			putchar('\n');
		}
	}
}
