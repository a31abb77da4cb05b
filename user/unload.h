/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MPB_UNLOAD_H
#define MPB_UNLOAD_H

#include <limits.h>
#include "ns.h"

struct unload {
	const struct ns *ns;
	char dir[PATH_MAX];
};

/* Takes down the policy pinned as opt/NAME, or what a killed call left as opt/+NAME. */
int unload_dir(const struct ns *ns, const char *name);

#endif
