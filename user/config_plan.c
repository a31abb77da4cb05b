/* SPDX-License-Identifier: GPL-2.0-only */
/* What stands between a configuration and the namespace's present state. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "config.h"
#include "err.h"
#include "loaded.h"
#include "paths.h"
#include "rules.h"
#include "tunable.h"

struct plan {
	struct config *c;
	const struct ns *ns;
	json_t *changes;
};

static void change(struct plan *p, const char *verb, const char *why, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
static void change(struct plan *p, const char *verb, const char *why, const char *fmt, ...)
{
	char what[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(what, sizeof(what), fmt, ap);
	va_end(ap);
	json_array_append_new(p->changes, json_pack("{s:s,s:s,s:s}", "do", verb, "what", what, "why", why));
}

static const char *name_of(const struct config_policy *p)
{
	return p->policy.desc.policy.name;
}

/* How a policy hangs on one device. */
struct hanging {
	int ifindex;
	bool in, out, xdp;
	uint32_t oldest, newest; /* IDs of its links; 0 where it has none */
};

static int look_at(const struct attachment *a, void *arg)
{
	struct hanging *h = arg;

	if (a->ifindex != h->ifindex)
		return 0;
	if (!strcmp(a->hook, "xdp"))
		h->xdp = true;
	else if (a->dir == MPB_IN)
		h->in = true;
	else
		h->out = true;
	if (!h->oldest || a->id < h->oldest)
		h->oldest = a->id;
	if (a->id > h->newest)
		h->newest = a->id;
	return 0;
}

static struct hanging hanging(const struct plan *p, const char *name, int ifindex)
{
	struct hanging h = { .ifindex = ifindex };
	struct loaded l;

	if (loaded_open(p->ns, name, &l)) {
		err_clear();
		return h;
	}
	loaded_attachments(&l, look_at, &h);
	loaded_close(&l);
	return h;
}

static bool is_fresh(const struct config_policy *q, int ifindex, bool *there)
{
	for (int k = 0; k < q->nplaces; k++)
		for (int d = 0; d < q->places[k].ndevs; d++)
			if (q->places[k].devs[d].ifindex == ifindex && q->places[k].hook != HOOK_XDP) {
				*there = true;
				return q->places[k].fresh && q->places[k].fresh[d];
			}
	return false;
}

/* Policies chain at tc in the order of the file: one stays where it hangs only if those before it do, and hang in front. Returns what it must follow. */
static const char *displaced_by(const struct plan *p, const struct config_policy *own, const struct hanging *h)
{
	for (int i = 0; p->c->policies[i] != own; i++) {
		const struct config_policy *q = p->c->policies[i];
		bool there = false, fresh;

		if (q->policy.desc.policy.kind != MPB_OPT_POLICY)
			continue;
		fresh = is_fresh(q, h->ifindex, &there);
		if (there && (fresh || hanging(p, name_of(q), h->ifindex).newest > h->oldest))
			return name_of(q);
	}
	return NULL;
}

static int plan_device(struct plan *p, struct config_policy *own, struct config_place *place, int d)
{
	const struct dev *dev = &place->devs[d];
	struct hanging h = hanging(p, name_of(own), dev->ifindex);
	bool xdp = place->hook == HOOK_XDP, sched = own->policy.desc.policy.kind == MPB_SCHED;
	const char *first;
	int err = 0;

	if (!h.in && !h.out && !h.xdp) {
		place->fresh[d] = true;
		change(p, "attach", "not attached there", "%s %s", name_of(own), dev->name);
		return 0;
	}
	if (sched || (h.xdp && xdp && !h.in && !h.out))
		return 0;
	document_at(&p->c->doc, own->node);
	if (h.xdp != xdp || h.in != place->in || h.out != place->out)
		err = err_fail(EEXIST, name_of(own), "attached to %s already, at another hook or in another direction", dev->name);
	else if ((first = displaced_by(p, own, &h)))
		err = err_fail(EEXIST, name_of(own), "attached to %s already, in front of %s, which comes before it in the file", dev->name, first);
	if (err)
		err_hint("'mptcp-bpf unload %s' first", name_of(own));
	return err;
}

struct surplus {
	struct plan *plan;
	const struct config_policy *policy;
	int told;
};

static bool wants(const struct config *c, const struct config_policy *own, int ifindex)
{
	for (int i = 0; i < c->npolicies; i++) {
		const struct config_policy *q = c->policies[i];

		/* Schedulers share their devices. */
		if (q != own && (own->policy.desc.policy.kind != MPB_SCHED || q->policy.desc.policy.kind != MPB_SCHED))
			continue;
		for (int k = 0; k < q->nplaces; k++)
			for (int d = 0; d < q->places[k].ndevs; d++)
				if (q->places[k].devs[d].ifindex == ifindex)
					return true;
	}
	return false;
}

static int tell_surplus(const struct attachment *a, void *arg)
{
	struct surplus *s = arg;
	char name[IF_NAMESIZE];

	if (a->ifindex != s->told && if_indextoname(a->ifindex, name) && !wants(s->plan->c, s->policy, a->ifindex)) {
		change(s->plan, "detach", "not in the file", "%s %s", name_of(s->policy), name);
		s->told = a->ifindex;
	}
	return 0;
}

/* The value that the file gives a tunable, on one device or, for NULL, everywhere; false: it gives none. */
static bool setting_of(const struct config_policy *p, const struct tunable *t, const char *dev, uint64_t *value)
{
	const struct tunable *match;
	bool given = false;

	for (int i = 0; i < p->args.nsettings; i++) {
		const struct setting *s = &p->args.settings[i];

		if (!strcmp(s->key, t->name) && !strcmp(s->dev, dev ? dev : "") && !tunable_match(&p->policy.desc, s, &match, value))
			given = true;
	}
	return given;
}

static void plan_tunables(struct plan *p, const struct config_policy *own, const struct loaded *l)
{
	char why[64];
	uint64_t now, want;

	for (int i = 0; i < l->desc.ntunables; i++) {
		const struct tunable *t = &l->desc.tunables[i];

		want = t->dfl;
		setting_of(own, t, NULL, &want);
		if (!loaded_tunable(l, t, 0, &now) && now != want) {
			snprintf(why, sizeof(why), "was %llu", (unsigned long long)now);
			change(p, "set", why, "%s %s=%llu", name_of(own), t->name, (unsigned long long)want);
		}
		for (int k = 0; t->slot >= 0 && k < own->nplaces; k++) {
			for (int d = 0; d < own->places[k].ndevs; d++) {
				const struct dev *dev = &own->places[k].devs[d];
				bool is = !loaded_tunable(l, t, dev->ifindex, &now);

				if (!setting_of(own, t, dev->name, &want)) {
					if (is)
						change(p, "unset", "not in the file", "%s %s@%s", name_of(own), t->name, dev->name);
				} else if (!is || now != want) {
					snprintf(why, sizeof(why), is ? "was %llu" : "had none", (unsigned long long)now);
					change(p, "set", why, "%s %s@%s=%llu", name_of(own), t->name, dev->name, (unsigned long long)want);
				}
			}
		}
	}
}

static int plan_policy(struct plan *p, struct config_policy *own)
{
	struct surplus s = { p, own, 0 };
	struct loaded l;
	int err = 0;

	if (own->loaded && loaded_open(p->ns, name_of(own), &l))
		err_clear(), own->loaded = false;
	if (!own->loaded)
		change(p, "load", "not loaded", "%s", name_of(own));
	for (int k = 0; k < own->nplaces; k++)
		for (int d = 0; d < own->places[k].ndevs; d++) {
			if (!own->loaded)
				own->places[k].fresh[d] = true;
			else if (!err)
				err = plan_device(p, own, &own->places[k], d);
		}
	if (!own->loaded)
		return err;
	if (own->policy.desc.policy.kind != MPB_CC)
		loaded_attachments(&l, tell_surplus, &s);
	plan_tunables(p, own, &l);
	loaded_close(&l);
	return err;
}

static int plan_unload(struct loaded *l, void *arg)
{
	struct plan *p = arg;

	for (int i = 0; i < p->c->npolicies; i++)
		if (!strcmp(name_of(p->c->policies[i]), l->desc.policy.name))
			return 0;
	change(p, "unload", "not in the file", "%s", l->desc.policy.name);
	return 0;
}

static void words(const json_t *o, char *buf, size_t size)
{
	const char *key;
	json_t *value;
	size_t n = 0;

	buf[0] = 0;
	json_object_foreach((json_t *)o, key, value) {
		if (json_is_string(value))
			n += snprintf(buf + n, size - n, "%s%s %s", n ? " " : "", key, json_string_value(value));
		else
			n += snprintf(buf + n, size - n, "%s%s %lld", n ? " " : "", key, (long long)json_integer_value(value));
		if (n >= size)
			return;
	}
}

/* What one list has and the other has not. */
static void plan_list(struct plan *p, const char *verb, const char *why, const json_t *list, const json_t *other)
{
	json_t *a, *b;
	char text[400];
	size_t i, k;

	json_array_foreach((json_t *)list, i, a) {
		bool found = false;

		json_array_foreach((json_t *)other, k, b)
			found |= json_equal(a, b);
		if (found)
			continue;
		words(a, text, sizeof(text));
		change(p, verb, why, "%s", text);
	}
}

static json_t *rules_wanted(const struct config *c, const struct ns *ns)
{
	json_t *list = json_array();

	for (int i = 0; i < c->nrules; i++) {
		struct mpb_rule rule = c->rules[i].rule;
		json_t *o, *cc;

		rule.sched = 0;
		o = rule_json(ns, &rule);
		cc = json_incref(json_object_get(o, "cc"));
		json_object_del(o, "cc");
		if (c->rules[i].names.sched)
			json_object_set_new(o, "sched", json_string(c->rules[i].names.sched));
		if (cc)
			json_object_set_new(o, "cc", cc);
		json_array_append_new(list, o);
	}
	return list;
}

static void plan_lists(struct plan *p)
{
	json_t *now = config_now(p->ns), *rules = rules_wanted(p->c, p->ns), *paths = json_array();

	for (unsigned int i = 0; i < p->c->paths.n; i++)
		json_array_append_new(paths, config_now_path(&p->c->paths.path[i]));
	plan_list(p, "rule add", "not there", rules, json_object_get(now, "rules"));
	plan_list(p, "rule del", "not in the file", json_object_get(now, "rules"), rules);
	plan_list(p, "path add", "not there", paths, json_object_get(now, "paths"));
	plan_list(p, "path del", "not in the file", json_object_get(now, "paths"), paths);
	json_decref(now);
	json_decref(rules);
	json_decref(paths);
}

int config_plan(struct config *c, const struct ns *ns, json_t *changes)
{
	struct plan p = { c, ns, changes };
	int err = 0;

	for (int i = 0; i < c->npolicies; i++)
		for (int k = 0; k < c->policies[i]->nplaces; k++) {
			struct config_place *place = &c->policies[i]->places[k];

			place->fresh = calloc(place->ndevs + 1, sizeof(*place->fresh));
			if (!place->fresh)
				return err_fail(ENOMEM, "configuration", "out of memory");
		}
	for (int i = 0; !err && i < c->npolicies; i++)
		err = plan_policy(&p, c->policies[i]);
	err_where("%s", "");
	if (err)
		return err;
	loaded_each(ns, plan_unload, &p);
	plan_lists(&p);
	return 0;
}
