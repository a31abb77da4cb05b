/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <jansson.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include "cmd.h"
#include "err.h"
#include "out.h"
#include "paths.h"
#include "pin.h"
#include "rules.h"
#include "state.h"
#include "terms.h"
#include "sweep.h"

static int add(const struct args *a, const struct ns *ns, const struct mpb_path *path)
{
	struct mpb_paths paths;
	int err = state_ensure(ns, a->max_subflows);

	if (err)
		return err;
	paths_read(ns, &paths);
	err = paths_add(&paths, path);
	return err ? err : paths_write(ns, &paths);
}

static int del(const struct ns *ns, const struct mpb_path *path)
{
	struct mpb_paths paths;
	int at, err;

	paths_read(ns, &paths);
	at = paths_find(&paths, path);
	if (at < 0) {
		err_hint("'mptcp-bpf path list' shows them");
		return err_fail(ENOENT, "path", "there is no such path");
	}
	paths_del(&paths, at);
	err = paths_write(ns, &paths);
	return err ? err : state_release(ns);
}

static void path_text(const struct mpb_path *p)
{
	char text[64], name[IF_NAMESIZE], rate[24];

	if (p->by == MPB_PATH_DEV)
		printf("dev %s", if_indextoname(p->ifindex, name) ? name : "?");
	prefix_text(text, sizeof(text), p->from, p->from_bits);
	if (p->by == MPB_PATH_FROM)
		printf("from %s", text);
	if (p->by == MPB_PATH_ID)
		printf("id %u", p->id);
	printf(" weight %u cost %u", p->weight, p->cost);
	if (p->rate)
		printf(" rate %s", rate_text(p->rate, rate));
	if (p->ask_rate)
		printf(" ask-rate %s", rate_text(mpb_terms_bytes(p->ask_rate), rate));
	if (p->ask_idle)
		printf(" ask-idle %us", p->ask_idle);
	if (p->obey)
		printf(" obey %s", rate_text(p->obey, rate));
	putchar('\n');
}

static int list(const struct args *a, const struct ns *ns)
{
	json_t *array = json_array();
	struct mpb_paths paths;

	paths_read(ns, &paths);
	for (unsigned int i = 0; i < paths.n; i++) {
		if (a->json)
			json_array_append_new(array, path_json(&paths.path[i]));
		else
			path_text(&paths.path[i]);
	}
	if (a->json)
		out_json(array);
	json_decref(array);
	return 0;
}

int cmd_path(const struct args *a)
{
	const char *what = a->nwords > 1 ? a->words[1] : "";
	struct mpb_path path;
	struct ns ns;
	int err;

	if (strcmp(what, "add") && strcmp(what, "del") && strcmp(what, "list"))
		return err_usage("path", "expected add, del or list");
	if (!strcmp(what, "list") && a->nwords > 2)
		return err_usage("path", "list takes nothing more");
	err = ns_enter(a->netns, &ns);
	if (err || !strcmp(what, "list"))
		return err ? err : list(a, &ns);
	err = path_parse(a->words + 2, a->nwords - 2, &path); /* in the namespace: devices are its own */
	if (!err)
		err = pin_begin();
	if (!err)
		err = sweep(&ns);
	if (err)
		return err;
	return !strcmp(what, "add") ? add(a, &ns, &path) : del(&ns, &path);
}
