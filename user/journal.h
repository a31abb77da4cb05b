/* SPDX-License-Identifier: GPL-2.0-only */
/* A namespace's state as `apply` must leave it whatever ends the call: while one is at work, this is kept in the kernel, pinned as COOKIE/+apply. Until the
 * commit it is the state before; from then on the state after. Whoever comes next makes it so. */
#ifndef MPB_JOURNAL_H
#define MPB_JOURNAL_H

#include <jansson.h>
#include "ns.h"

/* {"policies": {NAME: {"devs": [IFINDEX], "tune": {KEY or KEY@IFINDEX: VALUE}}}, "steer": [IFINDEX], "rules": BYTES, "paths": BYTES}
 * The bytes, of struct mpb_rules and struct mpb_paths, are in hexadecimal. */
json_t *journal_state(const struct ns *ns);
void journal_put_bytes(json_t *state, const char *key, const void *bytes, size_t size);

int journal_write(const struct ns *ns, const json_t *state);

/* Settings, rules and paths as the state says; its policies are loaded. */
int journal_set(const struct ns *ns, const json_t *state);

/* If a journal is there, make it so, and take it away: policies and attachments that the state has not go. */
int journal_settle(const struct ns *ns);

#endif
