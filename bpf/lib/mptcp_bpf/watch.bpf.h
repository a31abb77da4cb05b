/* SPDX-License-Identifier: GPL-2.0-only */
/* A namespace's sights, leases and events, for programs that are its own: the controller puts the namespace's maps in these places. */
#ifndef MPTCP_BPF_WATCH_BPF_H
#define MPTCP_BPF_WATCH_BPF_H

#include <mptcp_bpf/sight.bpf.h>

MPB_HASH(mpb_sights, MPB_SUBFLOWS_DEFAULT, struct mpb_tuple, struct mpb_sight);

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MPB_WATCH_MAX);
	__type(key, __u32);
	__type(value, __u64);
} mpb_watch SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, MPB_EVENTS_BYTES);
} mpb_events SEC(".maps");

static __always_inline int mpb_is_watched(__u32 what, __u64 now)
{
	__u64 *until = bpf_map_lookup_elem(&mpb_watch, &what);

	return until && *until > now;
}

static __always_inline void mpb_watch_count(__u32 what)
{
	__u64 *n = bpf_map_lookup_elem(&mpb_watch, &what);

	if (n)
		__sync_fetch_and_add(n, 1);
}

/* Room for an event; NULL: it is counted as lost. */
static __always_inline void *mpb_event_reserve(__u64 size)
{
	void *e = bpf_ringbuf_reserve(&mpb_events, size, 0);

	if (!e)
		mpb_watch_count(MPB_WATCH_UNTOLD);
	return e;
}

/* The subflow's priority changes: the account of its time goes on under the other heading. */
static __always_inline void mpb_turn(struct mpb_sight *sight, __u8 backup, __u64 now)
{
	if (sight->backup == backup)
		return;
	if (sight->backup)
		sight->backup_ns += now - sight->turned_ns;
	else
		sight->active_ns += now - sight->turned_ns;
	sight->turned_ns = now;
	sight->backup = backup;
}

#endif
