/* SPDX-License-Identifier: GPL-2.0-only */
/* Option policies: verified, pinned, and one put in another's place. */
#ifndef MPB_OPTION_H
#define MPB_OPTION_H

#include "attach.h"
#include "ns.h"
#include "policy.h"

int option_verify(const struct ns *ns, struct policy *p);

/* Pin its maps in directory `dir`, its programs below; progs[] belong to the object. */
int option_pin(const struct policy *p, const char *dir, int progs[PROG_MAX]);

/* Put p in the place of the loaded policy `old` at each of its hooks, one step a hook (bpf_link_update). All or none. */
int option_swap(const struct ns *ns, const char *old, struct policy *p);

#endif
