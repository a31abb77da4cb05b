/* SPDX-License-Identifier: GPL-2.0-only */
/* pace - goes over the live subflows of a namespace once, when what its schedulers ask for has changed or somebody begins to look: rates that stand at once,
 * and whether the observer, by which later ones are put in force, and the witness hear of each round trip. */
#include <mptcp_bpf/policy.bpf.h>
#include <mptcp_bpf/pace.bpf.h>
#include <mptcp_bpf/sight.h>

#define SOL_TCP 6
#define TCP_BPF_SOCK_OPS_CB_FLAGS 1008

MPB_DESCRIBE(MPB_PROBE, pace, "puts the rates of schedulers in force on live subflows");

MPB_HASH(mpb_subflows, MPB_SUBFLOWS_DEFAULT, struct mpb_tuple, struct mpb_subflow);

MPB_HASH(mpb_steered, MPB_SUBFLOWS_DEFAULT, __u32, struct mpb_steer);

MPB_HASH(mpb_rules, 1, __u32, struct mpb_rules);

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MPB_WATCH_MAX);
	__type(key, __u32);
	__type(value, __u64);
} mpb_watch SEC(".maps");

static __always_inline bool is_watched(void)
{
	__u32 what = MPB_WATCH_RTTS;
	__u64 *until = bpf_map_lookup_elem(&mpb_watch, &what);

	return until && *until > bpf_ktime_get_ns();
}

SEC("iter/tcp")
int pace(struct bpf_iter__tcp *ctx)
{
	struct sock_common *skc = ctx->sk_common;
	int flags = BPF_SOCK_OPS_STATE_CB_FLAG;
	struct mpb_tuple tuple = {};
	struct mpb_subflow *sf;
	struct tcp_sock *tp;
	__u32 token, zero = 0;

	if (!skc || BPF_CORE_READ(skc, skc_state) == BPF_TCP_LISTEN)
		return 0;
	tp = bpf_skc_to_tcp_sock(skc);
	if (!tp)
		return 0;
	mpb_sock_tuple(skc, &tuple);
	sf = bpf_map_lookup_elem(&mpb_subflows, &tuple);
	if (!sf)
		return 0;
	if (sf->rate != sf->rate_set)
		mpb_pace(skc, sf, tp);
	token = sf->token;
	if (sf->cc_checks || is_watched() || mpb_is_paced(bpf_map_lookup_elem(&mpb_steered, &token), bpf_map_lookup_elem(&mpb_rules, &zero)))
		flags |= BPF_SOCK_OPS_RTT_CB_FLAG;
	flags |= BPF_CORE_READ(tp, bpf_sock_ops_cb_flags) & (BPF_SOCK_OPS_WRITE_HDR_OPT_CB_FLAG | BPF_SOCK_OPS_PARSE_UNKNOWN_HDR_OPT_CB_FLAG);
	bpf_setsockopt(skc, SOL_TCP, TCP_BPF_SOCK_OPS_CB_FLAGS, &flags, sizeof(flags));
	return 0;
}
