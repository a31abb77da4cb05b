/* SPDX-License-Identifier: GPL-2.0-only */
/* A namespace's configuration as a file says it: which policies are loaded and where, their settings, the rules, the paths. What it does not say is not so. */
#ifndef MPB_CONFIG_H
#define MPB_CONFIG_H

#include <jansson.h>
#include <mptcp_bpf/rule.h>
#include "document.h"
#include "dev.h"
#include "load.h"
#include "rules.h"

#define CONFIG_POLICIES_MAX 64
#define CONFIG_PLACES_MAX 8
#define CONFIG_SETTINGS_MAX 16
#define CONFIG_SETTING_LEN 112

/* Where an option policy is attached in one way. */
struct config_place {
	enum hook hook;
	bool in, out;
	int ndevs;
	struct dev *devs;
	bool *fresh; /* of each: it is to be attached there */
	char names[64][IFNAMSIZ]; /* those given; none: all that are up */
};

struct config_policy {
	const yaml_node_t *node;
	const char *word;       /* as given: a name, a preset or a path */
	struct load_args args;  /* of its first place */
	struct policy policy;   /* its object; without one where a loaded policy is meant */
	bool loaded;            /* one of this name is */
	int nplaces;
	struct config_place places[CONFIG_PLACES_MAX];
};

struct config_rule {
	const yaml_node_t *node;
	struct mpb_rule rule;
	struct rule_names names; /* the scheduler's slot is known when it is loaded */
};

struct config {
	struct document doc;
	const struct ns *ns; /* once it is resolved */
	int npolicies, nrules;
	struct config_policy *policies[CONFIG_POLICIES_MAX];
	struct config_rule rules[MPB_RULES_MAX];
	struct mpb_paths paths;
	int nsettings;
	char settings[CONFIG_SETTINGS_MAX][CONFIG_SETTING_LEN]; /* of the agent: KEY=VALUE */
};

/* The file, and the objects that it names by path: before the mount namespace changes. */
int config_read(const char *file, struct config *c);

/* Its key `agent`, which only `run` acts on: tunables of bpf/probe/clock.bpf.c. */
int config_read_agent(struct config *c, yaml_node_t *node);

/* Its keys `rules` and `paths`, when its policies are resolved. Without the former (NULL), the rules that `load` would add. */
int config_read_rules(struct config *c, yaml_node_t *node);
int config_read_paths(struct config *c, yaml_node_t *node);

/* What only the namespace can tell: devices, cgroups, what is loaded. Then all that can be known without the verifier is checked. */
int config_resolve(struct config *c, const struct ns *ns);

/* Hands every object that is not loaded yet to the verifier, and drops it again. */
int config_verify(struct config *c);

/* What it would change, in the order of doing: [{"do": VERB, "what": TEXT, "why": TEXT}]. Says of every place what is fresh.
 * What hangs on a device neither turns nor changes its place in the chain: asked for, that is an error. */
int config_plan(struct config *c, const struct ns *ns, json_t *changes);

/* All of it, or back to what was. The lock is held, and swept has been. */
int config_apply(struct config *c, const struct ns *ns, uint32_t max_subflows);

void config_free(struct config *c);

/* The namespace's present state, as such a file has it. */
json_t *config_now(const struct ns *ns);
json_t *config_now_path(const struct mpb_path *p);
void config_print(const json_t *config); /* as YAML */

#endif
