/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <mptcp_bpf/policy.h>
#include "err.h"
#include "pace.h"
#include "sight.h"
#include "state.h"

#define WORD(_words, _i) ((_i) < sizeof(_words) / sizeof(_words[0]) ? (_words)[_i] : "unknown")

static const char *signal_word(unsigned int subtype)
{
	static const char *const words[] = { "MP_CAPABLE", "MP_JOIN", "DSS", "ADD_ADDR", "REMOVE_ADDR", "MP_PRIO", "MP_FAIL", "MP_FASTCLOSE", "MP_TCPRST" };

	return WORD(words, subtype);
}

const char *rst_word(unsigned int reason)
{
	static const char *const words[] = { "unspecified", "MPTCP-specific error", "lack of resources", "administratively prohibited",
					     "too much outstanding data", "unacceptable performance", "middlebox interference" };

	return WORD(words, reason);
}

const char *why_word(unsigned int why)
{
	static const char *const words[] = {
#define X(id, word) [id] = word,
		MPB_REASONS(X)
#undef X
	};

	return WORD(words, why);
}

const char *fallback_word(unsigned int cause)
{
	static const char *const words[] = {
#define X(id, word) [id] = word,
		MPB_FALLBACKS(X)
#undef X
	};

	return WORD(words, cause);
}

uint32_t sight_rtt(const struct mpb_sight *s, uint64_t now_ns, unsigned int percent)
{
	uint32_t window = now_ns / MPB_RTT_WINDOW_NS, sum[MPB_RTT_BUCKETS] = {}, n = 0, below = 0;

	for (int w = 0; w < 2; w++) {
		if (s->rtts[w].window + 1 < window)
			continue;
		for (int i = 0; i < MPB_RTT_BUCKETS; i++)
			sum[i] += s->rtts[w].bucket[i];
	}
	for (int i = 0; i < MPB_RTT_BUCKETS; i++)
		n += sum[i];
	for (int i = 0; n && i < MPB_RTT_BUCKETS; i++) {
		below += sum[i];
		if ((uint64_t)below * 100 >= (uint64_t)n * percent)
			return mpb_rtt_of_bucket(i);
	}
	return 0;
}

bool past_is_refused(const struct mpb_past *p)
{
	return p->from == 2 /* TCP_SYN_SENT */ || p->unjoined;
}

char *past_cause(const struct mpb_past *p, char *buf, size_t size)
{
	const char *transient = p->transient ? ", transient" : "";

	if (past_is_refused(p))
		snprintf(buf, size, "refused: %s",
			 p->reset_seen ? rst_word(p->reset_reason) : p->error ? strerror(p->error) : p->unjoined ? "not confirmed" : "given up");
	else if (p->reset_seen)
		snprintf(buf, size, "reset by the peer: %s%s", rst_word(p->reset_reason), transient);
	else if (p->reset_reason)
		snprintf(buf, size, "reset by this end: %s%s", rst_word(p->reset_reason), transient);
	else if (p->error)
		snprintf(buf, size, "%s", strerror(p->error));
	else
		snprintf(buf, size, "%s", p->from == 1 /* TCP_ESTABLISHED */ ? "taken down by this end" : "closed");
	return buf;
}

json_t *signals_json(const __u32 signals[2][MPB_SIGNALS])
{
	json_t *both = json_object();

	for (int dir = MPB_IN; dir <= MPB_OUT; dir++) {
		json_t *o = json_object();

		for (int i = 0; i < MPB_SIGNALS; i++)
			if (signals[dir][i])
				json_object_set_new(o, signal_word(i), json_integer(signals[dir][i]));
		json_object_set_new(both, dir == MPB_IN ? "in" : "out", o);
	}
	return both;
}

char *signals_text(const __u32 signals[2][MPB_SIGNALS], char *buf, size_t size)
{
	size_t used = 0;

	*buf = 0;
	for (int dir = MPB_IN; dir <= MPB_OUT; dir++)
		for (int i = 0; i < MPB_SIGNALS; i++)
			if (signals[dir][i] && used < size)
				used += snprintf(buf + used, size - used, "%s%s %s %u", used ? ", " : "", dir == MPB_IN ? "in" : "out", signal_word(i),
						 signals[dir][i]);
	return buf;
}

uint64_t monotonic_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

static uint64_t lease(int fd, __u32 what)
{
	uint64_t until = 0;

	bpf_map_lookup_elem(fd, &what, &until);
	return until;
}

void watch_rtts(const struct ns *ns, uint64_t span_ns)
{
	uint64_t now = monotonic_ns(), until = span_ns ? now + span_ns : 0;
	__u32 what = MPB_WATCH_RTTS;
	int fd = state_map(ns, "mpb_watch");

	if (fd >= 0 && (!span_ns || lease(fd, what) < now + span_ns / 2)) {
		bpf_map_update_elem(fd, &what, &until, BPF_ANY);
		pace(ns); /* gives every subflow the callback, or takes it away */
	}
	if (fd >= 0)
		close(fd);
}
