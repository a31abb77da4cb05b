/* SPDX-License-Identifier: GPL-2.0-only */
/* The kind of map that most are. One of a namespace, or of the machine, stands in each object that uses it, under one name; the controller puts the map that
 * there is in its place. */
#ifndef MPTCP_BPF_MAP_BPF_H
#define MPTCP_BPF_MAP_BPF_H

#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>

/* A hash table with room for `_max`, whose elements are made when they are needed. */
#define MPB_HASH(_name, _max, _key, _value)            \
	struct {                                       \
		__uint(type, BPF_MAP_TYPE_HASH);       \
		__uint(max_entries, _max);             \
		__uint(map_flags, BPF_F_NO_PREALLOC);  \
		__type(key, _key);                     \
		__type(value, _value);                 \
	} _name SEC(".maps")

#endif
