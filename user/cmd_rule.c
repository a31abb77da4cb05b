/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include "cmd.h"
#include "err.h"
#include "out.h"
#include "pin.h"
#include "rules.h"
#include "scheduler.h"
#include "state.h"
#include "steer.h"
#include "sweep.h"

static int resolve(const struct ns *ns, const struct rule_names *names, struct mpb_rule *rule)
{
	rule->sched = names->sched ? scheduler_slot(ns, names->sched) : 0;
	if (names->sched && !rule->sched) {
		err_hint("'mptcp-bpf load %s' first", names->sched);
		return err_fail(ENOENT, names->sched, "no scheduler of this name is loaded here");
	}
	return names->convert ? rule_converter(ns, names->convert, rule) : 0;
}

static int change(const struct ns *ns, const struct mpb_rules *rules)
{
	int err = rules_write(ns, rules);

	return err ? err : steer_kick(ns, MPB_KICK_RULES);
}

static int add(const struct args *a, const struct ns *ns)
{
	struct mpb_rules rules;
	struct mpb_rule rule;
	struct rule_names names;
	int err;

	err = rule_parse(a->words + 2, a->nwords - 2, &rule, &names);
	if (!err)
		err = resolve(ns, &names, &rule);
	if (!err)
		err = state_ensure(ns, a->max_subflows);
	if (err)
		return err;
	rules_read(ns, &rules);
	err = rules_add(&rules, &rule);
	return err ? err : change(ns, &rules);
}

static int del(const struct args *a, const struct ns *ns)
{
	struct mpb_rules rules;
	struct mpb_rule rule;
	struct rule_names names;
	uint64_t number;
	int err = 0, at = -1;

	rules_read(ns, &rules);
	if (a->nwords == 3) {
		err = number_parse("rule", a->words[2], 1, rules.n ? rules.n : MPB_RULES_MAX, &number);
		at = err || number > rules.n ? -1 : (int)number - 1;
	} else {
		err = rule_parse(a->words + 2, a->nwords - 2, &rule, &names);
		if (!err)
			err = resolve(ns, &names, &rule);
		for (unsigned int i = 0; !err && i < rules.n; i++)
			if (rule_same(&rules.rule[i], &rule))
				at = i;
	}
	if (!err && at < 0) {
		err_hint("'mptcp-bpf rule list' shows them with their numbers");
		err = err_fail(ENOENT, "rule", "there is no such rule");
	}
	if (err)
		return err;
	rules_del(&rules, at);
	err = change(ns, &rules);
	return err ? err : state_release(ns);
}

/* The words that would add the rule, behind its number. */
static void rule_text(json_t *o)
{
	const char *key;
	json_t *value;

	printf("%3lld:", (long long)json_integer_value(json_object_get(o, "number")));
	json_object_foreach(o, key, value) {
		if (!strcmp(key, "number"))
			continue;
		if (json_is_string(value))
			printf(" %s %s", key, json_string_value(value));
		else
			printf(" %s %lld", key, (long long)json_integer_value(value));
	}
	putchar('\n');
}

static int list(const struct args *a, const struct ns *ns)
{
	json_t *array = json_array();
	struct mpb_rules rules;

	rules_read(ns, &rules);
	for (unsigned int i = 0; i < rules.n; i++) {
		json_t *o = rule_json(ns, &rules.rule[i]);

		json_object_set_new(o, "number", json_integer(i + 1));
		if (!a->json)
			rule_text(o);
		json_array_append_new(array, o);
	}
	if (a->json)
		out_json(array);
	json_decref(array);
	return 0;
}

int cmd_rule(const struct args *a)
{
	const char *what = a->nwords > 1 ? a->words[1] : "";
	bool reads = !strcmp(what, "list");
	struct ns ns;
	int err;

	if (!reads && strcmp(what, "add") && strcmp(what, "del"))
		return err_usage("rule", "expected add, del or list");
	if (!reads && a->nwords < 3)
		return err_usage("rule", "needs what the rule says; 'mptcp-bpf rule --help'");
	if (reads && a->nwords > 2)
		return err_usage("rule", "list takes nothing more");
	err = ns_enter(a->netns, &ns);
	if (err || reads)
		return err ? err : list(a, &ns);
	err = pin_begin();
	if (!err)
		err = sweep(&ns);
	if (err)
		return err;
	return !strcmp(what, "add") ? add(a, &ns) : del(a, &ns);
}
