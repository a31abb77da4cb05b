/* SPDX-License-Identifier: GPL-2.0-only */
/* terms_live - goes over the live subflows of a namespace once, when what its operator says of terms has changed: `terms` asks for something else from now on,
 * and what is no longer obeyed is undone. */
#include <mptcp_bpf/policy.bpf.h>
#include <mptcp_bpf/terms.bpf.h>

#define TCP_BPF_SOCK_OPS_CB_FLAGS 1008

MPB_DESCRIBE(MPB_PROBE, terms_live, "puts the terms of paths in force on live subflows");

MPB_HASH(mpb_subflows, MPB_SUBFLOWS_DEFAULT, struct mpb_tuple, struct mpb_subflow);

MPB_HASH(mpb_deals, MPB_SUBFLOWS_DEFAULT, struct mpb_tuple, struct mpb_deal);

MPB_HASH(mpb_paths, 1, __u32, struct mpb_paths);

static const struct mpb_deal nothing_said = { .said = MPB_TERMS_TIMES };

SEC("iter/tcp")
int terms_live(struct bpf_iter__tcp *ctx)
{
	struct sock_common *skc = ctx->sk_common;
	struct mpb_tuple tuple = {};
	const struct mpb_path *path;
	struct mpb_paths *paths;
	struct mpb_subflow *sf;
	struct mpb_deal *d;
	struct tcp_sock *tp;
	__u32 zero = 0;
	int flags, now;

	if (!skc || BPF_CORE_READ(skc, skc_state) == BPF_TCP_LISTEN)
		return 0;
	tp = bpf_skc_to_tcp_sock(skc);
	if (!tp || !mpb_terms_speaks(tp))
		return 0;
	mpb_sock_tuple(skc, &tuple);
	sf = bpf_map_lookup_elem(&mpb_subflows, &tuple);
	paths = bpf_map_lookup_elem(&mpb_paths, &zero);
	if (!sf || !paths)
		return 0;
	path = mpb_terms_path(paths, &tuple, sf, tp);
	d = bpf_map_lookup_elem(&mpb_deals, &tuple);
	if (!d && path) {
		bpf_map_update_elem(&mpb_deals, &tuple, &nothing_said, BPF_NOEXIST);
		d = bpf_map_lookup_elem(&mpb_deals, &tuple);
	}
	if (!d)
		return 0;
	mpb_deal_path(skc, d, sf, tp, path);
	now = BPF_CORE_READ(tp, bpf_sock_ops_cb_flags);
	flags = mpb_deal_flags_on(d, now);
	if (flags != now)
		bpf_setsockopt(skc, MPB_SOL_TCP, TCP_BPF_SOCK_OPS_CB_FLAGS, &flags, sizeof(flags));
	return 0;
}
