/* SPDX-License-Identifier: GPL-2.0-only */
/* Seed: struct_ops, as congestion controls are made of. */
#include <mptcp_bpf/policy.bpf.h>

struct fake_ops {
	void (*init)(void *sk);
	__u32 flags;
	char name[16];
};

SEC("struct_ops/init") void fake_init(void *sk)
{
}

SEC(".struct_ops.link") struct fake_ops fake = {
	.init = fake_init,
	.flags = 1,
	.name = "fake",
};

MPB_DESCRIBE(MPB_CC, ops, "struct_ops");
