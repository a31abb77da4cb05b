/* SPDX-License-Identifier: GPL-2.0-only */
/* move - goes over the sockets of a namespace once and gives those with the congestion control `from` the one called `to`. The kernel keeps the window and
 * ssthresh (tcp_reinit_congestion_control). Writes an int for each: 0, or the error. What rules chose for connections changes from `from` to `rule`. */
#include <mptcp_bpf/policy.bpf.h>
#include <mptcp_bpf/rule.h>
#include <mptcp_bpf/subflow.bpf.h>

#define SOL_TCP 6
#define TCP_CONGESTION 13

MPB_DESCRIBE(MPB_PROBE, move, "moves live sockets to another congestion control");

MPB_HASH(mpb_conns, MPB_SUBFLOWS_DEFAULT, __u32, struct mpb_conn);

union name {
	char c[MPB_CC_LEN];
	__u64 word[2];
};

/* As the controller sets them. */
const volatile struct {
	union name from, to, rule;
} names = {};

static __always_inline bool is_from(const union name *n)
{
	return n->word[0] == names.from.word[0] && n->word[1] == names.from.word[1];
}

static __always_inline void change_conn(struct tcp_sock *tp)
{
	struct mptcp_subflow_context *sub = mpb_subflow_ctx(tp);
	__u32 token = sub ? BPF_CORE_READ(sub, token) : 0;
	struct mpb_conn *conn = token ? bpf_map_lookup_elem(&mpb_conns, &token) : NULL;
	union name has;

	if (!conn)
		return;
	__builtin_memcpy(&has, conn->cc, sizeof(has));
	if (!is_from(&has))
		return;
	has.word[0] = names.rule.word[0];
	has.word[1] = names.rule.word[1];
	__builtin_memcpy(conn->cc, &has, sizeof(has));
}

SEC("iter/tcp")
int move(struct bpf_iter__tcp *ctx)
{
	struct sock_common *skc = ctx->sk_common;
	struct tcp_sock *tp = skc ? bpf_skc_to_tcp_sock(skc) : NULL;
	union name has = {}, to;
	int err;

	if (!tp)
		return 0;
	change_conn(tp);
	BPF_CORE_READ_STR_INTO(&has.c, tp, inet_conn.icsk_ca_ops, name);
	if (!is_from(&has))
		return 0;
	to.word[0] = names.to.word[0];
	to.word[1] = names.to.word[1];
	err = bpf_setsockopt(skc, SOL_TCP, TCP_CONGESTION, to.c, sizeof(to.c));
	bpf_seq_write(ctx->meta->seq, &err, sizeof(err));
	return 0;
}
