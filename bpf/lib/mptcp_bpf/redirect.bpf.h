/* SPDX-License-Identifier: GPL-2.0-only */
/* connect() to where a rule says "convert" goes to the converter, and getpeername() says what the application asked for. Routing, MP_JOIN and ICMP are the
 * kernel's own then; what differs on the wire is tc's (bpf/run/convert.bpf.c). */
#ifndef MPTCP_BPF_REDIRECT_BPF_H
#define MPTCP_BPF_REDIRECT_BPF_H

#include <mptcp_bpf/converter.h>
#include <mptcp_bpf/policy.bpf.h>
#include <mptcp_bpf/rule.h>
#include <mptcp_bpf/segment.bpf.h>
#include <mptcp_bpf/subflow.bpf.h>

#define SOCK_STREAM 1
#define MPTCP_PROTOCOL 262 /* IPPROTO_MPTCP */

/* Where a socket's connection is to end. */
struct mpb_redirect {
	__be32 dest[4];
	__be16 port;
	__u8 slot;
	__u8 pad;
};

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct mpb_redirect);
} mpb_redirects SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MPB_CONVERTERS);
	__type(key, __u32);
	__type(value, struct mpb_converter);
} mpb_converters SEC(".maps");

/* The namespace's cookie: cgroup programs see all of them. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} mpb_own SEC(".maps");

MPB_HASH(mpb_rules, 1, __u32, struct mpb_rules);

/* MPTCP sockets that begin as plain TCP, since SYNs of MPTCP went unanswered (net.mptcp.blackhole_timeout): they have no token, and their storage cannot be
 * reached. By the socket's address; connect() tells of the next one there. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u64);
	__type(value, struct mpb_redirect);
} mpb_tokenless SEC(".maps");

MPB_HASH(mpb_converted_conns, MPB_SUBFLOWS_DEFAULT, __u32, struct mpb_converted_conn);

#define CONVERTER_COUNT(_c, _name) __sync_fetch_and_add(&(_c)->_name, 1)

static __always_inline struct mpb_converter *mpb_converter_of(__u32 slot)
{
	struct mpb_converter *c = bpf_map_lookup_elem(&mpb_converters, &slot);

	return c && c->used ? c : NULL;
}

/* A connect() as rules see it, and their verdict. */
struct mpb_asking {
	const struct mpb_rules *rules;
	__be32 dest[4];
	__u16 port;
	__u32 mark;
	__u32 slot;
};

static long mpb_convert_rule(__u32 i, struct mpb_asking *q)
{
	const struct mpb_rule *r;

	if (i >= MPB_RULES_MAX || i >= q->rules->n)
		return 1;
	r = &q->rules->rule[i];
	if (!r->convert || (r->by & MPB_BY_PEER && !mpb_prefix_match(q->dest, r->peer, r->peer_bits)) ||
	    (r->by & MPB_BY_PEER_PORT && q->port != r->peer_port) || (r->by & MPB_BY_MARK && q->mark != r->mark) || r->by & MPB_BY_LOCAL_PORT ||
	    (r->by & MPB_BY_CGROUP && bpf_get_current_ancestor_cgroup_id(r->cgroup_level) != r->cgroup))
		return 0;
	q->slot = r->convert;
	return 1;
}

static __always_inline int mpb_is_own(void *ctx)
{
	__u32 zero = 0;
	__u64 *cookie = bpf_map_lookup_elem(&mpb_own, &zero);

	return cookie && *cookie == bpf_get_netns_cookie(ctx);
}

/* The subflow that a socket is; NULL: plain TCP. */
static __always_inline struct mptcp_subflow_context *mpb_subflow_of(struct bpf_sock *sk)
{
	struct tcp_sock *tp = bpf_skc_to_tcp_sock(sk);

	return tp ? mpb_subflow_ctx(tp) : NULL;
}

/* The MPTCP connection of a first subflow, by its address, if it has no token; 0: it has, or there is none. */
static __always_inline __u64 mpb_without_token(struct mptcp_subflow_context *sub)
{
	struct mptcp_sock *msk = sub ? (void *)BPF_CORE_READ(sub, conn) : NULL;

	return msk && !BPF_CORE_READ(msk, token) ? (__u64)msk : 0;
}

/* The converter for a connect() to q->dest; NULL: it goes where it wants. v4: of an AF_INET socket. */
static __always_inline struct mpb_converter *mpb_redirect(struct bpf_sock_addr *ctx, struct mpb_asking *q, int v4)
{
	struct mpb_redirect to = {}, *stored;
	struct mptcp_subflow_context *sub;
	struct mpb_converter *c;
	__u32 zero = 0;
	__u64 msk;

	if (ctx->type != SOCK_STREAM || !ctx->sk || !mpb_is_own(ctx))
		return NULL;
	sub = mpb_subflow_of(ctx->sk);
	if (sub && BPF_CORE_READ_BITFIELD_PROBED(sub, request_join))
		return NULL;
	msk = mpb_without_token(sub);
	if (msk)
		bpf_map_delete_elem(&mpb_tokenless, &msk);
	bpf_sk_storage_delete(&mpb_redirects, ctx->sk);
	q->rules = bpf_map_lookup_elem(&mpb_rules, &zero);
	if (!q->rules)
		return NULL;
	q->port = bpf_ntohs(ctx->user_port);
	q->mark = ctx->sk->mark;
	bpf_loop(MPB_RULES_MAX, mpb_convert_rule, q, 0);
	c = q->slot ? mpb_converter_of(q->slot) : NULL;
	if (!c || (c->port == (__be16)ctx->user_port && c->addr[3] == q->dest[3] && c->addr[2] == q->dest[2] && c->addr[1] == q->dest[1] &&
		   c->addr[0] == q->dest[0]))
		return NULL;
	if (v4 && !mpb_is_v4(c->addr)) {
		CONVERTER_COUNT(c, unfit);
		return NULL;
	}
	if (bpf_ktime_get_ns() < c->down_until_ns) {
		CONVERTER_COUNT(c, bypassed);
		return NULL;
	}
	for (int i = 0; i < 4; i++)
		to.dest[i] = q->dest[i];
	to.port = ctx->user_port;
	to.slot = q->slot;
	stored = bpf_sk_storage_get(&mpb_redirects, ctx->sk, &to, BPF_SK_STORAGE_GET_F_CREATE);
	if (!stored) {
		CONVERTER_COUNT(c, full);
		return NULL;
	}
	if (msk)
		bpf_map_update_elem(&mpb_tokenless, &msk, &to, BPF_ANY);
	ctx->user_port = c->port;
	return c;
}

SEC("cgroup/connect4")
int convert_c4(struct bpf_sock_addr *ctx)
{
	struct mpb_asking q = { .dest = { 0, 0, MPB_V4MAPPED, ctx->user_ip4 } };
	struct mpb_converter *c = mpb_redirect(ctx, &q, 1);

	if (c)
		ctx->user_ip4 = c->addr[3];
	return 1;
}

SEC("cgroup/connect6")
int convert_c6(struct bpf_sock_addr *ctx)
{
	struct mpb_asking q = { .dest = { ctx->user_ip6[0], ctx->user_ip6[1], ctx->user_ip6[2], ctx->user_ip6[3] } };
	struct mpb_converter *c = mpb_redirect(ctx, &q, 0);

	if (!c)
		return 1;
	ctx->user_ip6[0] = c->addr[0];
	ctx->user_ip6[1] = c->addr[1];
	ctx->user_ip6[2] = c->addr[2];
	ctx->user_ip6[3] = c->addr[3];
	return 1;
}

/* The destination that the application asked for: by the socket, or, of an MPTCP connection, by its token, or its address. */
static __always_inline int mpb_peer(struct bpf_sock_addr *ctx, struct mpb_redirect *to)
{
	struct bpf_sock *sk = ctx->sk;
	struct mpb_converted_conn *conn;
	struct mpb_redirect *stored;
	struct mptcp_sock *msk;
	__u32 token;

	if (!sk || !mpb_is_own(ctx))
		return 0;
	stored = bpf_sk_storage_get(&mpb_redirects, sk, NULL, 0);
	if (stored) {
		*to = *stored;
		return 1;
	}
	if (ctx->protocol != MPTCP_PROTOCOL)
		return 0;
	bpf_probe_read_kernel(&msk, sizeof(msk), &sk); /* an address, for reading */
	token = BPF_CORE_READ(msk, token);
	if (!token) {
		stored = bpf_map_lookup_elem(&mpb_tokenless, &msk);
		if (stored)
			*to = *stored;
		return !!stored;
	}
	conn = bpf_map_lookup_elem(&mpb_converted_conns, &token);
	if (!conn)
		return 0;
	for (int i = 0; i < 4; i++)
		to->dest[i] = conn->dest[i];
	to->port = conn->port;
	return 1;
}

SEC("cgroup/getpeername4")
int convert_p4(struct bpf_sock_addr *ctx)
{
	struct mpb_redirect to = {};

	if (!mpb_peer(ctx, &to))
		return 1;
	ctx->user_ip4 = to.dest[3];
	ctx->user_port = to.port;
	return 1;
}

SEC("cgroup/getpeername6")
int convert_p6(struct bpf_sock_addr *ctx)
{
	struct mpb_redirect to = {};

	if (!mpb_peer(ctx, &to))
		return 1;
	ctx->user_ip6[0] = to.dest[0];
	ctx->user_ip6[1] = to.dest[1];
	ctx->user_ip6[2] = to.dest[2];
	ctx->user_ip6[3] = to.dest[3];
	ctx->user_port = to.port;
	return 1;
}

#endif
