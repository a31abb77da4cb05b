/* SPDX-License-Identifier: GPL-2.0-only */
/* A namespace's rules: which connection gets which scheduler and congestion control. One value of one map, replaced as a whole. */
#ifndef MPB_RULES_H
#define MPB_RULES_H

#include <jansson.h>
#include <stdbool.h>
#include <mptcp_bpf/rule.h>
#include "ns.h"

/* The rules as they are; none where the namespace has no state. */
void rules_read(const struct ns *ns, struct mpb_rules *r);
int rules_write(const struct ns *ns, const struct mpb_rules *r);
unsigned int rules_count(const struct ns *ns);

/* NULL: the rule says nothing of it. */
struct rule_names {
	const char *sched, *convert;
};

/* A rule from words: [peer PREFIX] [peer-port N] [local-port N] [mark N] [cgroup PATH] [prio N] [sched NAME] [cc NAME] [convert NAME] [demand yes|no]. The names of a
 * scheduler and of a converter are handed back; their slots are the caller's to fill in. */
int rule_parse(const char *const *words, int n, struct mpb_rule *rule, struct rule_names *names);

/* Fills in the slot of the converter of this name, which must be there. */
int rule_converter(const struct ns *ns, const char *name, struct mpb_rule *rule);

/* Insert in the order of evaluation; with the same prio, behind those that are there. */
int rules_add(struct mpb_rules *r, const struct mpb_rule *rule);
void rules_del(struct mpb_rules *r, unsigned int i);
bool rule_same(const struct mpb_rule *a, const struct mpb_rule *b);

/* By the words that would add it. */
json_t *rule_json(const struct ns *ns, const struct mpb_rule *r);

/* An address with an optional /LENGTH as a prefix in IPv6 form. */
int prefix_parse(const char *what, const char *word, __be32 addr[4], __u8 *bits);
void prefix_text(char *buf, size_t size, const __be32 addr[4], __u8 bits);

#endif
