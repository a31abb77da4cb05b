/* SPDX-License-Identifier: GPL-2.0-only */
#include <stddef.h>
#include "iterate.h"
#include "pace.h"

int pace(const struct ns *ns)
{
	static const char *const shared[] = { "mpb_subflows", "mpb_steered", "mpb_rules", "mpb_watch", NULL };

	return iterate_on(ns, "pace", shared, "the rates of schedulers cannot be put in force");
}
