/* SPDX-License-Identifier: GPL-2.0-only */
/* Every packet-scheduling policy as plain C: policy.c is compiled once for each file of bpf/sched and announces it. For the simulator and the fuzzer. */
#ifndef MPB_SIM_POLICY_H
#define MPB_SIM_POLICY_H

#include <stdbool.h>
#include <stdint.h>
#include <mptcp_bpf/sched.bpf.h>

#define POLICY_TUNES_MAX 16

struct policy_tune {
	const char *name;
	void (*set)(uint64_t value);
	uint64_t dfl, min, max;
};

struct sched_policy {
	const char *name;
	const struct mpb_sched_ops *ops;
	bool native; /* steering cannot carry it out */
	unsigned int ntunes;
	struct policy_tune tunes[POLICY_TUNES_MAX];
	struct sched_policy *next;
};

/* Called before main(), for each of them. */
void sched_policy(struct sched_policy *p);

#endif
