/* SPDX-License-Identifier: GPL-2.0-only */
/* What the scheduler runtime keeps: connections that it steers, their subflows, what the controller tells it, and what it counts. */
#ifndef MPTCP_BPF_STEERED_BPF_H
#define MPTCP_BPF_STEERED_BPF_H

#include <mptcp_bpf/inject.bpf.h>

MPB_HASH(mpb_subflows, MPB_SUBFLOWS_DEFAULT, struct mpb_tuple, struct mpb_subflow);

MPB_HASH(mpb_steered, MPB_SUBFLOWS_DEFAULT, __u32, struct mpb_steer);

MPB_HASH(mpb_rules, 1, __u32, struct mpb_rules);

MPB_HASH(mpb_paths, 1, __u32, struct mpb_paths);

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
