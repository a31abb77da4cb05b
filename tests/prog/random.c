/* SPDX-License-Identifier: GPL-2.0-only */
#include <string.h>
#include "random.h"

#define FLOWS 256
#define TARGET_PERCENT 80 /* packets with an option to rewrite */
#define LONG_PERCENT 3    /* XDP only: packets longer than a page */
#define PAYLOAD_MAX 1460
#define PAYLOAD_LONG 9000
#define ELEMENTS_MAX 5

static uint8_t flow_id[FLOWS]; /* the sender's address ID, both ways */

static int fill(struct rng *r, uint8_t *opt, int kind, int len, int from)
{
	opt[0] = kind;
	opt[1] = len;
	for (int i = from; i < len; i++)
		opt[i] = rng_next(r);
	return len;
}

static int prio_id(struct rng *r, uint8_t *opt, uint32_t flow)
{
	fill(r, opt, 30, 4, 4);
	opt[2] = 0x50 | rng_below(r, 2);
	opt[3] = rng_below(r, 2) ? flow_id[flow] : rng_next(r);
	return 4;
}

static int prio_bit(struct rng *r, uint8_t *opt, int bit)
{
	int len = fill(r, opt, 30, 3 + rng_below(r, 2), 3);

	opt[2] = 0x50 | (rng_below(r, 8) << 1) | bit;
	return len;
}

static int prio_clear(struct rng *r, uint8_t *opt, uint32_t flow)
{
	(void)flow;
	return prio_bit(r, opt, 0);
}

static int prio_set(struct rng *r, uint8_t *opt, uint32_t flow)
{
	(void)flow;
	return prio_bit(r, opt, 1);
}

static int add_addr(struct rng *r, uint8_t *opt, uint32_t flow)
{
	static const uint8_t lengths[] = { 16, 18, 28, 30, 8, 10, 20, 22 };
	int i = rng_below(r, sizeof(lengths)), len = fill(r, opt, 30, lengths[i], 3);

	(void)flow;
	opt[2] = 0x30 | (i < 4 ? 0 : rng_below(r, 2)); /* without HMAC it may be an echo */
	return len;
}

const struct flavour flavours[] = {
	{ "prio_strip", "", prio_id },
	{ "prio_pin", "action=2", prio_clear },
	{ "prio_pin", "action=3", prio_set },
	{ "addr_hide", "echo=1", add_addr },
};
const int nflavours = sizeof(flavours) / sizeof(flavours[0]);

/* Something that stands beside it: NOPs, a timestamp, SACK, a DSS of any length, an experiment, a MP_PRIO of the newer form, a FASTCLOSE. */
static int neighbour(struct rng *r, uint8_t *opt)
{
	int len;

	switch (rng_below(r, 7)) {
	case 0:
		len = 1 + rng_below(r, 3);
		memset(opt, 1, len);
		return len;
	case 1:
		return fill(r, opt, 8, 10, 2);
	case 2:
		return fill(r, opt, 5, 10 + 8 * rng_below(r, 3), 2);
	case 3:
		len = fill(r, opt, 30, 4 + 4 * rng_below(r, 7), 3);
		opt[2] = 0x20;
		return len;
	case 4:
		return fill(r, opt, 254, 2 + rng_below(r, 9), 2);
	case 5:
		len = fill(r, opt, 30, 3, 3);
		opt[2] = 0x50 | rng_below(r, 2);
		return len;
	default:
		len = fill(r, opt, 30, 12, 3);
		opt[2] = 0x70;
		return len;
	}
}

/* Elements in random order as far as they fit, the target among them, and the rest of the last word EOL or NOP. */
static void random_options(struct rng *r, const struct flavour *f, uint32_t flow, struct pkt_spec *p)
{
	int elements = 1 + rng_below(r, ELEMENTS_MAX), n = 0, target_len = 0, at = -1;
	uint8_t target[PKT_OPTS_MAX], opt[PKT_OPTS_MAX];

	if (rng_below(r, 100) < TARGET_PERCENT) {
		target_len = f->target(r, target, flow);
		at = rng_below(r, elements);
	}
	for (int i = 0; i < elements; i++) {
		int len = i == at ? target_len : neighbour(r, opt);

		if (i != at && n + len + (i < at ? target_len : 0) > PKT_OPTS_MAX)
			continue;
		memcpy(p->opts + n, i == at ? target : opt, len);
		n += len;
	}
	if (!n)
		p->opts[n++] = 1;
	while (n % 4)
		p->opts[n++] = rng_below(r, 2);
	p->optlen = n;
}

static void random_headers(struct rng *r, struct pkt_spec *p)
{
	static const uint8_t types[] = { 0, 43, 51, 60 };

	p->vlans = p->bare ? 0 : rng_below(r, 3);
	if (p->family == 4) {
		p->ip_opts = rng_below(r, 2) ? 0 : 4 * rng_below(r, 11);
		return;
	}
	p->next = rng_below(r, 2) ? 0 : rng_below(r, 5);
	for (int i = 0; i < p->next; i++) {
		p->ext[i].type = types[rng_below(r, sizeof(types))];
		p->ext[i].len = 8 * (1 + rng_below(r, 5));
		if (p->ext[i].type == 51) /* AH comes in words, and its integrity check value is at least one */
			p->ext[i].len = 4 * (4 + rng_below(r, 6));
	}
}

void random_spec(struct rng *r, const struct flavour *f, enum entry e, struct pkt_spec *p)
{
	uint32_t flow = rng_below(r, FLOWS);

	memset(p, 0, sizeof(*p));
	p->family = rng_below(r, 2) ? 4 : 6;
	p->bare = entries[e].bare;
	random_headers(r, p);
	pkt_flow(p, flow, false);
	p->flags = 0x10 | (rng_below(r, 2) << 3);
	p->window = rng_next(r);
	random_options(r, f, flow, p);
	p->payload = rng_below(r, 8) ? rng_below(r, PAYLOAD_MAX + 1) : rng_below(r, 4);
	if (entries[e].xdp && rng_below(r, 100) < LONG_PERCENT)
		p->payload = rng_below(r, PAYLOAD_LONG);
	p->trailer = rng_below(r, 8) ? 0 : rng_below(r, 18);
	p->seed = rng_next(r);
}

void random_knowledge(struct rng *r, const struct subject *s)
{
	for (uint32_t flow = 0; flow < FLOWS; flow++) {
		flow_id[flow] = rng_next(r);
		for (int family = 4; s->subflows >= 0 && family <= 6; family += 2) {
			struct pkt_spec p = { .family = family };

			pkt_flow(&p, flow, false);
			if (flow % 4 == 0) {
				subject_know(s, &p, false, flow_id[flow], ~flow_id[flow]);
				subject_know(s, &p, true, ~flow_id[flow], flow_id[flow]);
			} else if (flow % 4 == 1) {
				subject_learn(s, &p, false, flow_id[flow]);
			}
		}
	}
}
