/* SPDX-License-Identifier: GPL-2.0-only */
/* observe - records every MPTCP subflow from its handshake to its end, for the namespaces that asked for it.
 * One sock_ops program at the cgroup root serves all namespaces: it looks the namespace up by its cookie and writes to that namespace's own maps, which
 * are bounded; a full map is counted, and the connection goes on as it would without us. */
#include <mptcp_bpf/policy.bpf.h>
#include <mptcp_bpf/subflow.bpf.h>

MPB_DESCRIBE(MPB_PROBE, observe, "records MPTCP subflows from handshake to end");

struct conns {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MPB_SUBFLOWS_DEFAULT);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u32);
	__type(value, struct mpb_conn);
} mpb_conns SEC(".maps");

struct subflows {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MPB_SUBFLOWS_DEFAULT);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, struct mpb_tuple);
	__type(value, struct mpb_subflow);
} mpb_subflows SEC(".maps");

/* Namespaces by cookie: their counters, and their maps. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, MPB_NAMESPACES_MAX);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64);
	__type(value, struct mpb_ns);
} mpb_ns SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH_OF_MAPS);
	__uint(max_entries, MPB_NAMESPACES_MAX);
	__type(key, __u64);
	__array(values, struct conns);
} mpb_ns_conns SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH_OF_MAPS);
	__uint(max_entries, MPB_NAMESPACES_MAX);
	__type(key, __u64);
	__array(values, struct subflows);
} mpb_ns_subflows SEC(".maps");

static __always_inline void count(__u64 *n)
{
	__sync_fetch_and_add(n, 1);
}

/* The connection's record gains a subflow; made with the first. */
static __always_inline void conn_join(struct mpb_ns *ns, __u64 cookie, __u32 token, __u64 now)
{
	struct mpb_conn fresh = { .born_ns = now }, *conn;
	void *conns = bpf_map_lookup_elem(&mpb_ns_conns, &cookie);

	if (!conns)
		return;
	conn = bpf_map_lookup_elem(conns, &token);
	if (!conn) {
		bpf_map_update_elem(conns, &token, &fresh, BPF_NOEXIST);
		conn = bpf_map_lookup_elem(conns, &token);
	}
	if (!conn) {
		count(&ns->conns_full);
		return;
	}
	__sync_fetch_and_add(&conn->subflows, 1);
	__sync_fetch_and_add(&conn->joined, 1);
}

static __always_inline void conn_leave(__u64 cookie, __u32 token)
{
	void *conns = bpf_map_lookup_elem(&mpb_ns_conns, &cookie);
	struct mpb_conn *conn = conns ? bpf_map_lookup_elem(conns, &token) : NULL;

	if (conn && __sync_fetch_and_add(&conn->subflows, -1) == 1)
		bpf_map_delete_elem(conns, &token);
}

static __always_inline void born(struct bpf_sock_ops *ctx, struct mpb_ns *ns, __u64 cookie, enum mpb_side side)
{
	struct mpb_subflow sf = { .side = side };
	struct mptcp_subflow_context *sub;
	struct mpb_tuple tuple = {};
	struct tcp_sock *tp;
	void *subflows;

	if (!ctx->sk)
		return;
	tp = bpf_skc_to_tcp_sock(ctx->sk);
	sub = tp ? mpb_subflow_ctx(tp) : NULL;
	if (!sub)
		return;
	sf.token = BPF_CORE_READ(sub, token);
	if (!sf.token) {
		count(&ns->unreadable);
		return;
	}
	subflows = bpf_map_lookup_elem(&mpb_ns_subflows, &cookie);
	if (!subflows)
		return;
	sf.born_ns = bpf_ktime_get_ns();
	sf.local_id = mpb_local_id(sub);
	sf.remote_id = BPF_CORE_READ(sub, remote_id);
	sf.peer_backup = BPF_CORE_READ_BITFIELD_PROBED(sub, backup);
	mpb_sock_tuple((struct sock_common *)tp, &tuple);
	if (bpf_map_update_elem(subflows, &tuple, &sf, BPF_ANY)) {
		count(&ns->subflows_full);
		return;
	}
	count(&ns->born);
	conn_join(ns, cookie, sf.token, sf.born_ns);
	bpf_sock_ops_cb_flags_set(ctx, ctx->bpf_sock_ops_cb_flags | BPF_SOCK_OPS_STATE_CB_FLAG);
}

static __always_inline void gone(struct bpf_sock_ops *ctx, struct mpb_ns *ns, __u64 cookie)
{
	void *subflows = bpf_map_lookup_elem(&mpb_ns_subflows, &cookie);
	struct mpb_tuple tuple = {};
	struct mpb_subflow *sf;
	struct tcp_sock *tp;
	__u32 token;

	if (!ctx->sk || !subflows)
		return;
	tp = bpf_skc_to_tcp_sock(ctx->sk);
	if (!tp)
		return;
	mpb_sock_tuple((struct sock_common *)tp, &tuple);
	sf = bpf_map_lookup_elem(subflows, &tuple);
	if (!sf)
		return;
	token = sf->token;
	if (bpf_map_delete_elem(subflows, &tuple))
		return;
	count(&ns->gone);
	conn_leave(cookie, token);
}

SEC("sockops")
int observe(struct bpf_sock_ops *ctx)
{
	__u64 cookie = bpf_get_netns_cookie(ctx);
	struct mpb_ns *ns = bpf_map_lookup_elem(&mpb_ns, &cookie);

	if (!ns)
		return 1;
	switch (ctx->op) {
	case BPF_SOCK_OPS_ACTIVE_ESTABLISHED_CB:
		born(ctx, ns, cookie, MPB_ACTIVE);
		break;
	case BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB:
		born(ctx, ns, cookie, MPB_PASSIVE);
		break;
	case BPF_SOCK_OPS_STATE_CB:
		if (ctx->args[1] == BPF_TCP_CLOSE)
			gone(ctx, ns, cookie);
		break;
	}
	return 1;
}
