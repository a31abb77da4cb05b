/* SPDX-License-Identifier: GPL-2.0-only */
/* syn - keeps a list of the MPTCP connections of a namespace that wait for the answer to their first SYN: each from its connect() until it is
 * answered or given up. */
#include <mptcp_bpf/policy.bpf.h>
#include <mptcp_bpf/subflow.bpf.h>
#include <mptcp_bpf/syn.h>
#include <bpf/bpf_tracing.h>

MPB_DESCRIBE(MPB_PROBE, syn, "lists connections whose first SYN is unanswered");

#define SOCK_BINDADDR_LOCK 4

MPB_HASH(mpb_syns, MPB_SYNS, __u64, struct mpb_syn);

const volatile __u64 netns_cookie = 0; /* as the agent sets it */

static __always_inline bool is_bound(struct sock *sk)
{
	return BPF_CORE_READ_BITFIELD_PROBED(sk, sk_userlocks) & SOCK_BINDADDR_LOCK || BPF_CORE_READ(sk, __sk_common.skc_bound_dev_if);
}

/* The state changes before the local port is chosen. */
SEC("tp_btf/inet_sock_set_state")
int BPF_PROG(syn_state, struct sock *sk, int before, int after)
{
	struct mptcp_subflow_context *sub;
	struct mpb_syn syn = {};
	__u64 key = (__u64)sk;

	if (before == BPF_TCP_SYN_SENT)
		bpf_map_delete_elem(&mpb_syns, &key);
	if (after != BPF_TCP_SYN_SENT || BPF_CORE_READ(sk, __sk_common.skc_net.net, net_cookie) != netns_cookie)
		return 0;
	sub = mpb_subflow_ctx((struct tcp_sock *)sk);
	if (!sub || BPF_CORE_READ_BITFIELD_PROBED(sub, request_join))
		return 0;
	syn.bound = is_bound(sk);
	syn.fixed = BPF_CORE_READ(sk, __sk_common.skc_family) != AF_INET;
	bpf_map_update_elem(&mpb_syns, &key, &syn, BPF_ANY);
	return 0;
}

static long look(void *map, const __u64 *key, struct mpb_syn *syn, __u32 *waiting)
{
	struct tcp_sock *tp = (struct tcp_sock *)*key;

	mpb_sock_tuple((struct sock_common *)tp, &syn->tuple);
	syn->sent_ns = mpb_oldest_ns(tp);
	++*waiting;
	return 0;
}

/* Writes how many there are. */
SEC("syscall")
int syn_look(__u32 *waiting)
{
	__u32 n = 0;

	bpf_for_each_map_elem(&mpb_syns, look, &n, 0);
	*waiting = n;
	return 0;
}
