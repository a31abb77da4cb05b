/* SPDX-License-Identifier: GPL-2.0-only */
/* demand - keeps connections whose rule says "demand no" from joining costly paths: the kernel opens a path for all connections of a namespace. The MP_JOIN of
 * such a one fails in connect(), before anything is sent. */
#include <mptcp_bpf/policy.bpf.h>
#include <mptcp_bpf/subflow.bpf.h>

MPB_DESCRIBE(MPB_PROBE, demand, "keeps connections off costly paths that their rule does not ask for");

#define SOCK_STREAM 1
#define COSTLY_MAX 16 /* DEMAND_MAX of the agent */

MPB_HASH(mpb_conns, MPB_SUBFLOWS_DEFAULT, __u32, struct mpb_conn);

struct addr {
	__be32 word[4]; /* IPv4 as IPv4-mapped IPv6 */
};

/* Local addresses whose paths are costly. */
MPB_HASH(mpb_costly, COSTLY_MAX, struct addr, __u8);

const volatile __u64 netns_cookie = 0; /* as the agent sets it; cgroup programs see all namespaces */

static __always_inline int may_connect(struct bpf_sock_addr *ctx)
{
	struct mptcp_subflow_context *sub;
	struct mpb_tuple tuple = {};
	struct mptcp_sock *msk;
	struct mpb_conn *conn;
	struct tcp_sock *tp;
	struct addr from;
	__u32 token;

	if (ctx->type != SOCK_STREAM || !ctx->sk || bpf_get_netns_cookie(ctx) != netns_cookie)
		return 1;
	tp = bpf_skc_to_tcp_sock(ctx->sk);
	sub = tp ? mpb_subflow_ctx(tp) : NULL;
	if (!sub || !BPF_CORE_READ_BITFIELD_PROBED(sub, request_join))
		return 1;
	mpb_sock_tuple((struct sock_common *)tp, &tuple); /* it is bound already */
	__builtin_memcpy(&from, tuple.saddr, sizeof(from));
	if (!bpf_map_lookup_elem(&mpb_costly, &from))
		return 1;
	msk = (struct mptcp_sock *)BPF_CORE_READ(sub, conn);
	token = BPF_CORE_READ(msk, token);
	conn = bpf_map_lookup_elem(&mpb_conns, &token);
	return !conn || conn->demand != MPB_DEMAND_NO;
}

SEC("cgroup/connect4")
int demand_c4(struct bpf_sock_addr *ctx)
{
	return may_connect(ctx);
}

SEC("cgroup/connect6")
int demand_c6(struct bpf_sock_addr *ctx)
{
	return may_connect(ctx);
}
