/* SPDX-License-Identifier: GPL-2.0-only */
/* The kinds of maps that most are. One of a namespace, or of the machine, stands in each object that uses it, under one name; the controller puts the map that
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

/* Maps of which each namespace has one of its own, made by user/state.c: `_own` is what they look like, `_registry` has them by the namespace's cookie.
 * In sizes, since before 6.3 a map with BTF and one without, which those are, do not count as alike. */
#define MPB_OF_NS(_own, _registry, _type, _max, _key_size, _value_size)                          \
	struct _own##_like {                                                                     \
		__uint(type, _type);                                                             \
		__uint(max_entries, _max);                                                       \
		__uint(map_flags, _type == BPF_MAP_TYPE_HASH ? BPF_F_NO_PREALLOC : 0);           \
		__uint(key_size, _key_size);                                                     \
		__uint(value_size, _value_size);                                                 \
	} _own SEC(".maps");                                                                     \
	struct {                                                                                 \
		__uint(type, BPF_MAP_TYPE_HASH_OF_MAPS);                                         \
		__uint(max_entries, MPB_NAMESPACES_MAX);                                         \
		__type(key, __u64);                                                              \
		__array(values, struct _own##_like);                                             \
	} _registry SEC(".maps")

#endif
