/* SPDX-License-Identifier: GPL-2.0-only */
/* What every policy is made of, whatever its kind: its description, its tunables, its counters. */
#ifndef MPTCP_BPF_POLICY_BPF_H
#define MPTCP_BPF_POLICY_BPF_H

#include <mptcp_bpf/policy.h>

#ifdef __bpf__
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <mptcp_bpf/map.bpf.h>
#define MPB_TAG(_text) __attribute__((btf_decl_tag(_text)))
#define MPB_TC_NEXT (-1) /* TCX_NEXT, and TC_ACT_UNSPEC for clsact */
#define MPB_TC_DROP 2    /* TCX_DROP, TC_ACT_SHOT */
#else /* the same text as plain C, for unit tests and fuzzing */
#define SEC(_name)
#define MPB_TAG(_text)
#endif

/* A tunable: a fixed-width unsigned variable that `load`, `tune` and `swap` set by name, within _min.._max. */
#define MPB_TUNE(_type, _name, _default, _min, _max, _help)                             \
	MPB_TAG(MPB_TUNE_TAG #_default ":" #_min ":" #_max ":" _help)                   \
	volatile _type _name SEC(MPB_TUNE_SEC) = (_default)

/* The same, and it may differ from device to device: NAME@DEV=VALUE overrides it there. Read it with mpb_tune_dev(segment, _name). */
#define MPB_TUNE_DEV(_type, _name, _default, _min, _max, _help) \
	MPB_TUNE_SLOT(__COUNTER__, _type, _name, _default, _min, _max, _help)
#define MPB_TUNE_SLOT(...) MPB_TUNE_SLOT_NUMBERED(__VA_ARGS__) /* so that __COUNTER__ is a number before it becomes text */
#define MPB_TUNE_SLOT_NUMBERED(_slot, _type, _name, _default, _min, _max, _help)        \
	enum { mpb_slot_##_name = _slot };                                              \
	MPB_TAG(MPB_TUNE_DEV_TAG #_slot ":" #_default ":" #_min ":" #_max ":" _help)    \
	volatile _type _name SEC(MPB_TUNE_SEC) = (_default)

/* The policy's counters, in the order shown; mpb_count() takes one of these names. */
#define MPB_COUNTERS(...)                                                               \
	enum mpb_counter { __VA_ARGS__, MPB_COUNTERS_END };                             \
	_Static_assert(MPB_COUNTERS_END <= MPB_COUNTERS_MAX, "too many counters");      \
	const enum mpb_counter mpb_ncounters SEC(MPB_POLICY_SEC) = MPB_COUNTERS_END

#define MPB_DESCRIBE(_kind, _name, _summary, ...)                                       \
	_Static_assert(sizeof(_summary) <= MPB_SUMMARY_LEN, "summary too long");        \
	const struct mpb_policy mpb_policy SEC(MPB_POLICY_SEC) = {                      \
		.abi = MPB_ABI,                                                         \
		.kind = (_kind),                                                        \
		.flags = 0 + __VA_ARGS__ + 0,                                           \
		.name = #_name,                                                         \
		.summary = (_summary),                                                  \
	};                                                                              \
	char _license[] SEC("license") = "GPL"

#endif
