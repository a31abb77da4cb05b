/* SPDX-License-Identifier: GPL-2.0-only */
/* Packet-scheduling policies of a namespace: programs in the slots of the runtime. Pinned in COOKIE/sched/NAME/. */
#ifndef MPB_USER_SCHED_H
#define MPB_USER_SCHED_H

#include "args.h"
#include "ns.h"
#include "policy.h"

/* Verify, pin, put into a slot; the runtime on the devices; a default rule where there is none. With a loaded policy: further devices. */
int scheduler_load(const struct ns *ns, struct policy *p, const struct load_args *args, uint32_t max_subflows);

/* The rules that name it go with it; its connections fall to what else the rules say, or to the stock scheduler. */
int scheduler_unload(const struct ns *ns, const char *name);

/* Put NEW where OLD is: its slots, and so its rules and connections. OLD is unloaded. */
int scheduler_swap(const struct ns *ns, const char *old, struct policy *p);

int scheduler_sweep(const struct ns *ns);

/* The name of the policy in a slot; "default" for slot 0, SCHED_UNNAMED for an empty one, and while it is being loaded. The slot of a loaded policy; 0: not
 * loaded. */
#define SCHED_UNNAMED "?"
void scheduler_name(const struct ns *ns, unsigned int slot, char name[MPB_NAME_LEN]);
unsigned int scheduler_slot(const struct ns *ns, const char *name);

#endif
