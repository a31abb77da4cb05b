/* SPDX-License-Identifier: GPL-2.0-only */
/* A configuration put in force. Everything that is new is loaded and attached beside what is there, and nothing goes; then settings, rules and paths; then
 * the journal turns from the state before to the state after, and what that has not goes. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <mptcp_bpf/rule.h>
#include "config.h"
#include "err.h"
#include "journal.h"
#include "loaded.h"
#include "paths.h"
#include "rules.h"
#include "scheduler.h"
#include "state.h"
#include "tunable.h"

static const char *name_of(const struct config_policy *p)
{
	return p->policy.desc.policy.name;
}

static bool is_fresh_on(const struct config_place *place, const char *dev)
{
	for (int d = 0; d < place->ndevs; d++)
		if (place->fresh[d] && !strcmp(place->devs[d].name, dev))
			return true;
	return false;
}

/* The arguments of a load that does what is fresh in a place. */
static int place_args(const struct config_policy *p, const struct config_place *place, struct load_args *args)
{
	memset(args, 0, sizeof(*args));
	args->policy = p->args.policy;
	args->no_rule = true;
	args->hook = place->hook;
	args->in = place->in;
	args->out = place->out;
	for (int d = 0; d < place->ndevs; d++)
		if (place->fresh[d])
			memcpy(args->devs[args->ndevs++], place->devs[d].name, sizeof(args->devs[0]));
	return args->ndevs;
}

static int load(struct config_policy *p, const struct ns *ns, uint32_t max_subflows)
{
	struct load_args *args = malloc(sizeof(*args));
	bool loaded = p->loaded;
	int err = args ? 0 : err_fail(ENOMEM, name_of(p), "out of memory");

	for (int k = 0; !err && k < p->nplaces; k++) {
		const struct config_place *place = &p->places[k];

		if (!place_args(p, place, args) && (loaded || p->policy.desc.policy.kind != MPB_CC))
			continue;
		for (int i = 0; !loaded && i < p->args.nsettings; i++)
			if (!p->args.settings[i].dev[0] || is_fresh_on(place, p->args.settings[i].dev))
				args->settings[args->nsettings++] = p->args.settings[i];
		err = load_policy(ns, &p->policy, args, max_subflows);
		loaded = true;
	}
	free(args);
	return err;
}

static int rules_of(const struct config *c, const struct ns *ns, struct mpb_rules *rules)
{
	struct mpb_rules now;
	int err = 0;

	rules_read(ns, &now);
	memset(rules, 0, sizeof(*rules));
	rules->paced = now.paced; /* a bit for each scheduler that is loaded */
	for (int i = 0; !err && i < c->nrules; i++) {
		struct mpb_rule rule = c->rules[i].rule;

		document_at(&c->doc, c->rules[i].node);
		if (c->rules[i].names.sched)
			rule.sched = scheduler_slot(ns, c->rules[i].names.sched);
		err = rules_add(rules, &rule);
	}
	err_where("%s", "");
	return err;
}

static json_t *tunables_of(const struct config_policy *p)
{
	json_t *tune = json_object();
	const struct tunable *t;
	uint64_t value;
	char key[64];

	for (int i = 0; i < p->policy.desc.ntunables; i++)
		json_object_set_new(tune, p->policy.desc.tunables[i].name, json_integer(p->policy.desc.tunables[i].dfl));
	for (int i = 0; i < p->args.nsettings; i++) {
		const struct setting *s = &p->args.settings[i];

		if (tunable_match(&p->policy.desc, s, &t, &value))
			continue;
		snprintf(key, sizeof(key), s->dev[0] ? "%s@%d" : "%s", t->name, if_nametoindex(s->dev));
		json_object_set_new(tune, key, json_integer(value));
	}
	return tune;
}

/* The state after, as the journal has it. */
static int state_of(const struct config *c, const struct ns *ns, json_t **state)
{
	json_t *policies = json_object(), *steer = json_array();
	struct mpb_rules rules;
	int err = rules_of(c, ns, &rules);

	for (int i = 0; i < c->npolicies; i++) {
		const struct config_policy *p = c->policies[i];
		json_t *devs = json_array();

		for (int k = 0; k < p->nplaces; k++)
			for (int d = 0; d < p->places[k].ndevs; d++)
				json_array_append_new(devs, json_integer(p->places[k].devs[d].ifindex));
		if (p->policy.desc.policy.kind == MPB_SCHED)
			json_array_extend(steer, devs);
		json_object_set_new(policies, name_of(p), json_pack("{s:o,s:o}", "devs", devs, "tune", tunables_of(p)));
	}
	*state = json_pack("{s:o,s:o}", "policies", policies, "steer", steer);
	journal_put_bytes(*state, "rules", &rules, sizeof(rules));
	journal_put_bytes(*state, "paths", &c->paths, sizeof(c->paths));
	return err;
}

int config_apply(struct config *c, const struct ns *ns, uint32_t max_subflows)
{
	json_t *before = journal_state(ns), *after = NULL;
	int err = journal_write(ns, before);

	for (int i = 0; !err && i < c->npolicies; i++) {
		document_at(&c->doc, c->policies[i]->node);
		err = load(c->policies[i], ns, max_subflows);
	}
	err_where("%s", "");
	if (!err)
		err = state_ensure(ns, 0);
	if (!err)
		err = state_of(c, ns, &after);
	if (!err)
		err = journal_set(ns, after);
	if (!err)
		err = journal_write(ns, after);
	if (journal_settle(ns) && !err)
		err = -EIO; /* what it could not do is recorded, and done by the next call */
	json_decref(before);
	json_decref(after);
	return err;
}
