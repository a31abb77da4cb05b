/* SPDX-License-Identifier: GPL-2.0-only */
/* An option policy as the fuzzer drives it. opt_policy.c is compiled once for every file of bpf/opt and announces each with fuzz_policy(). */
#ifndef MPB_FUZZ_OPTION_H
#define MPB_FUZZ_OPTION_H

#include "fuzz.h"
#include <mptcp_bpf/opt.bpf.h>

#define FUZZ_TUNES_MAX 16

struct fuzz_tune {
	void (*set)(uint64_t value);
	uint64_t dfl, min, max;
};

struct fuzz_policy {
	const char *name;
	const struct mpb_opt_ops *ops;
	unsigned int ncounters, ntunes;
	struct fuzz_tune tunes[FUZZ_TUNES_MAX];
	struct fuzz_policy *next;
};

void fuzz_policy(struct fuzz_policy *p);

#endif
