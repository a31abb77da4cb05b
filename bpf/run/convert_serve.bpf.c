/* SPDX-License-Identifier: GPL-2.0-only */
/* convert_serve - on a converter's host, as long as it serves: the window of an MPTCP SYN that brings a request is made one that the kernel does not mistake
 * (shrink_window()). Clients that run `convert` have done so themselves. */
#include <mptcp_bpf/convert.h>
#include <mptcp_bpf/policy.bpf.h>
#include <mptcp_bpf/segment.bpf.h>

MPB_DESCRIBE(MPB_PROBE, convert_serve, "mends the window of SYNs that bring a converter its request");

#define WINDOW_MAX 65535 /* of a SYN (RFC 7323 section 2.2) */

/* The converter's port, network order. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} mpb_listen SEC(".maps");

struct offer {
	struct mpb_seg *seg;
	__u32 scale;
	__u32 capable;
};

static long offer_step(__u32 i, struct offer *o)
{
	struct mpb_seg *s = o->seg;
	__u32 off = s->off, end;
	enum mpb_step step = mpb_opt_step(s);

	if (step == MPB_STEP_OPTION) {
		o->capable |= s->subtype == MPTCP_CAPABLE;
		s->off += s->optlen;
		return 0;
	}
	end = s->off;
	if (step == MPB_STEP_NEXT && end - off == 3) {
		s->off = off;
		if (mpb_opt_u8(s, 0) == MPB_TCPOPT_WSCALE)
			o->scale = mpb_opt_u8(s, 2);
		s->off = end;
	}
	return step == MPB_STEP_END;
}

static __always_inline int in(struct __sk_buff *skb, __u32 l2)
{
	struct work *w = work();
	struct offer o = {};
	__u32 zero = 0, *port = bpf_map_lookup_elem(&mpb_listen, &zero);
	__be16 window;

	if (!w || !port || !segment(skb, l2, w, MPB_IN) || (w->t.seg.pkt.flags & (MPB_TCP_SYN | MPB_TCP_ACK)) != MPB_TCP_SYN || !w->payload || w->key.sport != *port)
		return MPB_TC_NEXT;
	o.seg = &w->t.seg;
	mpb_opt_begin(o.seg);
	bpf_loop(MPB_OPT_STEPS, offer_step, &o, 0);
	if (!o.capable || w->t.seg.pkt.l4 > MPB_HEADERS_MAX || bpf_skb_load_bytes(skb, w->t.seg.pkt.l4 + 14, &window, sizeof(window)) ||
	    (__u32)bpf_ntohs(window) << (o.scale & 15) <= WINDOW_MAX)
		return MPB_TC_NEXT;
	return shrink_window(skb, w, o.scale) ? MPB_TC_DROP : MPB_TC_NEXT;
}

SEC("tc") int convert_serve_in(struct __sk_buff *skb) { return in(skb, ETH_HLEN); }
SEC("tc") int convert_serve_in3(struct __sk_buff *skb) { return in(skb, 0); }
