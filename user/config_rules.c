/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <string.h>
#include "cc.h"
#include "config.h"
#include "err.h"
#include "paths.h"

#define WORDS_MAX 32
#define PRIO_LAST 65535

/* A rule or path as the command line has it: key, value, key, ... */
struct words {
	struct config *c;
	const char *word[WORDS_MAX];
	int n;
};

static int read_word(const char *key, yaml_node_t *value, void *arg)
{
	struct words *w = arg;
	const char *text = document_text(&w->c->doc, value);

	if (!text)
		return -EINVAL;
	if (w->n + 2 > WORDS_MAX)
		return err_usage(key, "one key too many");
	w->word[w->n++] = key;
	w->word[w->n++] = text;
	return 0;
}

/* What follows are the checks that a rule's names lead somewhere. */
static int check_sched(const struct config *c, const char *name)
{
	for (int i = 0; i < c->npolicies; i++)
		if (c->policies[i]->policy.desc.policy.kind == MPB_SCHED && !strcmp(c->policies[i]->policy.desc.policy.name, name))
			return 0;
	err_hint("'policies' loads it");
	return err_fail(ENOENT, name, "is not a scheduler of this configuration");
}

static int check_cc(const struct config *c, const char *name)
{
	for (int i = 0; i < c->npolicies; i++)
		if (c->policies[i]->policy.desc.policy.kind == MPB_CC && !strcmp(c->policies[i]->policy.desc.policy.name, name))
			return 0;
	if (cc_is_kernels(name))
		return 0;
	err_hint("'policies' loads one of ours; /proc/sys/net/ipv4/tcp_available_congestion_control lists the kernel's");
	return err_fail(ENOENT, name, "is a congestion control neither of this configuration nor of the kernel");
}

static int read_rule(const char *key, yaml_node_t *node, void *arg)
{
	struct words w = { .c = arg };
	struct config *c = arg;
	struct config_rule *rule = &c->rules[c->nrules];
	int err;

	(void)key;
	if (c->nrules == MPB_RULES_MAX)
		return err_usage("rules", "at most %d", MPB_RULES_MAX);
	err = document_pairs(&c->doc, node, read_word, &w);
	document_at(&c->doc, node);
	if (!err)
		err = rule_parse(w.word, w.n, &rule->rule, &rule->names);
	if (!err && rule->names.sched)
		err = check_sched(c, rule->names.sched);
	if (!err && rule->rule.cc[0])
		err = check_cc(c, rule->rule.cc);
	if (!err && rule->names.convert)
		err = rule_converter(c->ns, rule->names.convert, &rule->rule);
	rule->node = node;
	c->nrules += !err;
	return err;
}

/* What names the path goes first. */
static int read_path(const char *key, yaml_node_t *node, void *arg)
{
	struct words w = { .c = arg };
	struct config *c = arg;
	struct mpb_path path;
	int err;

	(void)key;
	err = document_pairs(&c->doc, node, read_word, &w);
	document_at(&c->doc, node);
	for (int i = 2; !err && i < w.n; i += 2) {
		if (strcmp(w.word[i], "dev") && strcmp(w.word[i], "from") && strcmp(w.word[i], "id"))
			continue;
		const char *first[2] = { w.word[0], w.word[1] };

		memcpy(w.word, w.word + i, sizeof(first));
		memcpy(w.word + i, first, sizeof(first));
		break;
	}
	if (!err)
		err = path_parse(w.word, w.n, &path);
	if (!err && paths_find(&c->paths, &path) >= 0)
		err = err_usage("path", "is there twice");
	return err ? err : paths_add(&c->paths, &path);
}

/* Without a list of rules, what `load` would add: the first scheduler, and the first congestion control, for all connections. */
static void default_rules(struct config *c)
{
	bool done[MPB_KIND_MAX] = {};

	for (int i = 0; i < c->npolicies; i++) {
		const struct mpb_policy *p = &c->policies[i]->policy.desc.policy;
		struct config_rule *rule = &c->rules[c->nrules];

		if (done[p->kind] || (p->kind != MPB_SCHED && p->kind != MPB_CC))
			continue;
		done[p->kind] = true;
		rule->rule.prio = PRIO_LAST;
		if (p->kind == MPB_SCHED)
			rule->names.sched = p->name;
		else
			memcpy(rule->rule.cc, p->name, sizeof(rule->rule.cc));
		c->nrules++;
	}
}

int config_read_rules(struct config *c, yaml_node_t *node)
{
	if (node)
		return document_entries(&c->doc, node, read_rule, c);
	default_rules(c);
	return 0;
}

int config_read_paths(struct config *c, yaml_node_t *node)
{
	return document_entries(&c->doc, node, read_path, c);
}
