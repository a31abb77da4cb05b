/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <bpf/libbpf.h>
#include "config.h"
#include "err.h"
#include "loaded.h"
#include "preset.h"
#include "tunable.h"

struct reading {
	struct config *c;
	struct config_policy *p;
	const char *dev; /* of a setting; NULL: for all */
};

static int read_dev(const char *key, yaml_node_t *value, void *arg)
{
	struct reading *r = arg;
	struct config_place *place = &r->p->places[r->p->nplaces];
	const char *name = document_text(&r->c->doc, value);

	(void)key;
	if (!name)
		return -EINVAL;
	if (place->ndevs == (int)(sizeof(place->names) / sizeof(place->names[0])))
		return err_usage("dev", "more than %d devices", place->ndevs);
	if (strlen(name) >= IFNAMSIZ)
		return err_usage("dev", "'%s' has more than %d characters", name, IFNAMSIZ - 1);
	for (int i = 0; i < place->ndevs; i++)
		if (!strcmp(place->names[i], name))
			return err_usage("dev", "'%s' is named twice", name);
	strcpy(place->names[place->ndevs++], name);
	return 0;
}

/* dev, hook and dir: a policy has them, or a list of such under `at`. */
static int read_place(const char *key, yaml_node_t *value, void *arg)
{
	struct reading *r = arg;
	struct config_place *place = &r->p->places[r->p->nplaces];
	const char *text;

	if (!strcmp(key, "dev") && value->type == YAML_SEQUENCE_NODE)
		return document_entries(&r->c->doc, value, read_dev, r);
	text = document_text(&r->c->doc, value);
	if (!text)
		return -EINVAL;
	if (!strcmp(key, "dev"))
		return read_dev(NULL, value, r);
	if (!strcmp(key, "hook")) {
		if (strcmp(text, "tcx") && strcmp(text, "xdp"))
			return err_usage(key, "'%s' is not tcx or xdp", text);
		place->hook = !strcmp(text, "tcx") ? HOOK_TCX : HOOK_XDP;
	} else if (!strcmp(key, "dir")) {
		if (strcmp(text, "in") && strcmp(text, "out") && strcmp(text, "both"))
			return err_usage(key, "'%s' is not in, out or both", text);
		place->in = strcmp(text, "out");
		place->out = strcmp(text, "in");
	} else {
		return err_usage(key, "not a key of a place; there are dev, hook, dir");
	}
	return 0;
}

static int end_place(struct config_policy *p)
{
	struct config_place *place = &p->places[p->nplaces++];

	if (place->hook == HOOK_XDP && place->out)
		return err_usage("dir", "XDP sees incoming packets only: hook xdp goes with dir in");
	if (!place->in && !place->out) {
		place->in = true;
		place->out = place->hook != HOOK_XDP;
	}
	return 0;
}

static int read_at(const char *key, yaml_node_t *value, void *arg)
{
	struct reading *r = arg;
	int err;

	(void)key;
	if (r->p->nplaces == CONFIG_PLACES_MAX)
		return err_usage("at", "more than %d places", CONFIG_PLACES_MAX);
	err = document_pairs(&r->c->doc, value, read_place, r);
	return err ? err : end_place(r->p);
}

/* KEY: VALUE, and KEY@DEV: VALUE. */
static int read_setting(const char *key, yaml_node_t *value, void *arg)
{
	struct reading *r = arg;
	struct load_args *l = &r->p->args;
	const char *text = document_text(&r->c->doc, value);
	char word[160];

	if (!text)
		return -EINVAL;
	if (l->nsettings == (int)(sizeof(l->settings) / sizeof(l->settings[0])))
		return err_usage("set", "more than %d settings", l->nsettings);
	if (strchr(key, '=') || snprintf(word, sizeof(word), "%s=%s", key, text) >= (int)sizeof(word))
		return err_usage(key, "not a setting");
	return setting_parse(word, &l->settings[l->nsettings++]);
}

static int read_policy_key(const char *key, yaml_node_t *value, void *arg)
{
	struct reading *r = arg;

	if (!strcmp(key, "load"))
		r->p->word = document_text(&r->c->doc, value);
	else if (!strcmp(key, "set"))
		return document_pairs(&r->c->doc, value, read_setting, r);
	else if (!strcmp(key, "at"))
		return document_entries(&r->c->doc, value, read_at, r);
	else if (!strcmp(key, "dev") || !strcmp(key, "hook") || !strcmp(key, "dir"))
		return r->p->nplaces ? err_usage(key, "goes before 'at', or into it") : read_place(key, value, r);
	else
		return err_usage(key, "not a key of a policy; there are load, dev, hook, dir, at, set");
	return r->p->word ? 0 : -EINVAL;
}

static int read_policy(const char *key, yaml_node_t *node, void *arg)
{
	struct reading *r = arg;
	int err;

	(void)key;
	if (r->c->npolicies == CONFIG_POLICIES_MAX)
		return err_usage("policies", "more than %d", CONFIG_POLICIES_MAX);
	r->p = calloc(1, sizeof(*r->p));
	if (!r->p)
		return err_fail(ENOMEM, "policies", "out of memory");
	r->c->policies[r->c->npolicies++] = r->p;
	r->p->node = node;
	if (node->type == YAML_SCALAR_NODE) {
		r->p->word = document_text(&r->c->doc, node);
		err = r->p->word ? 0 : -EINVAL;
	} else {
		err = document_pairs(&r->c->doc, node, read_policy_key, r);
	}
	document_at(&r->c->doc, node);
	if (!err && !r->p->word)
		err = err_usage("policy", "does not say which one: load: NAME");
	if (!err && !r->p->nplaces)
		err = end_place(r->p);
	r->p->args.policy = r->p->word;
	if (!err)
		err = preset_expand(&r->p->args);
	return !err && policy_is_path(r->p->args.policy) ? policy_open(r->p->args.policy, &r->p->policy) : err;
}

/* Any node under a rule or path: both are read when the namespace is known. */
static int check_kinds(const char *key, yaml_node_t *value, void *arg)
{
	struct config *c = arg;

	if (!strcmp(key, "policies")) {
		struct reading r = { .c = c };

		return document_entries(&c->doc, value, read_policy, &r);
	}
	if (!strcmp(key, "agent"))
		return config_read_agent(c, value);
	if (strcmp(key, "rules") && strcmp(key, "paths"))
		return err_usage(key, "not a key of a configuration; there are policies, rules, paths, agent");
	return value->type == YAML_SEQUENCE_NODE ? 0 : err_usage(key, "must be a list");
}

int config_read(const char *file, struct config *c)
{
	yaml_node_t *root;
	int err;

	memset(c, 0, sizeof(*c));
	err = document_read(file, &c->doc);
	root = err ? NULL : document_root(&c->doc);
	if (root)
		err = document_pairs(&c->doc, root, check_kinds, c);
	err_where("%s", "");
	return err;
}

static int resolve_places(struct config_policy *p)
{
	for (int i = 0; i < p->nplaces; i++) {
		struct config_place *place = &p->places[i];

		place->ndevs = dev_select(place->names, place->ndevs, &place->devs);
		if (place->ndevs < 0)
			return place->ndevs;
		if (place->ndevs > (int)(sizeof(p->args.devs) / sizeof(p->args.devs[0])))
			return err_usage("dev", "more than %zu devices", sizeof(p->args.devs) / sizeof(p->args.devs[0]));
	}
	return 0;
}

static bool is_given(const struct config_policy *p)
{
	return p->nplaces > 1 || p->places[0].names[0][0] || p->places[0].hook || !p->places[0].in || !p->places[0].out;
}

static int check_settings(const struct config_policy *p)
{
	const struct tunable *t;
	uint64_t value;
	int err = 0;

	for (int i = 0; !err && i < p->args.nsettings; i++) {
		const struct setting *s = &p->args.settings[i];
		bool there = !s->dev[0];

		err = tunable_match(&p->policy.desc, s, &t, &value);
		for (int k = 0; k < p->nplaces; k++)
			for (int d = 0; d < p->places[k].ndevs; d++)
				there |= !strcmp(p->places[k].devs[d].name, s->dev);
		if (!err && !there)
			err = err_usage(s->dev, "is not one of the devices that %s is attached to", p->policy.desc.policy.name);
	}
	return err;
}

static bool has_xdp(const struct config_policy *p)
{
	for (int i = 0; i < p->nplaces; i++)
		if (p->places[i].hook == HOOK_XDP)
			return true;
	return false;
}

static int resolve_policy(const struct config *c, struct config_policy *p, const struct ns *ns)
{
	const struct mpb_policy *own = &p->policy.desc.policy;
	bool by_file = p->policy.obj;
	struct loaded l;
	int err = 0;

	document_at(&c->doc, p->node);
	if (!loaded_open(ns, by_file ? own->name : p->args.policy, &l)) {
		p->loaded = true;
		if (!by_file && has_xdp(p) && policy_open(p->args.policy, &p->policy)) /* the dispatcher attaches a copy */
			err_clear();
		if (!by_file)
			p->policy.desc = l.desc;
		else if (own->kind != l.desc.policy.kind)
			err = err_fail(EEXIST, own->name, "is loaded as one of kind %s", kind_word(l.desc.policy.kind));
		loaded_close(&l);
	} else {
		err_clear();
		if (!by_file)
			err = policy_open(p->args.policy, &p->policy);
	}
	for (int i = 0; !err && c->policies[i] != p; i++)
		if (!strcmp(c->policies[i]->policy.desc.policy.name, own->name))
			err = err_usage(own->name, "is there twice");
	if (!err && own->kind == MPB_CC && is_given(p))
		err = err_usage(own->name, "a congestion control is not attached to devices");
	if (!err && own->kind == MPB_SCHED && (p->nplaces > 1 || p->places[0].hook == HOOK_XDP || !p->places[0].in || !p->places[0].out))
		err = err_usage(own->name, "a scheduler has devices, but neither hook nor direction");
	if (!err && own->kind != MPB_CC)
		err = resolve_places(p);
	if (!err)
		err = check_settings(p);
	return err || p->loaded ? err : load_check(&p->policy, &p->args);
}

static yaml_node_t *section(struct config *c, const char *name)
{
	yaml_node_t *root = document_root(&c->doc);

	for (yaml_node_pair_t *p = root ? root->data.mapping.pairs.start : NULL; root && p < root->data.mapping.pairs.top; p++)
		if (!strcmp((const char *)yaml_document_get_node(&c->doc.yaml, p->key)->data.scalar.value, name))
			return yaml_document_get_node(&c->doc.yaml, p->value);
	return NULL;
}

int config_resolve(struct config *c, const struct ns *ns)
{
	yaml_node_t *rules = section(c, "rules"), *paths = section(c, "paths");
	int err = 0;

	c->ns = ns;
	for (int i = 0; !err && i < c->npolicies; i++)
		err = resolve_policy(c, c->policies[i], ns);
	if (!err)
		err = config_read_rules(c, rules);
	if (!err && paths)
		err = config_read_paths(c, paths);
	err_where("%s", "");
	return err;
}

int config_verify(struct config *c)
{
	int err = 0;

	for (int i = 0; !err && i < c->npolicies; i++) {
		struct config_policy *p = c->policies[i];
		struct policy trial;

		if (p->loaded)
			continue;
		document_at(&c->doc, p->node);
		err = p->policy.image ? policy_open_mem(p->word, p->policy.image, p->policy.size, &trial) : policy_open(p->args.policy, &trial);
		if (err)
			break;
		err = bpf_object__load(trial.obj);
		if (err) {
			err_hint("-vv shows the verifier's log");
			err = err_fail(-err, p->word, "the kernel does not accept it: %s", strerror(-err));
		}
		policy_close(&trial);
	}
	err_where("%s", "");
	return err;
}

void config_free(struct config *c)
{
	for (int i = 0; i < c->npolicies; i++) {
		for (int k = 0; k < CONFIG_PLACES_MAX; k++) {
			free(c->policies[i]->places[k].devs);
			free(c->policies[i]->places[k].fresh);
		}
		if (c->policies[i]->policy.obj)
			policy_close(&c->policies[i]->policy);
		free(c->policies[i]);
	}
	document_free(&c->doc);
	memset(c, 0, sizeof(*c));
}
