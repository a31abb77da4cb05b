/* SPDX-License-Identifier: GPL-2.0-only */
/* Sequence numbers in TCP options, translated between a host that knows nothing of a converter and the converter (RFC 8803 section 4, RFC 8684
 * sections 3.3 and 3.7): the reply at the head of the converter's stream is in every number that counts from there, but for the host it does not exist.
 * Pure, like the walk in option.h. */
#ifndef MPTCP_BPF_TRANSLATE_H
#define MPTCP_BPF_TRANSLATE_H

#include <mptcp_bpf/option.h>

#define MPB_TCPOPT_SACK 5

#define MPTCP_DSS_DATA_ACK 0x01
#define MPTCP_DSS_DATA_ACK8 0x02
#define MPTCP_DSS_MAP 0x04
#define MPTCP_DSS_DSN8 0x08
#define MPTCP_DSS_DATA_FIN 0x10

struct mpb_translation {
	struct mpb_seg seg;
	__s32 sack;     /* added to the edges of SACK blocks */
	__s32 dack;     /* added to the DATA_ACK */
	__u32 reply;    /* bytes of reply in front of the data that comes in */
	__u16 sum;      /* of these bytes, for the DSS checksum */
	__u8 initial;   /* the subflow that carried the reply: its subflow sequence numbers move too */
	__u8 fastclose; /* put MP_FASTCLOSE in the place of a DSS's mapping; 2: done */
	__u8 capable;   /* out: MP_CAPABLE came by */
	__u8 acked;     /* out: a DATA_ACK came by */
	__u8 mapped;    /* out: a mapping came by */
	__u64 key;      /* the receiver's, for it */
};

static inline __u32 mpb_opt_get(const struct mpb_seg *s, __u32 i, __u32 bytes)
{
	__u32 v = 0;

	for (__u32 k = 0; k < bytes; k++)
		v = v << 8 | mpb_opt_u8(s, i + k);
	return v;
}

static inline void mpb_opt_set(struct mpb_seg *s, __u32 i, __u32 bytes, __u32 v)
{
	for (__u32 k = bytes; k--; v >>= 8)
		mpb_opt_put(s, i + k, v);
}

/* A sequence number of 32 or, when wide, 64 bits. */
static inline void mpb_opt_shift(struct mpb_seg *s, __u32 i, int wide, __s32 by)
{
	__u32 low = i + (wide ? 4 : 0), was = mpb_opt_get(s, low, 4), is = was + by;

	mpb_opt_set(s, low, 4, is);
	if (wide && (by > 0 ? is < was : is > was))
		mpb_opt_set(s, i, 4, mpb_opt_get(s, i, 4) + (by > 0 ? 1 : -1));
}

/* A sum in ones' complement less x. A 64-bit number counts for its sum what it counts modulo 65535, so borrows need no care. */
static inline __u16 mpb_sum_less(__u16 sum, __u32 x)
{
	__u32 v;

	x = (x & 0xffff) + (x >> 16);
	x = (x & 0xffff) + (x >> 16);
	v = sum + (~x & 0xffff);
	return (v & 0xffff) + (v >> 16);
}

/* The mapping at `at` of the DSS under the cursor. A mapping that begins in the reply keeps its first numbers and loses the reply's bytes; one of which
 * nothing is left goes. */
static inline void mpb_translate_map(struct mpb_translation *t, __u32 at, __u8 flags)
{
	struct mpb_seg *s = &t->seg;
	__u32 wide = !!(flags & MPTCP_DSS_DSN8), ssn_at = at + (wide ? 8 : 4), ssn, len, less, moved = 0, cut = 0, sum;
	int checked = s->optlen >= ssn_at + 8;

	if (s->optlen < ssn_at + 6)
		return;
	ssn = mpb_opt_get(s, ssn_at, 4);
	len = mpb_opt_get(s, ssn_at + 4, 2);
	less = t->reply;
	if (t->initial && ssn && ssn - 1 < t->reply) {
		less = ssn - 1;
		cut = t->reply - less < len ? t->reply - less : len;
	}
	if (t->initial && ssn)
		moved = less;
	if (cut && cut == len) {
		mpb_opt_remove(s);
		return;
	}
	if (cut && len - cut == 1 && flags & MPTCP_DSS_DATA_FIN)
		moved = ssn; /* nothing but the DATA_FIN, which has no subflow sequence number */
	mpb_opt_shift(s, at, wide, -(__s32)less);
	mpb_opt_set(s, ssn_at, 4, ssn - moved);
	mpb_opt_set(s, ssn_at + 4, 2, len - cut);
	if (!checked)
		return;
	sum = ~mpb_opt_get(s, ssn_at + 6, 2) & 0xffff;
	sum = mpb_sum_less(mpb_sum_less(mpb_sum_less(sum, less), moved), cut);
	if (cut)
		sum = mpb_sum_less(sum, t->sum);
	mpb_opt_set(s, ssn_at + 6, 2, ~sum & 0xffff);
}

/* MP_FASTCLOSE (RFC 8684 section 3.5) in the place of the mapping of the DSS under the cursor. The DATA_ACK stays: without one Linux takes the first segment
 * of a subflow for a fallback to TCP (check_fully_established()), and obeys none of its options. */
static inline void mpb_put_fastclose(struct mpb_translation *t, __u8 flags)
{
	struct mpb_seg *s = &t->seg;
	__u32 at = !(flags & MPTCP_DSS_DATA_ACK) ? 0 : flags & MPTCP_DSS_DATA_ACK8 ? 12 : 8;

	if (s->optlen < at + 12)
		return;
	if (at) {
		mpb_opt_put(s, 1, at);
		mpb_opt_put(s, 3, flags & (MPTCP_DSS_DATA_ACK | MPTCP_DSS_DATA_ACK8));
	}
	mpb_opt_fill(s, at, MPB_TCPOPT_NOP);
	mpb_opt_put(s, at, MPB_TCPOPT_MPTCP);
	mpb_opt_put(s, at + 1, 12);
	mpb_opt_put(s, at + 2, MPTCP_FASTCLOSE << 4);
	mpb_opt_put(s, at + 3, 0);
	mpb_opt_set(s, at + 4, 4, t->key >> 32);
	mpb_opt_set(s, at + 8, 4, t->key);
	t->fastclose = 2;
}

static inline void mpb_translate_dss(struct mpb_translation *t)
{
	struct mpb_seg *s = &t->seg;
	__u8 flags = mpb_opt_u8(s, 3);
	__u32 at = 4;

	t->acked |= flags & MPTCP_DSS_DATA_ACK;
	t->mapped |= !!(flags & MPTCP_DSS_MAP);
	if (t->fastclose) {
		mpb_put_fastclose(t, flags);
		return;
	}
	if (flags & MPTCP_DSS_DATA_ACK) {
		at += flags & MPTCP_DSS_DATA_ACK8 ? 8 : 4;
		if (t->dack && s->optlen >= at)
			mpb_opt_shift(s, 4, flags & MPTCP_DSS_DATA_ACK8, t->dack);
	}
	if (flags & MPTCP_DSS_MAP && t->reply)
		mpb_translate_map(t, at, flags);
}

/* One step over the options; as mpb_opt_step(), MPB_STEP_END at the end. */
static inline enum mpb_step mpb_translate_step(struct mpb_translation *t)
{
	struct mpb_seg *s = &t->seg;
	enum mpb_step step;
	__u32 off = s->off;

	step = mpb_opt_step(s);
	if (step == MPB_STEP_OPTION) {
		t->capable |= s->subtype == MPTCP_CAPABLE;
		if (s->subtype == MPTCP_DSS && s->optlen >= 4)
			mpb_translate_dss(t);
		s->off += s->optlen;
		return MPB_STEP_NEXT;
	}
	if (step == MPB_STEP_NEXT && t->sack && s->off - off > 2) {
		__u32 end = s->off;

		s->off = off;
		if (mpb_opt_u8(s, 0) == MPB_TCPOPT_SACK)
			for (__u32 i = 2; i + 4 <= MPB_OPTS_MAX && i + 4 <= end - off; i += 4)
				mpb_opt_shift(s, i, 0, t->sack);
		s->off = end;
	}
	return step;
}

#endif
