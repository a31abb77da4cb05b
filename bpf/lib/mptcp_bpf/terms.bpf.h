/* SPDX-License-Identifier: GPL-2.0-only */
/* Terms put in force on a socket: for the sock_ops program that hears them, and the iterator that reaches subflows when the operator changes his mind.
 * ctx is what bpf_setsockopt() takes in either. */
#ifndef MPTCP_BPF_TERMS_BPF_H
#define MPTCP_BPF_TERMS_BPF_H

#include <mptcp_bpf/pace.bpf.h>
#include <mptcp_bpf/rule.h>
#include <mptcp_bpf/terms.h>

#define MPB_SOL_TCP 6
#define MPB_SO_KEEPALIVE 9
#define MPB_TCP_KEEPIDLE 4
#define MPB_TCP_KEEPINTVL 5
#define MPB_TCP_KEEPCNT 6
#define MPB_KEEP_PROBES 3

#define MPB_TERMS_WRITES BPF_SOCK_OPS_WRITE_HDR_OPT_CB_FLAG
#define MPB_TERMS_READS BPF_SOCK_OPS_PARSE_UNKNOWN_HDR_OPT_CB_FLAG /* MPTCP options are unknown to TCP, so this stands for every segment that has one */

struct mpb_path_search {
	const struct mpb_paths *paths;
	struct mpb_tuple tuple;
	__u32 ifindex;
	__u32 found; /* 1 + its number; 0: none */
	__u8 id;
};

static long mpb_path_step(__u32 i, struct mpb_path_search *s)
{
	if (i >= MPB_PATHS_MAX || i >= s->paths->n)
		return 1;
	if (mpb_path_match(&s->paths->path[i], s->ifindex, s->tuple.saddr, s->id))
		s->found = i + 1;
	return 0;
}

/* The last path that matches the subflow, if it says something of terms. */
static __always_inline const struct mpb_path *mpb_terms_path(const struct mpb_paths *paths, const struct mpb_tuple *tuple, const struct mpb_subflow *sf, struct tcp_sock *tp)
{
	struct mpb_path_search s = { .paths = paths, .tuple = *tuple, .id = sf->local_id };
	const struct mpb_path *p;

	s.ifindex = BPF_CORE_READ((struct sock *)tp, sk_dst_cache, dev, ifindex);
	bpf_loop(MPB_PATHS_MAX, mpb_path_step, &s, 0);
	if (!s.found || s.found > MPB_PATHS_MAX)
		return NULL;
	p = &paths->path[s.found - 1];
	return p->obey || p->ask_rate || p->ask_idle ? p : NULL;
}

/* The handshake agreed on MPTCP; a subflow that has fallen back has neither. */
static __always_inline int mpb_terms_speaks(struct tcp_sock *tp)
{
	struct mptcp_subflow_context *sub = mpb_subflow_ctx(tp);

	return sub && (BPF_CORE_READ_BITFIELD_PROBED(sub, mp_capable) || BPF_CORE_READ_BITFIELD_PROBED(sub, mp_join));
}

/* The callbacks that the deal needs: to write as long as something is to be said, to read as long as something may be said to us. */
static __always_inline __u32 mpb_deal_flags(const struct mpb_deal *d)
{
	int fresh = d->said < MPB_TERMS_TIMES;

	return (d->owes || d->ask.rate || d->ask.idle || fresh ? MPB_TERMS_WRITES : 0) | (d->floor || (fresh && !d->has_taken) ? MPB_TERMS_READS : 0);
}

/* The socket's flags from now on: those of others stay. */
static __always_inline __u32 mpb_deal_flags_on(struct mpb_deal *d, __u32 now)
{
	__u32 want = mpb_deal_flags(d), others = now & ~d->flags;

	d->flags = want & ~others;
	return others | want;
}

static __always_inline int mpb_keep_set(void *ctx, int time, int every, int probes, int on)
{
	int err = bpf_setsockopt(ctx, MPB_SOL_TCP, MPB_TCP_KEEPINTVL, &every, sizeof(every));

	err |= bpf_setsockopt(ctx, MPB_SOL_TCP, MPB_TCP_KEEPCNT, &probes, sizeof(probes));
	err |= bpf_setsockopt(ctx, MPB_SOL_TCP, MPB_TCP_KEEPIDLE, &time, sizeof(time));
	return err | bpf_setsockopt(ctx, MPB_SOL_SOCKET, MPB_SO_KEEPALIVE, &on, sizeof(on));
}

/* What the socket's owner has set, once. */
static __always_inline int mpb_keep_own(void *ctx, struct mpb_deal *d)
{
	int time = 0, every = 0, probes = 0, on = 0;

	if (d->kept)
		return 0;
	if (bpf_getsockopt(ctx, MPB_SOL_TCP, MPB_TCP_KEEPIDLE, &time, sizeof(time)) ||
	    bpf_getsockopt(ctx, MPB_SOL_TCP, MPB_TCP_KEEPINTVL, &every, sizeof(every)) ||
	    bpf_getsockopt(ctx, MPB_SOL_TCP, MPB_TCP_KEEPCNT, &probes, sizeof(probes)) ||
	    bpf_getsockopt(ctx, MPB_SOL_SOCKET, MPB_SO_KEEPALIVE, &on, sizeof(on)))
		return -1;
	d->own_time = time;
	d->own_every = every;
	d->own_probes = probes;
	d->own_on = on;
	d->kept = 1;
	return 0;
}

/* Asked about after half of the time, given up before it is over; 0: as the socket's owner had it. */
static __always_inline int mpb_keep(void *ctx, struct mpb_deal *d, int idle)
{
	d->greets = 0;
	if (idle)
		return mpb_keep_own(ctx, d) ? -1 : mpb_keep_set(ctx, idle / 2, idle / 8, MPB_KEEP_PROBES, 1);
	if (!d->kept)
		return 0;
	d->kept = 0;
	return mpb_keep_set(ctx, d->own_time, d->own_every, d->own_probes, d->own_on);
}

/* A peer whose subflow is idle has no acknowledgement to say anything in, until it is asked for one. */
static __always_inline void mpb_deal_greet(void *ctx, struct mpb_deal *d)
{
	if (d->kept || mpb_keep_own(ctx, d))
		return;
	d->greets = 1;
	d->asked_ns = bpf_ktime_get_ns();
	mpb_keep_set(ctx, MPB_TERMS_GREET_S, d->own_every, d->own_probes, 1);
}

/* From now on the peer asks for this. */
static __always_inline int mpb_deal_obey(void *ctx, struct mpb_deal *d, struct mpb_subflow *sf, struct tcp_sock *tp, struct mpb_terms t)
{
	__u64 rate = mpb_terms_bytes(t.rate);
	int err = 0;

	if (rate && d->rate && d->rate < rate)
		rate = d->rate;
	if (rate != sf->asked) {
		sf->asked = rate;
		err = mpb_pace(ctx, sf, tp);
	}
	if (t.idle || d->kept)
		err |= mpb_keep(ctx, d, t.idle);
	d->asked = t;
	return err;
}

/* What the operator now says of the subflow's path; NULL: nothing. */
static __always_inline int mpb_deal_path(void *ctx, struct mpb_deal *d, struct mpb_subflow *sf, struct tcp_sock *tp, const struct mpb_path *p)
{
	struct mpb_terms ask = {}, none = {}, asked = d->asked;

	if (p) {
		ask.rate = p->ask_rate;
		ask.idle = p->ask_idle;
	}
	if (ask.rate != d->ask.rate || ask.idle != d->ask.idle) {
		d->ask = ask;
		d->taken = none;
		d->said = d->has_taken = 0;
		d->next_ns = 0;
	}
	if (p && p->obey && !d->floor)
		mpb_deal_greet(ctx, d);
	d->floor = p ? p->obey : 0;
	d->rate = p ? p->rate : 0;
	if (!asked.rate && !asked.idle)
		return d->floor ? 0 : mpb_keep(ctx, d, 0);
	if (!d->floor || !mpb_terms_bearable(asked, d->floor))
		asked = none;
	return mpb_deal_obey(ctx, d, sf, tp, asked);
}

#endif
