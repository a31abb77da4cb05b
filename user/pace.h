/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MPB_USER_PACE_H
#define MPB_USER_PACE_H

#include "ns.h"

/* After a change of what schedulers ask for: rates are put in force, or lifted, on the subflows that live, and those whose scheduler asks for rates are
 * looked at each round trip from now on. */
int pace(const struct ns *ns);

#endif
