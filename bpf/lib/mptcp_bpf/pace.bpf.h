/* SPDX-License-Identifier: GPL-2.0-only */
/* The rate that a scheduler or the peer asks for a subflow, put in force as the socket's own limit: any congestion control paces below it. */
#ifndef MPTCP_BPF_PACE_BPF_H
#define MPTCP_BPF_PACE_BPF_H

#include <mptcp_bpf/rule.h>
#include <mptcp_bpf/steer.h>
#include <mptcp_bpf/subflow.bpf.h>

#define MPB_SOL_SOCKET 1
#define MPB_SO_MAX_PACING_RATE 47

/* Does the scheduler of the connection ask for rates? */
static __always_inline int mpb_is_paced(const struct mpb_steer *steer, const struct mpb_rules *rules)
{
	return steer && rules && steer->slot && rules->paced >> (steer->slot & (MPB_SLOTS - 1)) & 1;
}

/* Bring the socket in line with sf->rate and sf->asked. ctx is what bpf_setsockopt() takes in this kind of program. Returns its error. */
static __always_inline int mpb_pace(void *ctx, struct mpb_subflow *sf, struct tcp_sock *tp)
{
	__u64 rate = sf->rate, limit_64;
	__u32 limit;

	sf->rate_set = rate;
	if (!sf->rate_own)
		sf->rate_own = BPF_CORE_READ((struct sock *)tp, sk_max_pacing_rate);
	limit_64 = rate && rate < sf->rate_own ? rate : sf->rate_own;
	if (sf->asked && sf->asked < limit_64)
		limit_64 = sf->asked;
	limit = limit_64 >= ~0U ? ~0U : limit_64;
	return bpf_setsockopt(ctx, MPB_SOL_SOCKET, MPB_SO_MAX_PACING_RATE, &limit, sizeof(limit));
}

#endif
