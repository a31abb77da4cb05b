/* SPDX-License-Identifier: GPL-2.0-only */
/* Frames, byte by byte, and their checksum the slow way. Nothing here comes from the product's headers: a mistake there must not be repeated here. */
#ifndef MPB_TESTS_PACKET_H
#define MPB_TESTS_PACKET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PKT_MAX 80000
#define PKT_EXT_MAX 12
#define PKT_OPTS_MAX 40
#define PKT_TCP 6
#define PKT_UDP 17

enum pkt_frag { WHOLE, FRAG_FIRST, FRAG_LATER, FRAG_ATOMIC }; /* atomic (RFC 6946): IPv6 only */

enum pkt_csum {
	CSUM_FULL,
	CSUM_PARTIAL, /* the field holds the folded pseudo-header sum, as in a frame whose device would complete it */
	CSUM_MINUS0,  /* full, and 0xffff where that is 0: the other zero of ones' complement */
};

/* An IPv6 extension header of `len` bytes (8..2048 in steps of 8; AH: of 4). */
struct pkt_ext {
	uint8_t type; /* 0 hop-by-hop, 43 routing, 51 AH, 60 destination options */
	uint16_t len;
};

/* A frame to build. Zeros mean an unfragmented TCP segment without options or payload; family and pkt_flow() are needed. */
struct pkt_spec {
	int family;  /* 4 or 6 */
	bool bare;   /* no Ethernet header */
	int vlans;   /* tags, outer ones 802.1ad, the last 802.1Q */
	int ip_opts; /* IPv4: bytes of IP options, in steps of 4, to 40 */
	int next;    /* IPv6: how many of ext[] */
	struct pkt_ext ext[PKT_EXT_MAX];
	bool via; /* IPv6: a routing header, the final destination (dst) in it, a next hop in the IP header */
	enum pkt_frag frag;
	uint8_t proto; /* 0: TCP. Another one is only named so; the bytes are still those of TCP */
	uint8_t src[16], dst[16];
	uint16_t sport, dport;
	uint8_t flags; /* of TCP; 0: ACK */
	uint16_t window;
	uint8_t opts[PKT_OPTS_MAX];
	int optlen;    /* bytes of opts, in steps of 4 */
	int payload;   /* bytes */
	uint32_t seed; /* of the payload */
	enum pkt_csum csum;
	int trailer;    /* bytes behind the IP packet: Ethernet's padding */
	bool no_length; /* the IP header's length is 0: BIG TCP */
	int short_by;   /* the IP header's length is less than the truth by this */
};

struct pkt {
	size_t len;               /* of the frame */
	size_t l3, l4, opts;      /* offsets */
	size_t seg;               /* TCP header and payload, bytes */
	int alen;                 /* of an address: 4 or 16 */
	uint8_t src[16], dst[16]; /* of the pseudo header */
	uint8_t b[PKT_MAX];
};

/* Addresses and ports of flow n; towards its other end with `back`. */
void pkt_flow(struct pkt_spec *s, uint32_t n, bool back);

/* Takes "1e 04 51 02": sets opts and optlen, filled up to a multiple of 4 with `pad` (EOL or NOP). Returns false if it is no hex or too long. */
bool pkt_opts(struct pkt_spec *s, int nops, const char *hex, uint8_t pad);

void pkt_build(const struct pkt_spec *s, struct pkt *p);

/* Ones' complement sum of n bytes as 16-bit big-endian words, an odd last byte padded with zero (RFC 1071); not folded. */
uint64_t pkt_words(const uint8_t *b, size_t n);
uint16_t pkt_fold(uint64_t sum);

/* Folded sum over the pseudo header, p's shape; and is the checksum in the frame (p's shape, maybe other bytes) right? */
uint16_t pkt_pseudo(const struct pkt *p);
bool pkt_valid(const struct pkt *p, const uint8_t *frame);

uint16_t pkt_csum(const struct pkt *p, const uint8_t *frame);

/* xorshift64: the same numbers from the same seed, anywhere. */
struct rng {
	uint64_t s;
};
uint32_t rng_next(struct rng *r);
uint32_t rng_below(struct rng *r, uint32_t n);

#endif
