/* SPDX-License-Identifier: GPL-2.0-only */
/* clock - goes over a namespace's subflows every few milliseconds and finds those whose path may have died: an acknowledgement is overdue and nothing comes
 * in. Such a one is asked, and with it the others of its connection, by probes that the agent sends; if it stays silent, that is told. A queue that grows
 * delays acknowledgements but does not end them, and a lost segment is followed by others: neither is silence. */
#include <mptcp_bpf/clock.h>
#include <mptcp_bpf/policy.bpf.h>
#include <mptcp_bpf/view.bpf.h>

MPB_DESCRIBE(MPB_PROBE, clock, "tells which subflows have fallen silent");

#define MSEC 1000000ULL
#define SECOND (1000 * MSEC)
#define USEC 1000000ULL
#define RTT_UNKNOWN_US 200000
#define YOUNG_SEGS 16        /* that have come in */
#define LOSS_BYTES 65536     /* of less in a second no loss is told */
#define POOR_NS (100 * MSEC) /* between two times that it is told */

MPB_TUNE(__u32, margin_ms, 8, 1, 10000, "a probe may take so much longer than a round trip (ms); data, a quarter of it, before it is asked after");
MPB_TUNE(__u32, idle_s, 0, 0, 86400, "ask a subflow that was silent for so long (s); 0: only when there is data");
MPB_TUNE(__u32, demand, 0, 0, 1, "1: costly paths are closed until a cheaper one is poor or dead");
MPB_TUNE(__u32, single, 0, 0, 1, "1: with demand, a path is left before costly ones are opened, and those before it is taken up again");
MPB_TUNE(__u32, poor_rtt_ms, 0, 0, 60000, "a path with a longer round trip is poor (ms); 0: it is not asked for");
MPB_TUNE(__u32, poor_kbit, 0, 0, 4000000, "a path that delivers less while more waits is poor (kbit/s); 0: it is not asked for");
MPB_TUNE(__u32, poor_loss, 0, 0, 1000, "a path that sends more of the data again in a second is poor (1/10 %); 0: it is not asked for");
MPB_TUNE(__u32, calm_s, 10, 1, 86400, "costly paths are closed again when no other was poor for so long (s)");
MPB_TUNE(__u32, syn_ms, 800, 0, 60000, "a first SYN that is not answered for so long goes by another path the next time (ms); 0: it does not");

MPB_HASH(mpb_subflows, MPB_SUBFLOWS_DEFAULT, struct mpb_tuple, struct mpb_subflow);

MPB_HASH(mpb_clocks, MPB_CLOCKS, struct mpb_tuple, struct mpb_clock);

/* Connections with a subflow that was asked, and when: the others are asked too. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, MPB_CLOCKS);
	__type(key, __u32);
	__type(value, __u64);
} mpb_asked SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 18);
} mpb_clock_events SEC(".maps");

struct walk {
	__u64 now;
	__u32 subflows, waiting, asked, untold;
};

static __always_inline __u16 window(struct tcp_sock *tp)
{
	return BPF_CORE_READ(tp, rcv_wnd) >> (BPF_CORE_READ_BITFIELD_PROBED(tp, rx_opt.rcv_wscale) & 15);
}

/* Bytes per second, as the kernel estimates its last delivery; what 32 bits do not hold is the most that they do. */
static __always_inline __u32 rate(struct tcp_sock *tp)
{
	__u32 us = BPF_CORE_READ(tp, rate_interval_us);
	__u64 r = us ? (__u64)BPF_CORE_READ(tp, rate_delivered) * BPF_CORE_READ(tp, mss_cache) * USEC / us : 0;

	return r >> 32 ? ~0U : r;
}

static __noinline int tell(struct walk *w, const struct mpb_tuple *key, struct mpb_clock *c, __u32 what)
{
	struct mpb_clock_event *e = bpf_ringbuf_reserve(&mpb_clock_events, sizeof(*e), 0);
	struct tcp_sock *tp = (struct tcp_sock *)c->sk;

	if (!e) {
		w->untold++;
		return 0;
	}
	e->clock = *c;
	e->tuple = *key;
	e->seq = BPF_CORE_READ(tp, snd_una) - 1;
	e->ack = BPF_CORE_READ(tp, rcv_nxt);
	e->window = window(tp);
	e->what = what;
	e->srtt_us = BPF_CORE_READ(tp, srtt_us) >> 3;
	e->silent_ns = w->now - c->heard_ns;
	e->inflight = BPF_CORE_READ(tp, packets_out);
	e->rate = rate(tp);
	bpf_ringbuf_submit(e, 0);
	return 0;
}

static __always_inline void ask(struct walk *w, const struct mpb_tuple *key, struct mpb_clock *c)
{
	if (!c->asks++)
		c->first_ask_ns = w->now;
	c->last_ask_ns = w->now;
	tell(w, key, c, MPB_CLOCK_ASK);
}

/* One that is silent: an acknowledgement is overdue after `late`, the answer to a probe after `wait`. */
static __noinline int judge(struct walk *w, const struct mpb_tuple *key, struct mpb_clock *c, __u64 late, __u64 wait)
{
	__u64 sent = mpb_oldest_ns((struct tcp_sock *)c->sk), silent = w->now - c->heard_ns, *asked;
	__u32 token = c->token;
	bool due;

	w->waiting += sent || c->asks;
	if (c->asks) {
		__u64 since = w->now - c->last_ask_ns;

		w->asked++;
		/* Without data in flight, three times, one after the other. */
		if (since >= wait && !sent && c->asks < 3)
			ask(w, key, c);
		else if (since >= wait)
			tell(w, key, c, MPB_CLOCK_UNANSWERED);
		return 0;
	}
	asked = bpf_map_lookup_elem(&mpb_asked, &token);
	if (asked && *asked > c->heard_ns && w->now - *asked < SECOND) { /* another subflow is in doubt: is this one better? */
		ask(w, key, c);
		return 0;
	}
	if (sent) /* the first data after a silence is asked after at once: nothing else would tell */
		due = silent > SECOND || (w->now - sent > late && silent > margin_ms * MSEC);
	else
		due = idle_s && silent > idle_s * SECOND;
	if (!due)
		return 0;
	ask(w, key, c);
	bpf_map_update_elem(&mpb_asked, &token, &w->now, BPF_ANY);
	return 0;
}

/* Four mean deviations of the round trip (us). The kernel's first guess is half a round trip: on a young connection it is what the round trip exceeds the
 * least one by, twice. */
static __always_inline __u32 deviation(struct tcp_sock *tp, __u32 srtt, __u32 segs)
{
	__u32 dev = BPF_CORE_READ(tp, mdev_us), least = BPF_CORE_READ(tp, rtt_min.s[0].v), most = srtt > least ? 2 * (srtt - least) : 0;

	return segs < YOUNG_SEGS && most < dev ? most : dev;
}

static __always_inline bool is_open(const struct tcp_sock *tp)
{
	__u32 state = BPF_CORE_READ((const struct sock_common *)tp, skc_state);

	return state == BPF_TCP_ESTABLISHED || state == BPF_TCP_CLOSE_WAIT;
}

static __always_inline bool is_up(const struct tcp_sock *tp, const struct mptcp_subflow_context *sub)
{
	return is_open(tp) && BPF_CORE_READ_BITFIELD_PROBED(sub, fully_established);
}

/* Once a second: what part of the data sent since the last time was sent before. */
static __always_inline void count_loss(const struct walk *w, struct mpb_clock *c)
{
	struct tcp_sock *tp = (struct tcp_sock *)c->sk;
	__u64 sent = BPF_CORE_READ(tp, bytes_sent), resent = BPF_CORE_READ(tp, bytes_retrans), n = sent - c->sent, again = resent - c->resent;

	if (w->now - c->counted_ns < SECOND)
		return;
	c->loss = c->counted_ns && n >= LOSS_BYTES ? (again < n ? again : n) * 1000 / n : 0;
	c->counted_ns = w->now;
	c->sent = sent;
	c->resent = resent;
}

/* Is the path worse than wanted? A rate counts while more waits to be sent than the window takes. */
static __noinline int check_poor(struct walk *w, const struct mpb_tuple *key, struct mpb_clock *c)
{
	struct tcp_sock *tp = (struct tcp_sock *)c->sk;
	__u32 srtt = BPF_CORE_READ(tp, srtt_us) >> 3, unsent = BPF_CORE_READ(tp, write_seq) - BPF_CORE_READ(tp, snd_nxt), r = rate(tp);

	count_loss(w, c);
	if (w->now - c->poor_ns < POOR_NS)
		return 0;
	if (!(poor_rtt_ms && srtt > poor_rtt_ms * 1000) && !(poor_kbit && unsent && r && r / 125 < poor_kbit) && !(poor_loss && c->loss > poor_loss))
		return 0;
	c->poor_ns = w->now;
	return tell(w, key, c, MPB_CLOCK_POOR);
}

static long look(void *map, const struct mpb_tuple *key, struct mpb_clock *c, struct walk *w)
{
	struct tcp_sock *tp = (struct tcp_sock *)c->sk;
	struct mptcp_subflow_context *sub = mpb_socket_check(tp, key, c->token, false);
	__u32 segs, srtt, dev, ifindex, margin = margin_ms * 1000;
	__u64 late, wait;

	c->open = sub && is_open(tp);
	if (!sub || !is_up(tp, sub))
		return 0;
	w->subflows++;
	segs = BPF_CORE_READ(tp, segs_in);
	if (c->segs_in != segs) {
		if (demand)
			check_poor(w, key, c);
		c->segs_in = segs;
		c->heard_ns = w->now;
		c->srtt_us = BPF_CORE_READ(tp, srtt_us) >> 3;
		c->first_ask_ns = c->asks = 0;
		ifindex = BPF_CORE_READ((struct sock *)tp, sk_dst_cache, dev, ifindex);
		if (ifindex) /* the routes by a device that goes down have none */
			c->ifindex = ifindex;
		w->waiting += BPF_CORE_READ(tp, packets_out) != 0;
		return 0;
	}
	srtt = BPF_CORE_READ(tp, srtt_us) >> 3;
	if (!srtt)
		srtt = RTT_UNKNOWN_US;
	dev = deviation(tp, srtt, segs);
	late = 1000ULL * (srtt + (dev > margin / 4 ? dev : margin / 4));
	wait = 1000ULL * (srtt + (dev > margin ? dev : margin));
	judge(w, key, c, late, wait);
	return 0;
}

static long discover(void *map, const struct mpb_tuple *key, const struct mpb_subflow *sf, struct walk *w)
{
	struct mpb_clock fresh = { .heard_ns = w->now, .token = sf->token, .local_id = sf->local_id, .remote_id = sf->remote_id, .sk = sf->sk };

	if (!bpf_map_lookup_elem(&mpb_clocks, key))
		bpf_map_update_elem(&mpb_clocks, key, &fresh, BPF_NOEXIST);
	return 0;
}

static long forget(void *map, const struct mpb_tuple *key, const struct mpb_clock *c, struct walk *w)
{
	const struct mpb_subflow *sf = bpf_map_lookup_elem(&mpb_subflows, key);

	if (!sf || sf->sk != c->sk)
		bpf_map_delete_elem(&mpb_clocks, key);
	return 0;
}

SEC("syscall")
int clock_tick(struct mpb_tick *tick)
{
	struct walk w = { .now = bpf_ktime_get_ns() };

	if (tick->discover) {
		bpf_for_each_map_elem(&mpb_clocks, forget, &w, 0);
		bpf_for_each_map_elem(&mpb_subflows, discover, &w, 0);
	}
	bpf_for_each_map_elem(&mpb_clocks, look, &w, 0);
	tick->subflows = w.subflows;
	tick->waiting = w.waiting;
	tick->asked = w.asked;
	tick->untold = w.untold;
	return 0;
}

SEC("syscall")
int clock_stand(struct mpb_stand *s)
{
	struct mpb_tuple key = s->tuple;
	struct mpb_clock *c = bpf_map_lookup_elem(&mpb_clocks, &key);
	struct tcp_sock *tp = c ? (struct tcp_sock *)c->sk : NULL;
	struct mptcp_subflow_context *sub = tp ? mpb_socket_check(tp, &key, c->token, false) : NULL;

	s->alive = sub && is_up(tp, sub);
	if (!s->alive)
		return 0;
	s->seq = BPF_CORE_READ(tp, snd_nxt);
	s->ack = BPF_CORE_READ(tp, rcv_nxt);
	s->window = window(tp);
	return 0;
}
