/* SPDX-License-Identifier: GPL-2.0-only */
/* Congestion controls: struct_ops, which all namespaces share. Pinned in global/cc/NAME/ (ops: the registered map, policy, tune, groups); the directory COOKIE/cc/NAME
 * says that a namespace uses it. The last namespace to unload it takes it out of the kernel. */
#ifndef MPB_USER_CC_H
#define MPB_USER_CC_H

#include <stdbool.h>
#include "args.h"
#include "ns.h"
#include "policy.h"

#define CC_GLOBAL PIN_GLOBAL "/cc"

/* Verify and register it, unless another namespace did; a default rule where there is none; the namespace's default where `args` asks for it. */
int cc_load(const struct ns *ns, struct policy *p, const struct load_args *args, uint32_t max_subflows);

/* The rules that name it go with it, and the namespace's sockets that run it get the system's default, which is what it was. */
int cc_unload(const struct ns *ns, const char *name);

/* Rules and sockets of the namespace go from `old` to `name`, which is loaded where p is given, and else the kernel's own. `old` is unloaded where it is ours. */
int cc_swap(const struct ns *ns, const char *old, const char *name, struct policy *p);

/* Is it loaded in this namespace? Is it a congestion control that somebody else brought into the kernel? */
bool cc_is_loaded(const struct ns *ns, const char *name);
bool cc_is_kernels(const char *name);

/* What killed calls and namespaces that are gone left behind. */
int cc_sweep(void);

#endif
