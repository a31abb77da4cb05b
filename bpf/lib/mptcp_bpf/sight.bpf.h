/* SPDX-License-Identifier: GPL-2.0-only */
/* What only those who look read out of a connection. */
#ifndef MPTCP_BPF_SIGHT_BPF_H
#define MPTCP_BPF_SIGHT_BPF_H

#include <mptcp_bpf/kernel.bpf.h>
#include <mptcp_bpf/sight.h>

#define MPB_AHEAD_MAX (1ULL << 32) /* bytes: no receive buffer is larger */

static __always_inline __u64 mpb_skb_end_seq(struct sk_buff *skb)
{
	__u64 end = 0;

	if (skb)
		bpf_probe_read_kernel(&end, sizeof(end), (void *)skb + bpf_core_field_offset(skb->cb) + bpf_core_field_offset(struct mptcp_skb_cb, end_seq));
	return end;
}

static __always_inline __u32 mpb_min_rtt(struct tcp_sock *tp)
{
	__u32 rtt = BPF_CORE_READ(tp, rtt_min.s[0].v);

	return rtt == ~0U ? 0 : rtt;
}

/* Why the connection is plain TCP, if it is. The kernel keeps no word of it; this is what each way there leaves behind. */
static __always_inline __u8 mpb_fallback_cause(struct mptcp_subflow_context *sub, struct mptcp_sock *msk)
{
	if (bpf_core_field_exists(sub->mpc_drop) && BPF_CORE_READ_BITFIELD_PROBED(sub, mpc_drop))
		return MPB_FB_DROPPED;
	if (!BPF_CORE_READ_BITFIELD_PROBED(sub, mp_capable) && !BPF_CORE_READ_BITFIELD_PROBED(sub, mp_join))
		return MPB_FB_REFUSED;
	return BPF_CORE_READ(msk, csum_enabled) ? MPB_FB_INFINITE : MPB_FB_DSS;
}

#endif
