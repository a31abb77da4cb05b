/* SPDX-License-Identifier: GPL-2.0-only */
/* Programs at tc where the kernel has no tcx (before 6.6): direct-action cls_bpf filters on the clsact qdisc. The qdisc is shared with others, so one
 * that we made is marked (a pin under clsact/IFINDEX) and removed with the last filter. */
#ifndef MPB_CLSACT_H
#define MPB_CLSACT_H

#include <stdbool.h>
#include <mptcp_bpf/policy.h>
#include "ns.h"

/* Behind the filters that are there, or behind any that is yet to come. 0 or -errno. */
int clsact_attach(const struct ns *ns, int prog, int ifindex, enum mpb_dir dir, bool last);
int clsact_replace(int from, int to, int ifindex, enum mpb_dir dir); /* in one step */
void clsact_detach(const struct ns *ns, int prog, int ifindex, enum mpb_dir dir);
__u32 clsact_id(int prog, int ifindex, enum mpb_dir dir); /* grows with time, like a link's; 0: not attached */

/* Of the current network namespace, all that have a policy's program: their pins may be gone (bpffs unmounted), and a filter lives without. A qdisc whose
 * marker is gone stays. */
void clsact_sweep(void);

#endif
