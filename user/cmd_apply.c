/* SPDX-License-Identifier: GPL-2.0-only */
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include "cmd.h"
#include "config.h"
#include "err.h"
#include "out.h"
#include "pin.h"
#include "state.h"
#include "sweep.h"

static void tell(const struct args *a, const json_t *changes)
{
	json_t *o;
	size_t i;

	if (a->json)
		return out_json(changes);
	json_array_foreach((json_t *)changes, i, o)
		printf("%s %s  (%s)\n", json_string_value(json_object_get(o, "do")), json_string_value(json_object_get(o, "what")),
		       json_string_value(json_object_get(o, "why")));
	if (!json_array_size(changes))
		note("mptcp-bpf: nothing to change");
}

/* Reads the file; what it would change, in the namespace, with the lock held. */
static int prepare(const struct args *a, struct config *c, struct ns *ns, json_t *changes)
{
	int err;

	if (a->nwords != 2)
		return err_usage(a->words[0], "needs one file; - is stdin");
	err = config_read(a->words[1], c);
	if (!err)
		err = ns_enter(a->netns, ns);
	if (!err)
		err = pin_begin();
	if (!err)
		err = sweep(ns);
	if (!err)
		err = config_resolve(c, ns);
	return err ? err : config_plan(c, ns, changes);
}

int cmd_check(const struct args *a)
{
	json_t *changes = json_array();
	struct config c = {};
	struct ns ns;
	int err = prepare(a, &c, &ns, changes);

	if (!err)
		err = config_verify(&c);
	if (!err)
		tell(a, changes);
	config_free(&c);
	json_decref(changes);
	return err;
}

int cmd_apply(const struct args *a)
{
	json_t *changes = json_array();
	struct config c = {};
	struct ns ns;
	int err = prepare(a, &c, &ns, changes);

	if (!err && json_array_size(changes))
		err = config_apply(&c, &ns, a->max_subflows);
	if (!err)
		tell(a, changes);
	if (!err || json_array_size(changes))
		state_release(&ns);
	config_free(&c);
	json_decref(changes);
	return err;
}
