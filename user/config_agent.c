/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "config.h"
#include "err.h"
#include "tunable.h"

struct reading {
	struct config *c;
	struct policy clock;
};

static int read_setting(const char *key, yaml_node_t *value, void *arg)
{
	struct reading *r = arg;
	struct config *c = r->c;
	const char *text = document_text(&c->doc, value);
	const struct tunable *t;
	struct setting s;
	uint64_t n;
	int err;

	if (!text)
		return -EINVAL;
	if (c->nsettings == CONFIG_SETTINGS_MAX)
		return err_usage("agent", "more than %d settings", c->nsettings);
	if (strpbrk(key, "=@") || snprintf(c->settings[c->nsettings], CONFIG_SETTING_LEN, "%s=%s", key, text) >= CONFIG_SETTING_LEN)
		return err_usage(key, "not a setting");
	err = setting_parse(c->settings[c->nsettings++], &s);
	return err ? err : tunable_match(&r->clock.desc, &s, &t, &n);
}

int config_read_agent(struct config *c, yaml_node_t *node)
{
	struct reading r = { .c = c };
	int err = policy_open("clock", &r.clock);

	if (err)
		return err;
	err = document_pairs(&c->doc, node, read_setting, &r);
	policy_close(&r.clock);
	return err;
}
