/* SPDX-License-Identifier: GPL-2.0-only */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include "packet.h"

#define TCP_BYTES 20
#define V4_BYTES 20
#define V6_BYTES 40
#define ROUTE_BYTES 24 /* a routing header with one address */
#define FRAGMENT 44
#define ROUTING 43
#define AH 51

static size_t put16(uint8_t *b, size_t at, uint32_t v)
{
	b[at] = v >> 8;
	b[at + 1] = v;
	return at + 2;
}

static size_t put32(uint8_t *b, size_t at, uint32_t v)
{
	return put16(b, put16(b, at, v >> 16), v);
}

uint32_t rng_next(struct rng *r)
{
	r->s ^= r->s << 13;
	r->s ^= r->s >> 7;
	r->s ^= r->s << 17;
	return r->s >> 16;
}

uint32_t rng_below(struct rng *r, uint32_t n)
{
	return rng_next(r) % n;
}

void pkt_flow(struct pkt_spec *s, uint32_t n, bool back)
{
	uint8_t *near = back ? s->dst : s->src, *far = back ? s->src : s->dst;

	memset(s->src, 0, sizeof(s->src));
	memset(s->dst, 0, sizeof(s->dst));
	if (s->family == 4) {
		put32(near, 0, 0x0a4d0100 + n);
		put32(far, 0, 0xc0000200 ^ n * 0x9e3779b1);
	} else {
		put32(near, 0, 0xfd770001);
		put32(near, 12, n + 1);
		put32(far, 0, 0x20010db8);
		put32(far, 8, n * 0x9e3779b1);
		put32(far, 12, 2);
	}
	s->sport = back ? 5001 : 40000 + n % 20000;
	s->dport = back ? 40000 + n % 20000 : 5001;
}

bool pkt_opts(struct pkt_spec *s, int nops, const char *hex, uint8_t pad)
{
	int n = 0;

	for (; n < nops; n++)
		s->opts[n] = 1;
	while (*hex) {
		char byte[3] = { hex[0], hex[1], 0 };

		if (isspace((unsigned char)*hex)) {
			hex++;
			continue;
		}
		if (!isxdigit((unsigned char)hex[0]) || !isxdigit((unsigned char)hex[1]) || n == PKT_OPTS_MAX)
			return false;
		s->opts[n++] = strtoul(byte, NULL, 16);
		hex += 2;
	}
	while (n % 4)
		s->opts[n++] = pad;
	s->optlen = n;
	return true;
}

uint64_t pkt_words(const uint8_t *b, size_t n)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < n; i += 2)
		sum += (uint64_t)b[i] << 8 | (i + 1 < n ? b[i + 1] : 0);
	return sum;
}

uint16_t pkt_fold(uint64_t sum)
{
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* RFC 9293 section 3.1: addresses, zero, protocol, 16-bit length. RFC 8200 section 8.1: addresses, 32-bit length, zeros, next header. */
static uint64_t pseudo_words(const struct pkt *p)
{
	uint8_t h[40] = { 0 };
	size_t n = p->alen;

	memcpy(h, p->src, n);
	memcpy(h + n, p->dst, n);
	if (n == 4) {
		h[9] = PKT_TCP;
		put16(h, 10, p->seg);
		return pkt_words(h, 12) + (p->seg >> 16); /* BIG TCP: beyond 16 bits the rest counts too */
	}
	put32(h, 32, p->seg);
	h[39] = PKT_TCP;
	return pkt_words(h, 40);
}

uint16_t pkt_pseudo(const struct pkt *p)
{
	return pkt_fold(pseudo_words(p));
}

bool pkt_valid(const struct pkt *p, const uint8_t *frame)
{
	return pkt_fold(pseudo_words(p) + pkt_words(frame + p->l4, p->seg)) == 0xffff;
}

uint16_t pkt_csum(const struct pkt *p, const uint8_t *frame)
{
	return frame[p->l4 + 16] << 8 | frame[p->l4 + 17];
}

static size_t put_link(const struct pkt_spec *s, uint8_t *b)
{
	static const uint8_t macs[12] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2 };
	size_t at = sizeof(macs);

	if (s->bare)
		return 0;
	memcpy(b, macs, sizeof(macs));
	for (int i = s->vlans; i; i--) {
		at = put16(b, at, i > 1 ? 0x88a8 : 0x8100);
		at = put16(b, at, 100 + i);
	}
	return put16(b, at, s->family == 4 ? 0x0800 : 0x86dd);
}

static size_t put_v4(const struct pkt_spec *s, struct pkt *p, size_t at)
{
	uint8_t *b = p->b, *h = b + at;
	size_t hlen = V4_BYTES + s->ip_opts;
	uint32_t frag = s->frag == FRAG_FIRST   ? 0x2000
			: s->frag == FRAG_LATER ? 0x0003
						: 0x4000; /* else: don't fragment */

	h[0] = 0x40 | hlen / 4;
	h[1] = 0;
	put16(h, 2, s->no_length ? 0 : hlen + p->seg - s->short_by);
	put16(h, 4, 0x1234);
	put16(h, 6, frag);
	h[8] = 64;
	h[9] = s->proto ? s->proto : PKT_TCP;
	put16(h, 10, 0);
	memcpy(h + 12, s->src, 4);
	memcpy(h + 16, s->dst, 4);
	memset(h + V4_BYTES, 1, s->ip_opts);
	put16(h, 10, ~pkt_fold(pkt_words(h, hlen)));
	return at + hlen;
}

/* One extension header; returns where the next one begins. `next` is set to the place of its own Next Header field. */
static size_t put_ext(uint8_t *b, size_t at, const struct pkt_ext *e, size_t *next)
{
	b[*next] = e->type;
	memset(b + at, 0, e->len);
	b[at + 1] = e->type == AH ? e->len / 4 - 2 : e->len / 8 - 1;
	if (e->type != AH && e->type != ROUTING) { /* PadN over all of it */
		b[at + 2] = 1;
		b[at + 3] = e->len < 256 ? e->len - 4 : 0;
	}
	*next = at;
	return at + e->len;
}

static size_t put_v6(const struct pkt_spec *s, struct pkt *p, size_t at)
{
	size_t base = at, next = at + 6;
	uint8_t *b = p->b;

	memset(b + at, 0, V6_BYTES);
	b[at] = 0x60;
	b[at + 7] = 64;
	memcpy(b + at + 8, s->src, 16);
	memcpy(b + at + 24, s->dst, 16);
	at += V6_BYTES;
	for (int i = 0; i < s->next; i++)
		at = put_ext(b, at, &s->ext[i], &next);
	if (s->via) {
		size_t route = at;

		at = put_ext(b, at, &(struct pkt_ext){ .type = ROUTING, .len = ROUTE_BYTES }, &next);
		b[route + 2] = 2; /* RFC 6275 section 6.4.1 */
		b[route + 3] = 1; /* segments left */
		memcpy(b + route + 8, s->dst, 16);
		b[base + 24 + 15] ^= 0x55;
	}
	if (s->frag) {
		b[next] = FRAGMENT;
		next = at;
		b[at] = b[at + 1] = 0;
		put16(b, at + 2, s->frag == FRAG_FIRST ? 1 : s->frag == FRAG_LATER ? 3 << 3 : 0);
		at = put32(b, at + 4, 0x12345678);
	}
	b[next] = s->proto ? s->proto : PKT_TCP;
	put16(b, base + 4, s->no_length ? 0 : at - base - V6_BYTES + p->seg - s->short_by);
	return at;
}

static void put_tcp(const struct pkt_spec *s, struct pkt *p)
{
	uint8_t *h = p->b + p->l4;
	struct rng r = { .s = (uint64_t)s->seed << 20 | 0x5eed1 };

	put16(h, 0, s->sport);
	put16(h, 2, s->dport);
	put32(h, 4, 0x11223344);
	put32(h, 8, 0x55667788);
	h[12] = (TCP_BYTES + s->optlen) / 4 << 4;
	h[13] = s->flags ? s->flags : 0x10;
	put16(h, 14, s->window);
	put32(h, 16, 0);
	memcpy(h + TCP_BYTES, s->opts, s->optlen);
	for (int i = 0; i < s->payload; i++)
		h[TCP_BYTES + s->optlen + i] = rng_next(&r);
}

void pkt_build(const struct pkt_spec *s, struct pkt *p)
{
	uint16_t csum;

	p->alen = s->family == 4 ? 4 : 16;
	memcpy(p->src, s->src, 16);
	memcpy(p->dst, s->dst, 16);
	p->seg = TCP_BYTES + s->optlen + s->payload;
	p->l3 = put_link(s, p->b);
	p->l4 = s->family == 4 ? put_v4(s, p, p->l3) : put_v6(s, p, p->l3);
	p->opts = p->l4 + TCP_BYTES;
	p->len = p->l4 + p->seg + s->trailer;
	if (p->len > PKT_MAX)
		abort();
	put_tcp(s, p);
	memset(p->b + p->l4 + p->seg, 0xa5, s->trailer);
	csum = ~pkt_fold(pseudo_words(p) + pkt_words(p->b + p->l4, p->seg));
	if (s->csum == CSUM_PARTIAL)
		csum = pkt_pseudo(p);
	else if (s->csum == CSUM_MINUS0 && !csum)
		csum = 0xffff;
	put16(p->b, p->l4 + 16, csum);
}
