/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MPB_USER_MOVE_H
#define MPB_USER_MOVE_H

#include "ns.h"

/* Gives every socket of the namespace that runs one congestion control another one; windows stay. Connections for which a rule chose it are noted as having
 * `rule` instead ("": none). Returns how many would not be moved, or a negative error. */
int move(const struct ns *ns, const char *from, const char *to, const char *rule);

#endif
