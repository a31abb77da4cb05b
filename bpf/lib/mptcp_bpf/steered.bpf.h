/* SPDX-License-Identifier: GPL-2.0-only */
/* What the scheduler runtime keeps: connections that it steers, their subflows, what the controller tells it, and what it counts. */
#ifndef MPTCP_BPF_STEERED_BPF_H
#define MPTCP_BPF_STEERED_BPF_H

#include <mptcp_bpf/inject.bpf.h>

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MPB_SUBFLOWS_DEFAULT);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct mpb_tuple);
	__type(value, struct mpb_subflow);
} mpb_subflows SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MPB_SUBFLOWS_DEFAULT);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, struct mpb_steer);
} mpb_steered SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, struct mpb_rules);
} mpb_rules SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, struct mpb_paths);
} mpb_paths SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct mpb_steer_conf);
} mpb_steer_conf SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct mpb_steer_counts);
} mpb_steer_counts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, MPB_SLOTS);
	__type(key, __u32);
	__type(value, __u32);
} mpb_scheds SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} mpb_deciding SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct mpb_carrier);
} mpb_carrier SEC(".maps");

static __always_inline void *only(void *map)
{
	__u32 zero = 0;

	return bpf_map_lookup_elem(map, &zero);
}

#define count(_name)                                                            \
	({                                                                      \
		struct mpb_steer_counts *_counts = only(&mpb_steer_counts);     \
		if (_counts)                                                    \
			_counts->_name++;                                       \
	})

#endif
