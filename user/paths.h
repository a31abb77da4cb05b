/* SPDX-License-Identifier: GPL-2.0-only */
/* What the operator says of a namespace's paths: weight, cost, rate, terms. One value of one map, replaced as a whole. */
#ifndef MPB_PATHS_H
#define MPB_PATHS_H

#include <jansson.h>
#include <stdbool.h>
#include <mptcp_bpf/rule.h>
#include "ns.h"

void paths_read(const struct ns *ns, struct mpb_paths *p);
int paths_write(const struct ns *ns, struct mpb_paths *p); /* and makes the scheduler runtime look; terms are in force then */
unsigned int paths_count(const struct ns *ns);

/* A path from words: dev IF | from PREFIX | id N, then [weight N] [cost N] [rate RATE] [ask-rate RATE] [ask-idle TIME] [obey RATE]. */
int path_parse(const char *const *words, int n, struct mpb_path *path);

/* Insert in the order of evaluation; one that names the same replaces it. */
int paths_add(struct mpb_paths *p, const struct mpb_path *path);
int paths_find(const struct mpb_paths *p, const struct mpb_path *path); /* by what it names; -1 */
void paths_del(struct mpb_paths *p, unsigned int i);

/* Bytes per second as people write it: "20mbit". */
const char *rate_text(uint64_t bytes, char buf[24]);

json_t *path_json(const struct mpb_path *p);

#endif
