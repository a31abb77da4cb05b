/* SPDX-License-Identifier: GPL-2.0-only */
/* A loaded policy, found again by its pins: nothing but the kernel remembers it. */
#ifndef MPB_LOADED_H
#define MPB_LOADED_H

#include "attach.h"
#include "ns.h"
#include "policy.h"

struct loaded {
	struct desc desc;
	char dir[PATH_MAX];
	char at[PATH_MAX]; /* its attachments; of a scheduler, the runtime's; "" for a congestion control */
	int tune, counts, devtune; /* map descriptors; -1 where the policy has none */
};

int loaded_open(const struct ns *ns, const char *name, struct loaded *l); /* the error says that it is not loaded */
void loaded_close(struct loaded *l);

/* Every loaded policy of the namespace, by name. */
int loaded_each(const struct ns *ns, int (*each)(struct loaded *l, void *arg), void *arg);

int loaded_attachments(const struct loaded *l, int (*each)(const struct attachment *a, void *arg), void *arg);

/* A tunable's value now; with ifindex, the device's own. Returns 0, or -ENOENT where the device has none of its own. */
int loaded_tunable(const struct loaded *l, const struct tunable *t, int ifindex, uint64_t *value);
int loaded_tune(const struct loaded *l, const struct tunable *t, int ifindex, uint64_t value);
void loaded_untune(const struct loaded *l, const struct tunable *t, int ifindex); /* the device has none of its own any more */

/* The counters of one device and direction, summed over the CPUs. */
int loaded_counts(const struct loaded *l, int ifindex, enum mpb_dir dir, struct mpb_counts *sum);

#endif
