/* SPDX-License-Identifier: GPL-2.0-only */
/* The flows that go through a converter: a record for each from its SYN on, until it has been silent for long, and what is counted of them. */
#ifndef MPTCP_BPF_CONVERTED_BPF_H
#define MPTCP_BPF_CONVERTED_BPF_H

#include <mptcp_bpf/redirect.bpf.h>
#include <mptcp_bpf/segment.bpf.h>

#define EBUSY 16
#define SYNS_GIVEN_UP 2                 /* retransmissions without an answer after which the converter is bypassed */
#define HEAD MPB_CONVERT_HEAD
#define IDLE_NS (7440ULL * 1000000000)  /* 2 h 4 min: RFC 5382, REQ-5 */
#define CLOSING_NS (240ULL * 1000000000) /* RFC 5382, REQ-5: and for connections that are not established */

/* struct mpb_converted, with the timer as the kernel knows it. */
struct converted {
	struct bpf_timer timer;
	__u64 seen_ns;
	__u32 token;
	__u32 isn, irs;
	__u32 sent, reply, got;
	__u8 slot, join, acked, closing, syns, past, refused, bare;
	__u8 head[HEAD];
	__u8 timed, pad[7];
};
_Static_assert(sizeof(struct converted) == sizeof(struct mpb_converted), "struct converted crosses a boundary");

MPB_HASH(mpb_converted, MPB_SUBFLOWS_DEFAULT, struct mpb_tuple, struct converted);

static void forget(const struct mpb_tuple *key, __u32 token)
{
	struct mpb_converted_conn *conn = token ? bpf_map_lookup_elem(&mpb_converted_conns, &token) : NULL;

	bpf_map_delete_elem(&mpb_converted, key);
	if (conn && __sync_fetch_and_add(&conn->subflows, -1) == 1)
		bpf_map_delete_elem(&mpb_converted_conns, &token);
}

/* Looks whether a flow has been silent for as long as it may. */
static int expire(void *map, struct mpb_tuple *key, struct converted *f)
{
	int ends = f->closing >= MPB_CLOSING_RST || f->closing == (MPB_CLOSING_HOST | MPB_CLOSING_PEER);
	__u64 limit = ends || !f->acked ? CLOSING_NS : IDLE_NS, silent = bpf_ktime_get_ns() - f->seen_ns, left = limit - silent;

	if (silent < limit)
		bpf_timer_start(&f->timer, left < CLOSING_NS ? left : CLOSING_NS, 0); /* it may end meanwhile */
	else
		forget(key, f->token);
	return 0;
}

/* A FIN of either end, or a RST: of the converter's, unless the host goes on speaking and so did not take it. */
static __always_inline void note_end(struct converted *f, __u32 flags, enum mpb_dir dir)
{
	__u8 closing = f->closing;

	if (dir == MPB_OUT)
		closing &= ~MPB_CLOSING_RST;
	if (flags & MPB_TCP_FIN)
		closing |= dir == MPB_OUT ? MPB_CLOSING_HOST : MPB_CLOSING_PEER;
	if (flags & MPB_TCP_RST)
		closing |= MPB_CLOSING_RST;
	f->closing = closing;
}

/* The record's timer. There may be no memory for it: Linux 6.18 allocates it without waiting for a lock, and fails at one of twenty. Then the next packet asks again. */
static __noinline int give_timer(struct converted *f)
{
	long err;

	if (!f || f->timed)
		return 0;
	err = bpf_timer_init(&f->timer, &mpb_converted, 1 /* CLOCK_MONOTONIC */);
	if (err && err != -EBUSY) /* another processor has just done so */
		return 0;
	bpf_timer_set_callback(&f->timer, expire);
	f->timed = !bpf_timer_start(&f->timer, CLOSING_NS, 0);
	return 0;
}

static __always_inline void given_up(struct mpb_converter *c)
{
	c->down_until_ns = bpf_ktime_get_ns() + c->bypass_ns;
	CONVERTER_COUNT(c, silent);
}

/* What the first subflow's SYN tells of an MPTCP connection. Returns 0, or -1 where the table is full. */
static __always_inline int remember(__u32 token, struct mptcp_subflow_context *sub, const struct mpb_redirect *to)
{
	struct mpb_converted_conn conn = { .port = to->port };

	if (!token || bpf_map_lookup_elem(&mpb_converted_conns, &token))
		return 0;
	conn.key = BPF_CORE_READ(sub, local_key);
	for (int i = 0; i < 4; i++)
		conn.dest[i] = to->dest[i];
	return bpf_map_update_elem(&mpb_converted_conns, &token, &conn, BPF_ANY) ? -1 : 0;
}

/* A connection none of whose subflows could be recorded. */
static __always_inline void unremember(__u32 token)
{
	struct mpb_converted_conn *conn = token ? bpf_map_lookup_elem(&mpb_converted_conns, &token) : NULL;

	if (conn && !conn->subflows)
		bpf_map_delete_elem(&mpb_converted_conns, &token);
}

/* The flow of a SYN: the one whose SYN this repeats, or a new one in its place. */
static __always_inline struct converted *flow_begin(struct work *w, __u32 isn, __u32 token, __u32 slot, __u32 sent)
{
	struct converted fresh = { .seen_ns = bpf_ktime_get_ns(), .token = token, .isn = isn, .slot = slot, .sent = sent, .join = !sent }, *f;
	struct mpb_converted_conn *conn = token ? bpf_map_lookup_elem(&mpb_converted_conns, &token) : NULL;
	struct mpb_converter *c = mpb_converter_of(slot);

	f = bpf_map_lookup_elem(&mpb_converted, &w->key);
	if (f && f->isn == isn) {
		give_timer(f);
		if (++f->syns == SYNS_GIVEN_UP && c && sent)
			given_up(c);
		return f;
	}
	if (f)
		forget(&w->key, f->token);
	if (bpf_map_update_elem(&mpb_converted, &w->key, &fresh, BPF_NOEXIST))
		return NULL;
	f = bpf_map_lookup_elem(&mpb_converted, &w->key);
	if (!f)
		return NULL;
	if (conn)
		__sync_fetch_and_add(&conn->subflows, 1);
	if (c && sent)
		CONVERTER_COUNT(c, redirected);
	else if (c)
		CONVERTER_COUNT(c, joined);
	give_timer(f);
	return f;
}

static __always_inline int drop(const struct converted *f)
{
	struct mpb_converter *c = mpb_converter_of(f->slot);

	if (c)
		CONVERTER_COUNT(c, dropped);
	return MPB_TC_DROP;
}

static __always_inline void count_replied(const struct converted *f)
{
	struct mpb_converter *c = mpb_converter_of(f->slot);

	if (c)
		CONVERTER_COUNT(c, replied);
}

#endif
