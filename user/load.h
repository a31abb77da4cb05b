/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MPB_LOAD_H
#define MPB_LOAD_H

#include "args.h"
#include "ns.h"
#include "policy.h"

/* Can it be loaded here, with these settings? Asks everything but the verifier; changes nothing. */
int load_check(struct policy *p, const struct load_args *args);

/* What `mptcp-bpf load` does: all or nothing. The lock is held, and swept has been. */
int load_policy(const struct ns *ns, struct policy *p, const struct load_args *args, uint32_t max_subflows);

#endif
