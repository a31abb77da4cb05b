/* SPDX-License-Identifier: GPL-2.0-only */
/* observe - records every MPTCP subflow from its handshake to its end, for the namespaces that asked for it, and gives it what their rules say: a
 * scheduler's record, a congestion control, a pacing rate.
 * One sock_ops program at the cgroup root serves all namespaces: it looks the namespace up by its cookie and writes to that namespace's own maps, which
 * are bounded; a full map is counted, and the connection goes on as it would without us. */
#include <mptcp_bpf/policy.bpf.h>
#include <mptcp_bpf/pace.bpf.h>
#include <mptcp_bpf/place.bpf.h>
#include <mptcp_bpf/rule.bpf.h>

#define SOL_TCP 6
#define TCP_CONGESTION 13
#define CC_CHECKS 8 /* round trips for which the kernel is seen to put its own congestion control back, and ours is set again */

MPB_DESCRIBE(MPB_PROBE, observe, "records MPTCP subflows from handshake to end");

MPB_OF_NS(mpb_conns, mpb_ns_conns, BPF_MAP_TYPE_HASH, MPB_SUBFLOWS_DEFAULT, sizeof(__u32), sizeof(struct mpb_conn));
MPB_OF_NS(mpb_subflows, mpb_ns_subflows, BPF_MAP_TYPE_HASH, MPB_SUBFLOWS_DEFAULT, sizeof(struct mpb_tuple), sizeof(struct mpb_subflow));
MPB_OF_NS(mpb_steered, mpb_ns_steered, BPF_MAP_TYPE_HASH, MPB_SUBFLOWS_DEFAULT, sizeof(__u32), sizeof(struct mpb_steer));
MPB_OF_NS(mpb_rules, mpb_ns_rules, BPF_MAP_TYPE_HASH, 1, sizeof(__u32), sizeof(struct mpb_rules));
MPB_HASH(mpb_ns, MPB_NAMESPACES_MAX, __u64, struct mpb_ns); /* counters, by the namespace's cookie */

static const struct mpb_steer unsteered;

static __always_inline void count(__u64 *n)
{
	__sync_fetch_and_add(n, 1);
}

/* The connection's record gains a subflow; made with the first. Returns NULL where the table is full. */
static __always_inline struct mpb_conn *conn_join(struct mpb_ns *ns, __u64 cookie, __u32 token, __u64 now)
{
	struct mpb_conn fresh = { .born_ns = now }, *conn;
	void *conns = bpf_map_lookup_elem(&mpb_ns_conns, &cookie);

	if (!conns)
		return NULL;
	conn = bpf_map_lookup_elem(conns, &token);
	if (!conn) {
		bpf_map_update_elem(conns, &token, &fresh, BPF_NOEXIST);
		conn = bpf_map_lookup_elem(conns, &token);
	}
	if (!conn) {
		count(&ns->conns_full);
		return NULL;
	}
	__sync_fetch_and_add(&conn->subflows, 1);
	__sync_fetch_and_add(&conn->joined, 1);
	return conn;
}

static __always_inline void conn_leave(__u64 cookie, __u32 token)
{
	void *conns = bpf_map_lookup_elem(&mpb_ns_conns, &cookie);
	struct mpb_conn *conn = conns ? bpf_map_lookup_elem(conns, &token) : NULL;

	if (!conn || __sync_fetch_and_add(&conn->subflows, -1) != 1)
		return;
	bpf_map_delete_elem(conns, &token);
	conns = bpf_map_lookup_elem(&mpb_ns_steered, &cookie);
	if (conns)
		bpf_map_delete_elem(conns, &token);
}

/* The first subflow of a connection: ask the rules. */
static __noinline int choose(struct mpb_conn *conn, __u64 cookie, __u32 token, const struct mpb_tuple *tuple, struct tcp_sock *tp)
{
	void *map = bpf_map_lookup_elem(&mpb_ns_rules, &cookie);
	struct mpb_matching m = {};
	struct mpb_steer *steer;
	__u32 zero = 0;

	m.rules = map ? bpf_map_lookup_elem(map, &zero) : NULL;
	if (!m.rules)
		return 0;
	m.tuple = *tuple;
	mpb_rules_ask(&m, (struct sock *)tp);
	conn->demand = m.demand;
	if (m.cc_rule && m.cc_rule <= MPB_RULES_MAX)
		__builtin_memcpy(conn->cc, m.rules->rule[m.cc_rule - 1].cc, sizeof(conn->cc));
	map = m.sched ? bpf_map_lookup_elem(&mpb_ns_steered, &cookie) : NULL;
	if (!map)
		return 0;
	bpf_map_update_elem(map, &token, &unsteered, BPF_ANY);
	steer = bpf_map_lookup_elem(map, &token);
	if (steer)
		steer->slot = m.sched;
	return 0;
}

static __always_inline int is_paced(__u64 cookie, __u32 token)
{
	void *steered = bpf_map_lookup_elem(&mpb_ns_steered, &cookie), *rules = bpf_map_lookup_elem(&mpb_ns_rules, &cookie);
	__u32 zero = 0;

	return steered && rules && mpb_is_paced(bpf_map_lookup_elem(steered, &token), bpf_map_lookup_elem(rules, &zero));
}

static __always_inline void set_cc(struct bpf_sock_ops *ctx, struct mpb_ns *ns, const struct mpb_conn *conn)
{
	char cc[MPB_CC_LEN];

	__builtin_memcpy(cc, conn->cc, sizeof(cc));
	if (bpf_setsockopt(ctx, SOL_TCP, TCP_CONGESTION, cc, sizeof(cc)))
		count(&ns->cc_refused);
}

/* Show a steered connection its new subflow at once: the scheduler would else not see it before a segment arrives on it. */
static __always_inline void enlist(__u64 cookie, struct mpb_subflow *sf, const struct mpb_tuple *tuple)
{
	void *map = bpf_map_lookup_elem(&mpb_ns_steered, &cookie);
	struct mpb_steer *steer = map ? bpf_map_lookup_elem(map, &sf->token) : NULL;

	if (!steer || __sync_val_compare_and_swap(&steer->busy, 0, 1))
		return;
	mpb_place(steer, sf, tuple);
	__sync_lock_test_and_set(&steer->busy, 0);
}

static __always_inline void born(struct bpf_sock_ops *ctx, struct mpb_ns *ns, __u64 cookie, enum mpb_side side)
{
	__u32 flags = ctx->bpf_sock_ops_cb_flags | BPF_SOCK_OPS_STATE_CB_FLAG;
	struct mpb_subflow sf = { .side = side };
	struct mptcp_subflow_context *sub;
	struct mpb_tuple tuple = {};
	struct mpb_conn *conn;
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
	sf.sk = (__u64)tp;
	sf.local_id = mpb_local_id(sub);
	sf.remote_id = BPF_CORE_READ(sub, remote_id);
	sf.peer_backup = BPF_CORE_READ_BITFIELD_PROBED(sub, backup);
	mpb_sock_tuple((struct sock_common *)tp, &tuple);
	conn = conn_join(ns, cookie, sf.token, sf.born_ns);
	if (conn && conn->joined == 1)
		choose(conn, cookie, sf.token, &tuple, tp);
	enlist(cookie, &sf, &tuple);
	if (conn && conn->cc[0]) {
		set_cc(ctx, ns, conn);
		sf.cc_checks = CC_CHECKS;
	}
	if (sf.cc_checks || is_paced(cookie, sf.token))
		flags |= BPF_SOCK_OPS_RTT_CB_FLAG;
	if (bpf_map_update_elem(subflows, &tuple, &sf, BPF_ANY)) {
		count(&ns->subflows_full);
		conn_leave(cookie, sf.token);
		return;
	}
	count(&ns->born);
	bpf_sock_ops_cb_flags_set(ctx, flags);
}

/* The kernel brings a joined subflow's congestion control in line with the connection's some time after the join, and undoes ours. */
static __always_inline void check_cc(struct bpf_sock_ops *ctx, struct mpb_ns *ns, __u64 cookie, struct mpb_subflow *sf, struct tcp_sock *tp)
{
	void *conns = bpf_map_lookup_elem(&mpb_ns_conns, &cookie);
	struct mpb_conn *conn = conns ? bpf_map_lookup_elem(conns, &sf->token) : NULL;
	union {
		char name[MPB_CC_LEN];
		__u64 word[2];
	} now = {}, want;

	if (!conn || !conn->cc[0])
		return;
	BPF_CORE_READ_STR_INTO(&now.name, tp, inet_conn.icsk_ca_ops, name);
	__builtin_memcpy(&want, conn->cc, sizeof(want));
	if (now.word[0] != want.word[0] || now.word[1] != want.word[1]) {
		count(&ns->cc_reverted);
		set_cc(ctx, ns, conn);
	}
	if (!--sf->cc_checks && !is_paced(cookie, sf->token))
		bpf_sock_ops_cb_flags_set(ctx, ctx->bpf_sock_ops_cb_flags & ~BPF_SOCK_OPS_RTT_CB_FLAG);
}

static __always_inline void round_trip(struct bpf_sock_ops *ctx, struct mpb_ns *ns, __u64 cookie)
{
	void *subflows = bpf_map_lookup_elem(&mpb_ns_subflows, &cookie);
	struct bpf_sock *sk = ctx->sk;
	struct mpb_tuple tuple = {};
	struct mpb_subflow *sf;
	struct tcp_sock *tp;

	if (!sk || !subflows)
		return;
	tp = bpf_skc_to_tcp_sock(sk);
	if (!tp)
		return;
	mpb_sock_tuple((struct sock_common *)tp, &tuple);
	sf = bpf_map_lookup_elem(subflows, &tuple);
	if (!sf)
		return;
	if (sf->rate != sf->rate_set && !mpb_pace(ctx, sf, tp))
		count(&ns->paced);
	if (sf->cc_checks)
		check_cc(ctx, ns, cookie, sf, tp);
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
	case BPF_SOCK_OPS_RTT_CB:
		round_trip(ctx, ns, cookie);
		break;
	case BPF_SOCK_OPS_STATE_CB:
		if (ctx->args[1] == BPF_TCP_CLOSE)
			gone(ctx, ns, cookie);
		break;
	}
	return 1;
}
