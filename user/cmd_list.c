/* SPDX-License-Identifier: GPL-2.0-only */
#include <jansson.h>
#include <string.h>
#include "cmd.h"
#include "config.h"
#include "err.h"
#include "loaded.h"
#include "out.h"
#include "pin.h"
#include "report.h"
#include "sweep.h"

#define LOADED_MAX 256

struct listing {
	bool json;
	int kind; /* -1: all */
	json_t *array;
	int nseen;
	char seen[LOADED_MAX][MPB_NAME_LEN]; /* loaded ones, which the catalog then leaves out */
};

static int tell(struct listing *ls, const struct desc *d, const struct loaded *l)
{
	if (d->policy.kind == MPB_PROBE || (ls->kind >= 0 && (int)d->policy.kind != ls->kind))
		return 0;
	if (ls->json)
		json_array_append_new(ls->array, report_policy(d, l));
	else
		report_policy_text(d, l);
	return 0;
}

static int tell_loaded(struct loaded *l, void *arg)
{
	struct listing *ls = arg;

	if (ls->nseen < LOADED_MAX)
		memcpy(ls->seen[ls->nseen++], l->desc.policy.name, MPB_NAME_LEN);
	return tell(ls, &l->desc, l);
}

static int tell_embedded(const struct policy *p, void *arg)
{
	struct listing *ls = arg;

	for (int i = 0; i < ls->nseen; i++)
		if (!strcmp(ls->seen[i], p->desc.policy.name))
			return 0;
	return tell(ls, &p->desc, NULL);
}

static int kind_parse(const char *word, int *kind)
{
	for (int k = 0; k < MPB_PROBE; k++) {
		if (strcmp(word, kind_word(k)))
			continue;
		*kind = k;
		return 0;
	}
	return err_usage(word, "not a kind of policy: sched, cc, opt or guard");
}

/* The present state as a file for `apply`: after what a call that was killed left has been mended. */
static int list_config(const struct args *a)
{
	struct ns ns;
	json_t *now;
	int err;

	if (a->nwords > 1)
		return err_usage("list", "--config takes nothing more");
	err = ns_enter(a->netns, &ns);
	if (!err && pin_present()) {
		err = pin_begin();
		if (!err)
			err = sweep(&ns);
	}
	if (err)
		return err;
	now = config_now(&ns);
	if (a->json)
		out_json(now);
	else
		config_print(now);
	json_decref(now);
	return 0;
}

int cmd_list(const struct args *a)
{
	struct listing ls = { .json = a->json, .kind = -1 };
	struct ns ns;
	int err = 0;

	if (a->config)
		return list_config(a);
	if (a->nwords > 2)
		return err_usage("list", "takes one kind of policy at the most");
	if (a->nwords == 2)
		err = kind_parse(a->words[1], &ls.kind);
	if (!err)
		err = ns_enter(a->netns, &ns);
	if (err)
		return err;
	ls.array = json_array();
	if (pin_present())
		err = loaded_each(&ns, tell_loaded, &ls);
	if (!err)
		err = policy_each_embedded(tell_embedded, &ls);
	if (!err && a->json)
		out_json(ls.array);
	json_decref(ls.array);
	return err;
}
