/* SPDX-License-Identifier: GPL-2.0-only */
/* A packet-scheduling policy: one pure function
 *     mpb_set NAME_pick(const struct mpb_view *v, struct NAME_priv *priv, struct mpb_ask *ask)
 * which returns the subflows that may carry the next data. It is called on the connection's ACK clock. Private memory belongs to the connection, starts
 * zeroed, and survives a swap to a policy whose private type has the same name and size. A set without a living subflow means: as the stock kernel does. */
#ifndef MPTCP_BPF_SCHED_BPF_H
#define MPTCP_BPF_SCHED_BPF_H

#include <mptcp_bpf/policy.bpf.h>
#include <mptcp_bpf/sched.h>

/* A name as a number (FNV-1a); the compiler does it. */
static inline __attribute__((always_inline)) __u32 mpb_layout(const char *name, __u32 len, __u32 size)
{
	__u32 h = 2166136261U ^ size;

	for (__u32 i = 0; i < len; i++)
		h = (h ^ (__u8)name[i]) * 16777619U;
	return h | 1; /* never 0, which is: none */
}

#ifdef MPB_BACKEND_NATIVE

#include <mptcp_bpf/native.bpf.h>

#elif defined(__bpf__)

#include <mptcp_bpf/steer.h>

/* The runtime's maps; the controller puts the namespace's own in their place. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32); /* token of the connection that this CPU decides on */
} mpb_deciding SEC(".maps");

MPB_HASH(mpb_steered, 1, __u32, struct mpb_steer);

#define MPB_SCHED(_name, _summary, _priv, ...)                                                                          \
	MPB_DESCRIBE(MPB_SCHED, _name, _summary, __VA_ARGS__);                                                          \
	_Static_assert(sizeof(struct _priv) <= MPB_PRIV_SIZE, "private memory of a connection: at most 64 bytes");      \
	SEC("tc") int _name(struct __sk_buff *skb)                                                                      \
	{                                                                                                               \
		__u32 zero = 0, layout = mpb_layout(#_priv, sizeof(#_priv) - 1, sizeof(struct _priv));                  \
		__u32 *token = bpf_map_lookup_elem(&mpb_deciding, &zero);                                               \
		struct mpb_steer *c = token ? bpf_map_lookup_elem(&mpb_steered, token) : 0;                             \
		mpb_set set = 0;                                                                                        \
                                                                                                                        \
		if (c) {                                                                                                \
			if (c->layout != layout)                                                                        \
				__builtin_memset(c->priv, 0, sizeof(c->priv));                                          \
			c->layout = layout;                                                                             \
			set = _name##_pick(&c->view, (struct _priv *)c->priv, &c->ask);                                 \
		}                                                                                                       \
		return set;                                                                                             \
	}

#else /* plain C: tests and the simulator call the policy through this */

struct mpb_sched_ops {
	mpb_set (*pick)(const struct mpb_view *v, void *priv, struct mpb_ask *ask);
	__u32 layout;
	__u32 priv_size;
};

#define MPB_SCHED(_name, _summary, _priv, ...)                                                                          \
	MPB_DESCRIBE(MPB_SCHED, _name, _summary, __VA_ARGS__);                                                          \
	_Static_assert(sizeof(struct _priv) <= MPB_PRIV_SIZE, "private memory of a connection: at most 64 bytes");      \
	static mpb_set _name##_call(const struct mpb_view *v, void *priv, struct mpb_ask *ask)                          \
	{                                                                                                               \
		return _name##_pick(v, priv, ask);                                                                      \
	}                                                                                                               \
	const struct mpb_sched_ops mpb_sched_under_test = { _name##_call, 0, sizeof(struct _priv) }

#endif
#endif
