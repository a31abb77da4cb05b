/* SPDX-License-Identifier: GPL-2.0-only */
/* The TCP options of one segment, and the walk over its MPTCP options (kind 30, RFC 8684 section 3). Pure: no helper, no packet, no map; the same
 * text runs in the kernel, in the unit tests and under the fuzzer. */
#ifndef MPTCP_BPF_OPTION_H
#define MPTCP_BPF_OPTION_H

#include <asm/byteorder.h>
#include <mptcp_bpf/state.h>

#define MPB_OPTS_MAX 40 /* TCP options of one header, bytes (RFC 9293) */
#define MPB_OPTS_BUF 64 /* the copy: a power of two, so that a masked index is always inside */

#define MPB_COUNTS_MAX 32 /* counts a segment: two for each of 13 options, and the runtime's own */

#define MPB_TCPOPT_EOL 0
#define MPB_TCPOPT_NOP 1
#define MPB_TCPOPT_MPTCP 30
#define MPB_TCPOPTS_TSONLY 0x0101080aU /* NOP NOP TIMESTAMP(10), what most plain data segments carry, in network order */

#define MPB_TCPOPTS_TS_LEN 12

#define MPB_TCP_FIN 0x01
#define MPB_TCP_SYN 0x02
#define MPB_TCP_RST 0x04
#define MPB_TCP_ACK 0x10

/* Subtypes (IANA registry "MPTCP Option Subtypes"). */
enum mpb_subtype {
	MPTCP_CAPABLE,
	MPTCP_JOIN,
	MPTCP_DSS,
	MPTCP_ADD_ADDR,
	MPTCP_REMOVE_ADDR,
	MPTCP_PRIO,
	MPTCP_FAIL,
	MPTCP_FASTCLOSE,
	MPTCP_TCPRST,
	MPTCP_EXPERIMENTAL = 15,
};

#define MPTCP_PRIO_LEN 3
#define MPTCP_PRIO_LEN_ID 4 /* with an address ID: RFC 6824 only */
#define MPTCP_PRIO_BACKUP 0x01
#define MPTCP_TCPRST_LEN 4
#define MPTCP_TCPRST_TRANSIENT 0x01
#define MPTCP_ADD_ADDR_ECHO 0x01
#define MPTCP_REMOVE_ADDR_LEN 4 /* of one address */

/* Where a segment's options are, and between whom it goes. */
struct mpb_pkt {
	struct mpb_tuple tuple; /* source to destination, as sent */
	__u32 l4;               /* offset of the TCP header in the frame */
	__u32 l4len;            /* TCP header and payload by the IP header; 0 for a jumbogram */
	__u32 optlen;           /* bytes of options: 4..40 */
	__u8 flags;             /* MPB_TCP_*: byte 13 of the TCP header */
	__u8 l3;                /* offset of the IP header */
	__u16 urg;              /* urgent pointer, host order */
};

/* One segment: a copy of its options with the walk's cursor. A policy reads and writes the option under the cursor through the functions below; the
 * runtime writes the copy back and mends the checksum when `changed` is set. Everything here is in network order as on the wire. */
struct mpb_seg {
	union {
		__u8 opts[MPB_OPTS_BUF];
		__be32 words[MPB_OPTS_BUF / 4];
	};
	struct mpb_pkt pkt;
	__u32 off;    /* option under the cursor, offset in opts */
	__u32 optlen; /* its length: 2..40-off */
	__u32 port;   /* mpb_port(): device and direction */
	__u8 subtype; /* of the option under the cursor */
	__u8 dir;     /* enum mpb_dir */
	__u8 changed;
	__u8 malformed;
	__u8 pad;
	__u16 seen;   /* subtypes that the cursor has passed and that still stand, a bit each */
	__u8 counted[MPB_COUNTS_MAX]; /* counters that go up by this segment: the runtime adds them at the end, in one look-up */
	__u32 ncounted;
};

static inline __u8 mpb_opt_u8(const struct mpb_seg *s, __u32 i)
{
	return s->opts[(s->off + i) & (MPB_OPTS_BUF - 1)];
}

static inline void mpb_opt_put(struct mpb_seg *s, __u32 i, __u8 v)
{
	s->opts[(s->off + i) & (MPB_OPTS_BUF - 1)] = v;
	s->changed = 1;
}

#ifdef __bpf__ /* a global function: verified once, not with each caller's paths */
#define MPB_OPT_FN __attribute__((noinline))
#else
#define MPB_OPT_FN static inline
#endif

/* Set the bytes of the option under the cursor from offset `from` to its end. Returns 0. */
MPB_OPT_FN int mpb_opt_fill(struct mpb_seg *s, __u32 from, __u8 value)
{
	__u32 at, n;

	if (!s || from > s->optlen)
		return 0;
	at = s->off + from;
	n = s->optlen - from;
	if ((at | n) % 4 == 0) /* by words: a load of a word that was just stored by bytes stalls */
		for (__u32 i = 0; i < MPB_OPTS_MAX / 4 && i < n / 4; i++)
			s->words[(at / 4 + i) & (MPB_OPTS_BUF / 4 - 1)] = value * 0x01010101U;
	else
		for (__u32 i = 0; i < MPB_OPTS_MAX && i < n; i++)
			s->opts[(at + i) & (MPB_OPTS_BUF - 1)] = value;
	s->changed = 1;
	return 0;
}

/* Replace the option under the cursor by NOPs: the header keeps its length. */
static inline void mpb_opt_remove(struct mpb_seg *s)
{
	mpb_opt_fill(s, 0, MPB_TCPOPT_NOP);
}

/* Put the cursor on the first option; past a timestamp that is where nearly every segment has it. */
static inline void mpb_opt_begin(struct mpb_seg *s)
{
	s->off = s->pkt.optlen >= MPB_TCPOPTS_TS_LEN && s->words[0] == __constant_htonl(MPB_TCPOPTS_TSONLY) ? MPB_TCPOPTS_TS_LEN : 0;
}

enum mpb_step { MPB_STEP_NEXT, MPB_STEP_OPTION, MPB_STEP_END };

/* One step of the walk: look at the byte under the cursor. Returns MPB_STEP_NEXT after a NOP or another kind (the cursor has moved on),
 * MPB_STEP_OPTION when an MPTCP option is under the cursor (call mpb_opt_skip() when done with it), MPB_STEP_END at the end, at EOL, or at a
 * malformed option (length 0, 1 or beyond the header, or an MPTCP option without a subtype), which sets `malformed`. */
static inline enum mpb_step mpb_opt_step(struct mpb_seg *s)
{
	__u32 room = s->pkt.optlen - s->off;
	__u8 kind;

	if (s->off >= s->pkt.optlen || s->off >= MPB_OPTS_MAX)
		return MPB_STEP_END;
	kind = mpb_opt_u8(s, 0);
	if (kind == MPB_TCPOPT_EOL)
		return MPB_STEP_END;
	if (kind == MPB_TCPOPT_NOP) {
		s->off += room > 1 && mpb_opt_u8(s, 1) == MPB_TCPOPT_NOP ? 2 : 1; /* they come in pairs */
		return MPB_STEP_NEXT;
	}
	s->optlen = mpb_opt_u8(s, 1);
	if (room < 2 || s->optlen < 2 || s->optlen > room) {
		s->malformed = 1;
		return MPB_STEP_END;
	}
	if (kind != MPB_TCPOPT_MPTCP) {
		s->off += s->optlen;
		return MPB_STEP_NEXT;
	}
	if (s->optlen < 3) {
		s->malformed = 1;
		return MPB_STEP_END;
	}
	s->subtype = mpb_opt_u8(s, 2) >> 4;
	return MPB_STEP_OPTION;
}

static inline void mpb_opt_skip(struct mpb_seg *s)
{
	if (mpb_opt_u8(s, 0) == MPB_TCPOPT_MPTCP) /* not one that the policy has just removed */
		s->seen |= 1U << s->subtype;
	s->off += s->optlen;
}

/* Steps that the longest option area can take: 13 times a NOP and an option of two bytes, a NOP, and the end. */
#define MPB_OPT_STEPS 28

#endif
