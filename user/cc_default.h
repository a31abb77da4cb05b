/* SPDX-License-Identifier: GPL-2.0-only */
/* The default congestion control of a network namespace (net.ipv4.tcp_congestion_control), for as long as one of ours is it: a symbolic link
 * COOKIE/cc/NAME/default, whose target is the name of the one before. What the operator changes meanwhile stays as it is. */
#ifndef MPB_CC_DEFAULT_H
#define MPB_CC_DEFAULT_H

#include "ns.h"

/* `name`, which is loaded, becomes the default. */
int cc_default_take(const struct ns *ns, const char *name);

/* The one before `name` is the default again. */
int cc_default_restore(const struct ns *ns, const char *name);

/* Where `old` is the default, `name`, which is loaded, becomes it; the one before remains the one before. */
int cc_default_pass(const struct ns *ns, const char *old, const char *name);

#endif
