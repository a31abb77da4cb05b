/* SPDX-License-Identifier: GPL-2.0-only */
#include <jansson.h>
#include <stdio.h>
#include <unistd.h>
#include "cmd.h"
#include "err.h"
#include "feature.h"
#include "ns.h"
#include "out.h"

int cmd_features(const struct args *a)
{
	json_t *list = json_array();
	char reason[256];
	struct ns ns;
	int err;

	if (a->nwords > 1)
		return err_usage(a->words[1], "'features' takes no argument");
	if (geteuid()) {
		json_decref(list);
		return err_fail(1, "features", "only root may probe the kernel");
	}
	err = ns_enter(a->netns, &ns);
	for (size_t i = 0; !err && i < nfeatures; i++) {
		const struct feature *f = &features[i];
		bool there = feature_probe(f, reason, sizeof(reason));

		if (a->json) {
			json_t *o = json_pack("{s:s,s:b,s:s}", "name", f->name, "available", there, "gives", f->gives);

			if (!there) {
				json_object_set_new(o, "reason", json_string(reason));
				json_object_set_new(o, "hint", json_string(f->hint));
			}
			json_array_append_new(list, o);
		} else if (there) {
			printf("%-15s yes  %s\n", f->name, f->gives);
		} else {
			printf("%-15s no   %s: %s; needs %s\n", f->name, f->gives, reason, f->hint);
		}
	}
	if (!err && a->json)
		out_json(list);
	json_decref(list);
	return err;
}
