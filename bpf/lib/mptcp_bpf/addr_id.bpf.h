/* SPDX-License-Identifier: GPL-2.0-only */
/* The address ID (RFC 8684 section 2.2) of the end that sent a segment. On a host the kernel's own subflows tell; a forwarder learns it from the
 * handshakes that pass: MP_JOIN carries it, MP_CAPABLE means 0. An ID that nobody knows is an answer too. */
#ifndef MPTCP_BPF_ADDR_ID_BPF_H
#define MPTCP_BPF_ADDR_ID_BPF_H

#include <mptcp_bpf/opt.bpf.h>

#define MPB_ID_UNKNOWN (-1)

#ifdef __bpf__

/* The namespace's subflows, shared by its policies: the controller puts the namespace's own map in this place. */
MPB_HASH(mpb_subflows, MPB_SUBFLOWS_DEFAULT, struct mpb_tuple, struct mpb_subflow);

/* Learned from handshakes, keyed by the direction of travel. A forwarder sees flows end without notice, so this one is an LRU: what it forgets is
 * unknown, which is safe. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, MPB_SUBFLOWS_DEFAULT);
	__type(key, struct mpb_tuple);
	__type(value, __u8);
} mpb_ids SEC(".maps");

static __always_inline void mpb_learn_id(struct mpb_seg *s, __u8 id)
{
	bpf_map_update_elem(&mpb_ids, &s->pkt.tuple, &id, BPF_ANY);
}

/* The sender's address ID on the subflow that carries this segment, or MPB_ID_UNKNOWN. */
static __always_inline int mpb_sender_id(struct mpb_seg *s)
{
	struct mpb_tuple key = s->pkt.tuple; /* local end first */
	struct mpb_subflow *sf;
	__u8 *id;

	if (s->dir == MPB_IN) {
		__builtin_memcpy(key.saddr, s->pkt.tuple.daddr, sizeof(key.saddr));
		__builtin_memcpy(key.daddr, s->pkt.tuple.saddr, sizeof(key.daddr));
		key.sport = s->pkt.tuple.dport;
		key.dport = s->pkt.tuple.sport;
	}
	sf = bpf_map_lookup_elem(&mpb_subflows, &key);
	if (sf)
		return s->dir == MPB_IN ? sf->remote_id : sf->local_id;
	id = bpf_map_lookup_elem(&mpb_ids, &s->pkt.tuple);
	return id ? *id : MPB_ID_UNKNOWN;
}

#else

void mpb_learn_id(struct mpb_seg *s, __u8 id);
int mpb_sender_id(struct mpb_seg *s);

#endif

/* To be called with every option: learns from the handshake. The JOIN of a third ACK (length 24) has no ID. */
static inline void mpb_learn_from_handshake(struct mpb_seg *s)
{
	if (!(s->pkt.flags & MPB_TCP_SYN))
		return;
	if (s->subtype == MPTCP_CAPABLE)
		mpb_learn_id(s, 0);
	else if (s->subtype == MPTCP_JOIN && s->optlen >= 4)
		mpb_learn_id(s, mpb_opt_u8(s, 3));
}

#endif
