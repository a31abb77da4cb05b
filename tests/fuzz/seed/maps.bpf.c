/* SPDX-License-Identifier: GPL-2.0-only */
/* Seed: every way in which an object refers to something: maps in maps, programs in maps, data, bss, functions, externs. */
#include <mptcp_bpf/policy.bpf.h>

typedef __u64 number;

struct inner {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, number);
} inner SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 2);
	__type(key, __u32);
	__array(values, struct inner);
} outer SEC(".maps") = { .values = { &inner } };

SEC("socket") int first(void *ctx);

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 2);
	__uint(key_size, 4);
	__array(values, int(void *));
} jumps SEC(".maps") = { .values = { [1] = (void *)&first } };

extern int LINUX_KERNEL_VERSION __kconfig;
extern const char CONFIG_LOCALVERSION[32] __kconfig __weak;
extern const void jiffies __ksym;
extern void bpf_rcu_read_lock(void) __ksym;

int counted = 3;
static volatile int zeroed;
const volatile int fixed = 4;

static __noinline int helper(int n)
{
	return n + zeroed + fixed + LINUX_KERNEL_VERSION + CONFIG_LOCALVERSION[1];
}

__noinline int global(int n)
{
	bpf_rcu_read_lock();
	return helper(n) + (int)(long)&jiffies;
}

static long each(__u32 i, void *arg)
{
	counted += i;
	return 0;
}

SEC("socket") int first(void *ctx)
{
	__u32 key = 0;
	void *map = bpf_map_lookup_elem(&outer, &key);

	bpf_loop(3, each, &key, 0);
	bpf_tail_call(ctx, &jumps, 1);
	return global(!!map);
}

MPB_DESCRIBE(MPB_GUARD, maps, "maps and externs");
