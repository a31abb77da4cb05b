/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MPB_CGROUP_H
#define MPB_CGROUP_H

#include <stddef.h>
#include <stdint.h>

/* The root of the cgroup2 hierarchy, open; the error says how to mount it. */
int cgroup_root(void);

/* A cgroup by its path, absolute or below the root of the hierarchy: its ID and its depth (the root's is 0). */
int cgroup_find(const char *path, uint64_t *id, uint32_t *level);

/* The path below the root of the cgroup with this ID; "?" if it is gone. */
void cgroup_path(uint64_t id, char *buf, size_t size);

#endif
