/* SPDX-License-Identifier: GPL-2.0-only */
/* Around a program under BPF_PROG_TEST_RUN, which runs one frame again and again: puts the frame's headers back as they were, then tail-calls. A word that
 * the program left alone is not stored: a load that spans fresh stores stalls, as none does on a frame that came from a device. */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <mptcp_bpf/packet.bpf.h>
#include "around.h"

__u64 frame[AROUND_BYTES / 8];

struct progs {
	__uint(type, BPF_MAP_TYPE_PROG_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
};
struct progs under_tc SEC(".maps"), under_xdp SEC(".maps");

static __always_inline void restore(void *data, void *end)
{
	__u64 *at = data;

	if (data + sizeof(frame) > end)
		return;
#pragma unroll
	for (int i = 0; i < AROUND_BYTES / 8; i++)
		if (at[i] != frame[i])
			at[i] = frame[i];
}

SEC("tc") int around_tc(struct __sk_buff *skb)
{
	restore((void *)(long)skb->data, (void *)(long)skb->data_end);
	bpf_tail_call_static(skb, &under_tc, 0);
	return AROUND_FAILED;
}

SEC("xdp.frags") int around_xdp(struct xdp_md *xdp)
{
	restore((void *)(long)xdp->data, (void *)(long)xdp->data_end);
	bpf_tail_call_static(xdp, &under_xdp, 0);
	return AROUND_FAILED;
}

/* What there is to compare with: nothing, and the way to the options alone. */
SEC("tc") int empty_tc(struct __sk_buff *skb) { return -1; }
SEC("xdp.frags") int empty_xdp(struct xdp_md *xdp) { return XDP_PASS; }

SEC("tc") int parse_tc(struct __sk_buff *skb)
{
	struct mpb_seg s = {};

	mpb_tc_parse(skb, ETH_HLEN, &s);
	return -1;
}

SEC("xdp.frags") int parse_xdp(struct xdp_md *xdp)
{
	struct mpb_seg s = {};

	mpb_xdp_parse(xdp, ETH_HLEN, &s);
	return XDP_PASS;
}

char _license[] SEC("license") = "GPL";
