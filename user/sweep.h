/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MPB_SWEEP_H
#define MPB_SWEEP_H

#include "ns.h"

/* Under the lock, before any change: takes away what calls that were killed left behind (uncommitted directories, a namespace registered without
 * policies), what belongs to namespaces that no longer exist, and what the observer missed. */
int sweep(const struct ns *ns);

#endif
