/* SPDX-License-Identifier: GPL-2.0-only */
/* The converters of a namespace, and the programs that send connections through them. Pinned in COOKIE/convert/: links at the cgroup root, progs/,
 * maps, at/1/ (the devices). */
#ifndef MPB_CONVERT_TABLE_H
#define MPB_CONVERT_TABLE_H

#include <mptcp_bpf/converter.h>
#include "ns.h"

bool table_exists(const struct ns *ns);

/* The first starts the programs, on all devices that are up; an existing name is changed. */
int table_add(const struct ns *ns, const struct mpb_converter *c, uint32_t max_subflows);

/* The rules that name it go with it. The last ends the programs: connections that still go through them break. */
int table_del(const struct ns *ns, const char *name);
int table_stop(const struct ns *ns);

/* What a call that was killed left behind. */
int table_sweep(const struct ns *ns);

/* The slot of a converter; 0: there is none of this name. Its name; "?": there is none in this slot. */
unsigned int table_slot(const struct ns *ns, const char *name);
void table_name(const struct ns *ns, unsigned int slot, char name[16]);

int table_each(const struct ns *ns, int (*each)(const struct mpb_converter *c, void *arg), void *arg);

#endif
