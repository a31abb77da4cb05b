/* SPDX-License-Identifier: GPL-2.0-only */
/* Terms of a subflow: what its receiver asks of whoever sends to it, a rate limit and an inactivity time. After draft-hoang-mptcp-sub-rate-limit and
 * draft-hoang-mptcp-inactivity-time-option, which have no code points: in a TCP option for experiments (RFC 6994), docs/terms.md. */
#ifndef MPTCP_BPF_TERMS_H
#define MPTCP_BPF_TERMS_H

#include <mptcp_bpf/state.h>

#define MPB_TERMS_KIND 254
#define MPB_TERMS_LEN 8
#define MPB_TERMS_EXID 0x6d62
#define MPB_TERMS_TAKEN 0x8000       /* in the idle word: not asked, but said back */
#define MPB_TERMS_IDLE_MIN 10        /* seconds: a shorter time is not obeyed */
#define MPB_TERMS_IDLE_MAX 0x7fff
#define MPB_TERMS_MANTISSA_MAX 0x1fff

#define MPB_TERMS_TIMES 12           /* that something new is said, each time twice as long after the last, unless it is said back before */
#define MPB_TERMS_FIRST_NS 10000000ULL
#define MPB_TERMS_AGAIN_NS 20000000000ULL /* then as often, for as long as it holds */
#define MPB_TERMS_GREET_S 1          /* an idle subflow is asked after, once, for the answer has room for terms */
#define MPB_TERMS_HOLD_NS 180000000000ULL /* what was not said again for so long holds no longer */

/* The two words of the option in host order. 0: nothing is asked. */
struct mpb_terms {
	__u16 rate; /* kbit/s: a mantissa of 13 bits, below an exponent of 10 in the upper 3 */
	__u16 idle; /* seconds */
};

/* Rounds down. */
static inline __u16 mpb_terms_rate(__u64 kbit)
{
	__u32 e = 0;

	for (; kbit >= 10 * (MPB_TERMS_MANTISSA_MAX / 10 + 1) && e < 7; e++)
		kbit /= 10;
	return e << 13 | (kbit > MPB_TERMS_MANTISSA_MAX ? MPB_TERMS_MANTISSA_MAX : kbit);
}

static inline __u64 mpb_terms_kbit(__u16 rate)
{
	__u32 e = rate >> 13;
	__u64 kbit = rate & MPB_TERMS_MANTISSA_MAX;

	return kbit * (e & 1 ? 10 : 1) * (e & 2 ? 100 : 1) * (e & 4 ? 10000 : 1);
}

static inline __u64 mpb_terms_bytes(__u16 rate) /* per second */
{
	return mpb_terms_kbit(rate) * 125;
}

static inline void mpb_terms_write(__u8 o[MPB_TERMS_LEN], struct mpb_terms t, __u16 taken)
{
	o[0] = MPB_TERMS_KIND;
	o[1] = MPB_TERMS_LEN;
	o[2] = MPB_TERMS_EXID >> 8;
	o[3] = MPB_TERMS_EXID & 0xff;
	o[4] = t.rate >> 8;
	o[5] = t.rate & 0xff;
	o[6] = (t.idle | taken) >> 8;
	o[7] = t.idle & 0xff;
}

enum mpb_terms_kind { MPB_TERMS_ASKED, MPB_TERMS_SAID_BACK, MPB_TERMS_MALFORMED };

/* An option of n bytes, as it is on the wire. A rate has one form only: the least exponent that it can have. */
static inline enum mpb_terms_kind mpb_terms_read(const __u8 *o, int n, struct mpb_terms *t)
{
	__u16 rate, idle;

	if (n != MPB_TERMS_LEN || o[0] != MPB_TERMS_KIND || o[1] != MPB_TERMS_LEN || o[2] != MPB_TERMS_EXID >> 8 || o[3] != (MPB_TERMS_EXID & 0xff))
		return MPB_TERMS_MALFORMED;
	rate = o[4] << 8 | o[5];
	idle = o[6] << 8 | o[7];
	if (rate >> 13 && (rate & MPB_TERMS_MANTISSA_MAX) <= MPB_TERMS_MANTISSA_MAX / 10)
		return MPB_TERMS_MALFORMED;
	t->rate = rate;
	t->idle = idle & MPB_TERMS_IDLE_MAX;
	return idle & MPB_TERMS_TAKEN ? MPB_TERMS_SAID_BACK : MPB_TERMS_ASKED;
}

/* May a peer ask for this where nothing below `floor` bytes per second is obeyed? */
static inline int mpb_terms_bearable(struct mpb_terms t, __u64 floor)
{
	return (!t.rate || mpb_terms_bytes(t.rate) >= floor) && (!t.idle || t.idle >= MPB_TERMS_IDLE_MIN);
}

/* When something that was said `said` times is to be said again. */
static inline __u64 mpb_terms_pause(__u32 said)
{
	__u64 pause = said < MPB_TERMS_TIMES ? MPB_TERMS_FIRST_NS << said : MPB_TERMS_AGAIN_NS;

	return pause < MPB_TERMS_AGAIN_NS ? pause : MPB_TERMS_AGAIN_NS;
}

/* What a subflow's two ends ask of each other; only where its path says something of terms. Keyed like mpb_subflow. */
struct mpb_deal {
	__u64 next_ns;           /* CLOCK_MONOTONIC, before which `ask` need not be said again */
	__u64 asked_ns;          /* when the peer said `asked` last, or could begin to */
	__u64 floor;             /* bytes per second, below which no peer's rate is obeyed; 0: nothing is */
	__u64 rate;              /* of the path, as the operator says; 0: he does not */
	struct mpb_terms ask;    /* of the peer */
	struct mpb_terms taken;  /* by the peer, as it said back */
	struct mpb_terms asked;  /* of us, and obeyed */
	__u32 said;              /* how often `ask` was */
	__u32 refused;           /* what the peer asked for and we do not bear */
	__u32 flags;             /* callbacks that this asked the socket for */
	__s32 own_time, own_every; /* the socket's keep-alive as it was, while ours is in force: seconds */
	__s32 own_probes, own_on;
	__u8 kept;               /* ours is in force */
	__u8 greets;             /* and for no other reason than to hear what is asked */
	__u8 has_taken;
	__u8 owes;               /* `asked` is to be said back */
	__u8 pad[4];
};
_Static_assert(sizeof(struct mpb_deal) == 80, "struct mpb_deal crosses a boundary");

/* What is counted for a namespace; X(name, help). */
#define MPB_TERMS_COUNTERS(X)                                                    \
	X(said, "options sent that ask")                                         \
	X(said_back, "options sent that say back what was asked")                \
	X(heard, "options of peers that ask, and are obeyed")                    \
	X(heard_back, "options of peers that say back what was asked")           \
	X(refused, "options of peers that ask for what is not borne")            \
	X(malformed, "options of peers that cannot be understood")               \
	X(lapsed, "peers' terms dropped: not said again for too long")           \
	X(unset, "rates or keep-alives that a socket refused")                   \
	X(full, "subflows without terms: the table is full")

struct mpb_terms_counts {
#define X(name, help) __u64 name;
	MPB_TERMS_COUNTERS(X)
#undef X
};

#endif
