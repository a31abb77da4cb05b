/* SPDX-License-Identifier: GPL-2.0-only */
/* What a policy says of itself. It stands in the object's section .rodata.policy and goes to the kernel with it, so any later call can read it
 * back from the pinned map and its BTF. Tunables are variables of section .data.tune whose BTF declaration tag reads
 * "tune:DEFAULT:MIN:MAX:HELP"; counters are the enumerators of `enum mpb_counter`. */
#ifndef MPTCP_BPF_POLICY_H
#define MPTCP_BPF_POLICY_H

#include <linux/types.h>

#define MPB_ABI 1
#define MPB_NAME_LEN 16    /* with the NUL; the kernel's own limit for names */
#define MPB_SUMMARY_LEN 96 /* with the NUL */
#define MPB_COUNTERS_MAX 48
#define MPB_POLICY_SEC ".rodata.policy"
#define MPB_TUNE_SEC ".data.tune"
#define MPB_TUNE_TAG "tune:"         /* then DEFAULT:MIN:MAX:HELP */
#define MPB_TUNE_DEV_TAG "tune-dev:" /* then SLOT:DEFAULT:MIN:MAX:HELP */

/* X(enumerator, word on the command line, directory of the source) */
#define MPB_KINDS(X)             \
	X(MPB_SCHED, "sched")    \
	X(MPB_CC, "cc")          \
	X(MPB_OPT_POLICY, "opt") \
	X(MPB_GUARD, "guard")    \
	X(MPB_PROBE, "probe")

enum mpb_kind {
#define X(id, word) id,
	MPB_KINDS(X)
#undef X
	MPB_KIND_MAX
};

/* What a policy needs of those who load it; bits of mpb_policy.flags. */
enum {
	MPB_PACES = 1 << 0,  /* a scheduler that asks for rates */
	MPB_NATIVE = 1 << 1, /* a scheduler that only a kernel with schedulers in BPF can carry out */
};

/* Direction of a packet as its device sees it, and of an attachment. */
enum mpb_dir { MPB_IN, MPB_OUT };

struct mpb_policy {
	__u32 abi;  /* MPB_ABI of the headers it was built with */
	__u32 kind; /* enum mpb_kind */
	char name[MPB_NAME_LEN];
	char summary[MPB_SUMMARY_LEN];
	__u32 flags; /* MPB_PACES, MPB_NATIVE */
};
_Static_assert(sizeof(struct mpb_policy) == 124, "struct mpb_policy crosses a boundary");

/* One device and direction of a policy: key and value of its per-CPU map mpb_counts. The controller makes the entry when it attaches. */
static inline __u32 mpb_port(__u32 ifindex, enum mpb_dir dir)
{
	return ifindex << 1 | dir;
}

/* A device's own value of a tunable: key of the map mpb_dev_tune, whose values are 64-bit. */
struct mpb_dev_slot {
	__u32 ifindex;
	__u32 slot;
};

struct mpb_counts {
	__u64 n[MPB_COUNTERS_MAX];
};

#endif
