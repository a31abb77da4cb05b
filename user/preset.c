/* SPDX-License-Identifier: GPL-2.0-only */
#define _DEFAULT_SOURCE
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "err.h"
#include "preset.h"

const struct preset presets[] = {
	/* steering modes of 3GPP ATSSS, TS 23.501 section 5.32.8; "redundant" is the policy of that name */
	{ "active-standby", "standby", "", "one path, the other when it fails" },
	{ "smallest-delay", "delay", "", "the path of least round-trip time" },
	{ "load-balancing", "split", "", "shares by the weights of the paths" },
	{ "priority-based", "priority", "", "the cheapest path, the next when it is full" },
	/* what phones call their ways to use WiFi and cellular */
	{ "handover", "standby", "return_ms=5000", "one path; back to it once it has worked for a while" },
	{ "interactive", "minrtt", "hysteresis_us=5000", "least delay; a second path only where it saves time" },
	{ "aggregate", "priority", "full_us=0", "all the capacity there is" },
};
const size_t npresets = sizeof(presets) / sizeof(presets[0]);

const struct preset *preset_find(const char *name)
{
	for (size_t i = 0; i < npresets; i++)
		if (!strcmp(presets[i].name, name))
			return &presets[i];
	return NULL;
}

int preset_expand(struct load_args *l)
{
	const struct preset *p = preset_find(l->policy);
	char settings[128], *rest = settings, *word;

	if (!p)
		return 0;
	l->policy = p->policy;
	snprintf(settings, sizeof(settings), "%s", p->settings);
	while ((word = strsep(&rest, " "))) {
		if (!*word)
			continue;
		if (l->nsettings == (int)(sizeof(l->settings) / sizeof(l->settings[0])))
			return err_usage(p->name, "more settings than it leaves room for");
		memmove(l->settings + 1, l->settings, l->nsettings++ * sizeof(l->settings[0]));
		if (setting_parse(word, &l->settings[0]))
			return -EINVAL;
	}
	return 0;
}
