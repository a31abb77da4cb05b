/* SPDX-License-Identifier: GPL-2.0-only */
/* What this kernel can do: probed, never guessed from its version. Feeds `features`, the refusals of `load`, and the skips of tests. */
#ifndef MPB_FEATURE_H
#define MPB_FEATURE_H

#include <stdbool.h>
#include <stddef.h>

struct feature {
	const char *name;
	const char *gives;                         /* what it is used for */
	int (*probe)(char *reason, size_t size);   /* 0: there; -errno: not, with the reason */
	const char *hint;                          /* what would provide it */
};

extern const struct feature features[];
extern const size_t nfeatures;

/* Probed once a call. MPTCP_BPF_HIDE=name,name makes features look absent: for tests of what is done without them. */
bool feature_has(const char *name);

/* Why a feature is not there; "" where it is. */
void feature_why(const char *name, char *reason, size_t size);

/* The same with the reason for a no. */
bool feature_probe(const struct feature *f, char *reason, size_t size);

#endif
