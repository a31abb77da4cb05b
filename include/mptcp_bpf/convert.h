/* SPDX-License-Identifier: GPL-2.0-only */
/* Messages of the 0-RTT TCP Convert Protocol (RFC 8803 section 6): their shapes, and the one parser that relay, data path, tests and fuzzer share.
 * Pure: no helper, no packet, no socket. Lengths on the wire count 32-bit words and include the header they stand in. */
#ifndef MPTCP_BPF_CONVERT_H
#define MPTCP_BPF_CONVERT_H

#include <asm/byteorder.h>
#include <linux/types.h>

#define MPB_CONVERT_VERSION 1
#define MPB_CONVERT_MAGIC 0x2263
#define MPB_CONVERT_MAX 1020 /* bytes of a message: 255 words */

#define MPB_TCPOPT_MSS 2
#define MPB_TCPOPT_WSCALE 3
#define MPB_TCPOPT_SACK_PERMITTED 4
#define MPB_TCPOPT_TIMESTAMP 8

/* TLVs, section 6.2.2. */
enum mpb_convert_type {
	CONVERT_INFO = 1,
	CONVERT_CONNECT = 10,
	CONVERT_EXTENDED_HEADER = 20,
	CONVERT_SUPPORTED = 21,
	CONVERT_COOKIE = 22,
	CONVERT_ERROR = 30,
};

#define MPB_CONVERT_REQUESTS (1U << CONVERT_INFO | 1U << CONVERT_CONNECT | 1U << CONVERT_COOKIE)
#define MPB_CONVERT_REPLIES (1U << CONVERT_EXTENDED_HEADER | 1U << CONVERT_SUPPORTED | 1U << CONVERT_ERROR)

/* Codes of the Error TLV, section 6.2.8; X(code, name, help). */
#define MPB_CONVERT_ERRORS(X)                                               \
	X(0, unsupported_version, "version not supported")                  \
	X(1, malformed_message, "message that cannot be parsed")            \
	X(2, unsupported_message, "message type not supported")             \
	X(3, missing_cookie, "no cookie, or not the right one")             \
	X(32, not_authorized, "client or destination not allowed")          \
	X(33, unsupported_option, "TCP option that cannot be used")         \
	X(64, resource_exceeded, "limit of the converter reached")          \
	X(65, network_failure, "no answer from the destination")            \
	X(96, connection_reset, "destination refused the connection")       \
	X(97, destination_unreachable, "destination reported unreachable")

enum mpb_convert_code {
#define X(code, name, help) CONVERT_##name = code,
	MPB_CONVERT_ERRORS(X)
#undef X
};

/* What the parser returns besides a code of the Error TLV. */
#define MPB_CONVERT_OK (-1)
#define MPB_CONVERT_RESET (-2) /* not Convert at all: reset, section 6.1 */

struct mpb_convert_head {
	__u8 version;
	__u8 words;
	__be16 magic;
};

struct mpb_convert_tlv {
	__u8 type;
	__u8 words;
};

/* Without TCP options; IPv4 as IPv4-mapped IPv6. */
struct mpb_convert_connect {
	struct mpb_convert_tlv tlv;
	__be16 port;
	__be32 addr[4];
};

/* What a client puts into its SYN at least. */
struct mpb_convert_syn {
	struct mpb_convert_head head;
	struct mpb_convert_connect connect;
};
_Static_assert(sizeof(struct mpb_convert_syn) == 24, "the shortest request has six words");

static inline void mpb_convert_syn_fill(struct mpb_convert_syn *m, const __be32 addr[4], __be16 port)
{
	m->head = (struct mpb_convert_head){ MPB_CONVERT_VERSION, sizeof(*m) / 4, __constant_htons(MPB_CONVERT_MAGIC) };
	m->connect.tlv = (struct mpb_convert_tlv){ CONVERT_CONNECT, sizeof(m->connect) / 4 };
	m->connect.port = port;
	for (int i = 0; i < 4; i++)
		m->connect.addr[i] = addr[i];
}

/* The fixed header. With MPB_CONVERT_OK, *len is the message's length in bytes, 4..1020. */
static inline int mpb_convert_head(const struct mpb_convert_head *h, __u32 *len)
{
	*len = h->words * 4U;
	if (h->magic != __constant_htons(MPB_CONVERT_MAGIC) || !h->words)
		return MPB_CONVERT_RESET;
	return h->version == MPB_CONVERT_VERSION ? MPB_CONVERT_OK : CONVERT_unsupported_version;
}

/* A TLV's first two bytes, where `left` bytes of the message remain from them on. `known` and `seen` have a bit for each type below 32; a type may
 * come once. */
static inline int mpb_convert_tlv(const struct mpb_convert_tlv *t, __u32 left, __u32 known, __u32 *seen)
{
	__u32 len = t->words * 4U, bit = 1U << (t->type & 31);

	if (!len || len > left)
		return CONVERT_malformed_message;
	if (t->type > 31 || !(known & bit))
		return CONVERT_unsupported_message;
	if (*seen & bit)
		return CONVERT_malformed_message;
	*seen |= bit;
	return MPB_CONVERT_OK;
}

/* A parsed message; positions are offsets from its first byte. */
struct mpb_convert_msg {
	__u32 seen;        /* types, a bit each */
	__u32 connect;     /* of the Connect TLV */
	__u32 options;     /* TCP options of Connect or Extended TCP Header, without padding */
	__u32 options_len;
	__u32 cookie;
	__u32 cookie_len;  /* with padding */
	__u32 error;       /* of the Error TLV's code; its value follows */
	__u32 error_len;   /* of the value, with padding */
};

/* TCP options as TLVs carry them: no EOL or NOP, zeros to the next word. Returns their bytes without padding, or -1. */
static inline int mpb_convert_options(const __u8 *opt, __u32 len)
{
	__u32 at = 0;

	while (at < len && opt[at]) {
		if (opt[at] == 1 || at + 2 > len || opt[at + 1] < 2 || opt[at + 1] > len - at)
			return -1;
		at += opt[at + 1];
	}
	for (__u32 i = at; i < len; i++)
		if (opt[i] || len - at > 3)
			return -1;
	return at;
}

static inline int mpb_convert_value(const __u8 *msg, __u32 at, __u32 len, struct mpb_convert_msg *m)
{
	__u32 options = msg[at] == CONVERT_CONNECT ? sizeof(struct mpb_convert_connect) : 4;
	int n;

	switch (msg[at]) {
	case CONVERT_INFO:
		return len == 4 ? MPB_CONVERT_OK : CONVERT_malformed_message;
	case CONVERT_COOKIE:
		m->cookie = at + 4;
		m->cookie_len = len - 4;
		break;
	case CONVERT_ERROR:
		m->error = at + 2;
		m->error_len = len - 3;
		break;
	case CONVERT_CONNECT:
	case CONVERT_EXTENDED_HEADER:
		if (len < options)
			return CONVERT_malformed_message;
		n = mpb_convert_options(msg + at + options, len - options);
		if (n < 0)
			return CONVERT_malformed_message;
		m->options = at + options;
		m->options_len = n;
		if (msg[at] == CONVERT_CONNECT)
			m->connect = at;
		break;
	}
	return MPB_CONVERT_OK;
}

/* A whole message of `len` bytes, its header looked at already. `known`: MPB_CONVERT_REQUESTS or MPB_CONVERT_REPLIES. */
static inline int mpb_convert_parse(const __u8 *msg, __u32 len, __u32 known, struct mpb_convert_msg *m)
{
	int verdict = MPB_CONVERT_OK;

	*m = (struct mpb_convert_msg){};
	for (__u32 at = sizeof(struct mpb_convert_head); verdict == MPB_CONVERT_OK && at < len; at += msg[at + 1] * 4U) {
		struct mpb_convert_tlv t = { msg[at], msg[at + 1] };

		verdict = mpb_convert_tlv(&t, len - at, known, &m->seen);
		if (verdict == MPB_CONVERT_OK)
			verdict = mpb_convert_value(msg, at, t.words * 4U, m);
		if (verdict != MPB_CONVERT_OK)
			break;
	}
	return verdict;
}

#endif
