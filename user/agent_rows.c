/* SPDX-License-Identifier: GPL-2.0-only */
/* What the agent asks of all subflows that are watched: whether others answer, which connections use an address, and by which of theirs a peer can be told. */
#include <stdlib.h>
#include <string.h>
#include <bpf/bpf.h>
#include "agent.h"

static int by_token(const void *a, const void *b)
{
	uint32_t x = ((const struct agent_row *)a)->clock.token, y = ((const struct agent_row *)b)->clock.token;

	return x < y ? -1 : x > y;
}

void agent_read_rows(struct agent *a)
{
	struct agent_row *r = a->rows;

	if (a->nrows >= 0)
		return;
	for (int more = !bpf_map_get_next_key(a->clocks, NULL, &r->tuple); more; more = !bpf_map_get_next_key(a->clocks, &r[-1].tuple, &r->tuple)) {
		if (r == a->rows + MPB_CLOCKS)
			break;
		if (bpf_map_lookup_elem(a->clocks, &r->tuple, &r->clock))
			memset(&r->clock, 0, sizeof(r->clock)); /* gone meanwhile: of no connection */
		r++;
	}
	a->nrows = r - a->rows;
	qsort(a->rows, a->nrows, sizeof(*a->rows), by_token);
}

static bool is_from(const struct agent_row *r, const struct in6_addr *addr)
{
	return r->clock.token && r->clock.open && !memcmp(r->tuple.saddr, addr, sizeof(*addr));
}

void agent_ask_others(const struct agent *a, const struct in6_addr *addr, const struct mpb_clock_event *e, struct agent_others *o)
{
	*o = (struct agent_others){};
	for (const struct agent_row *r = a->rows; r < a->rows + a->nrows; r++) {
		if (r->clock.heard_ns <= e->clock.first_ask_ns || !memcmp(&r->tuple, &e->tuple, sizeof(r->tuple)))
			continue;
		o->sibling |= r->clock.token == e->clock.token;
		o->path |= is_from(r, addr);
		o->pair |= r->clock.token != e->clock.token && is_from(r, addr) && !memcmp(r->tuple.daddr, e->tuple.daddr, sizeof(r->tuple.daddr));
	}
}

int agent_users_of(const struct agent *a, const struct in6_addr *addr, int *lonely, struct mpb_tuple *one)
{
	int users = 0, k;

	*lonely = 0;
	for (int i = 0; i < a->nrows; i = k) {
		bool here = false, elsewhere = false;

		for (k = i; k < a->nrows && a->rows[k].clock.token == a->rows[i].clock.token; k++) {
			if (!is_from(&a->rows[k], addr)) {
				elsewhere |= a->rows[k].clock.open;
				continue;
			}
			here = true;
			*one = a->rows[k].tuple;
		}
		users += here;
		*lonely += here && !elsewhere;
	}
	return users;
}

int agent_connections_like(const struct agent *a, const struct in6_addr *addr)
{
	bool v4 = IN6_IS_ADDR_V4MAPPED(addr);
	uint32_t last = 0;
	int n = 0;

	for (const struct agent_row *r = a->rows; r < a->rows + a->nrows; r++)
		if (r->clock.open && r->clock.token != last && IN6_IS_ADDR_V4MAPPED(r->tuple.saddr) == v4) {
			last = r->clock.token;
			n++;
		}
	return n;
}

const struct agent_row *agent_next_spare(const struct agent *a, const struct in6_addr *addr, const struct agent_row *r)
{
	for (r = r ? r + 1 : a->rows; r < a->rows + a->nrows; r++)
		for (const struct agent_row *s = a->rows; is_from(r, addr) && s < a->rows + a->nrows; s++)
			if (s->clock.token == r->clock.token && s->clock.open && !is_from(s, addr))
				return r;
	return NULL;
}

/* By every subflow that does not leave from the address, twice: one may be lost. */
static void withdraw(const struct agent *a, const struct agent_row *by, uint8_t address_id)
{
	struct mpb_stand stand = { .tuple = by->tuple };
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = &stand, .ctx_size_in = sizeof(stand));
	struct probe probe;

	if (bpf_prog_test_run_opts(a->stand, &opts) || !stand.alive)
		return;
	probe = (struct probe){ .tuple = by->tuple, .seq = stand.seq, .ack = stand.ack, .ifindex = by->clock.ifindex, .window = stand.window };
	for (int i = 0; i < 2; i++)
		probe_withdraw(a->probes, &probe, address_id);
}

void agent_withdraw(const struct agent *a, const struct in6_addr *addr, uint32_t token)
{
	int i, k;

	for (i = 0; i < a->nrows; i = k) {
		const struct agent_row *here = NULL;
		int n = 0;

		for (k = i; k < a->nrows && a->rows[k].clock.token == a->rows[i].clock.token; k++)
			if (is_from(&a->rows[k], addr) && (!token || a->rows[k].clock.token == token))
				here = &a->rows[k], n++;
		for (int j = i; here && !(token && n > 1) && j < k; j++)
			if (!is_from(&a->rows[j], addr))
				withdraw(a, &a->rows[j], here->clock.local_id);
	}
}
