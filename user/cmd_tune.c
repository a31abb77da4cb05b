/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <jansson.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include "cmd.h"
#include "err.h"
#include "loaded.h"
#include "out.h"
#include "pin.h"
#include "report.h"
#include "tunable.h"

struct find {
	int ifindex;
};

static int is_on(const struct attachment *at, void *arg)
{
	return at->ifindex == ((struct find *)arg)->ifindex;
}

/* All settings are checked before the first is made. */
static int tune(const struct args *a, const struct loaded *l)
{
	const struct tunable *t[ARGS_MAX];
	uint64_t value[ARGS_MAX];
	struct find dev[ARGS_MAX] = {};
	struct setting s;
	int err = 0;

	for (int i = 2; !err && i < a->nwords; i++) {
		err = setting_parse(a->words[i], &s);
		if (!err)
			err = tunable_match(&l->desc, &s, &t[i], &value[i]);
		if (err || !s.dev[0])
			continue;
		dev[i].ifindex = if_nametoindex(s.dev);
		if (!dev[i].ifindex || !loaded_attachments(l, is_on, &dev[i]))
			err = err_fail(ENODEV, s.dev, "%s is not attached to this device", l->desc.policy.name);
	}
	for (int i = 2; !err && i < a->nwords; i++)
		err = loaded_tune(l, t[i], dev[i].ifindex, value[i]);
	return err;
}

int cmd_tune(const struct args *a)
{
	struct loaded l;
	struct ns ns;
	int err;

	if (a->nwords < 2)
		return err_usage("tune", "needs the name of a loaded policy");
	err = ns_enter(a->netns, &ns);
	if (!err && a->nwords > 2)
		err = pin_begin();
	if (!err)
		err = loaded_open(&ns, a->words[1], &l);
	if (err)
		return err;
	err = a->nwords > 2 ? tune(a, &l) : 0;
	if (!err && a->json) {
		json_t *o = report_tunables(&l.desc, &l);

		out_json(o);
		json_decref(o);
	} else if (!err && a->nwords == 2) {
		report_tunables_text(&l.desc, &l, "");
	}
	loaded_close(&l);
	return err;
}
