/* SPDX-License-Identifier: GPL-2.0-only */
/* Names that operators know for what they want, each a scheduler with settings. */
#ifndef MPB_PRESET_H
#define MPB_PRESET_H

#include <stddef.h>
#include "args.h"

struct preset {
	const char *name;
	const char *policy;
	const char *settings; /* KEY=VALUE with spaces between; "" */
	const char *gives;
};

extern const struct preset presets[];
extern const size_t npresets;

/* NULL: there is none of that name. */
const struct preset *preset_find(const char *name);

/* Put the policy in the place of a preset's name, and its settings before those that were given, which so prevail. Returns 0, or -EINVAL after err_usage(). */
int preset_expand(struct load_args *l);

#endif
