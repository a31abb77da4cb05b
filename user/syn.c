/* SPDX-License-Identifier: GPL-2.0-only */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <bpf/bpf.h>
#include "agent.h"
#include "detour.h"
#include "err.h"

#define MSEC 1000000ULL

static int load(struct agent *a)
{
	struct syns *s = &a->syns;
	int err = policy_open("syn", &s->policy);
	uint64_t *cookie;
	size_t size;

	if (err)
		return err;
	cookie = bpf_map__initial_value(bpf_object__find_map_by_name(s->policy.obj, ".rodata"), &size);
	*cookie = a->ns->cookie;
	err = policy_load("syn", &s->policy);
	if (err)
		return err;
	s->look = bpf_program__fd(bpf_object__find_program_by_name(s->policy.obj, "syn_look"));
	s->map = bpf_object__find_map_fd_by_name(s->policy.obj, "mpb_syns");
	s->link = bpf_program__attach(bpf_object__find_program_by_name(s->policy.obj, "syn_state"));
	return s->link ? 0 : -errno;
}

void syn_start(struct agent *a)
{
	detour_flush(a->ns); /* of an agent that was killed */
	if (!load(a))
		return;
	err_clear();
	policy_hush();
	note("mptcp-bpf: this kernel does not let first SYNs be watched: they are not tried on other paths");
}

static void end(struct detour *d)
{
	if (d->sk && d->table)
		detour_del(&d->tuple, d->table);
	d->sk = 0;
}

/* No SYN is led elsewhere any more. */
static void calm(struct agent *a)
{
	if (a->syns.begun)
		detour_end(a->ns);
	a->syns.begun = false;
}

void syn_stop(struct agent *a)
{
	struct syns *s = &a->syns;

	avoid_stop(a);
	for (int i = 0; i < DETOURS_MAX; i++)
		end(&s->detour[i]);
	calm(a);
	bpf_link__destroy(s->link);
	policy_close(&s->policy);
}

static bool ready(struct agent *a)
{
	struct syns *s = &a->syns;
	int err = detour_begin(a->ns);

	s->begun |= !err;
	if (err)
		err_clear();
	if (err && !s->reported++)
		note("mptcp-bpf: ip_dynaddr cannot be set: first SYNs are not tried on other paths: %s", strerror(-err));
	return !err;
}

/* By another path the next time. The kernel sends an IPv6 SYN from where it was sent first, whatever routes say: what was learnt serves the next connection. */
static void lead(struct agent *a, struct detour *d, uint64_t sk, const struct mpb_syn *syn, uint64_t now)
{
	char peer[INET6_ADDRSTRLEN], next[INET6_ADDRSTRLEN];
	struct in6_addr addr, to;
	struct endpoint e;
	bool found;

	memcpy(&addr, syn->tuple.saddr, sizeof(addr));
	memcpy(&to, syn->tuple.daddr, sizeof(to));
	*d = (struct detour){ .sk = sk, .sent_ns = syn->sent_ns, .tuple = syn->tuple };
	agent_read_rows(a);
	track_look(a);
	track_failed(a, &addr, now);
	found = track_choose(a, &syn->tuple, &e, &d->table);
	if (!found) {
		demand_open(a, &addr, "a first SYN is unanswered");
		found = track_choose(a, &syn->tuple, &e, &d->table);
	}
	if (!found) {
		d->table = 0;
		return;
	}
	avoid_peer(a, &syn->tuple, d->table, now);
	if (syn->fixed || !ready(a) || detour_add(&d->tuple, d->table))
		d->table = 0;
	agent_log(a, d->table ? "retried" : "avoided", &addr, "a first SYN to %s:%u unanswered for %llu ms; the next %s from %s", agent_addr(&to, peer),
		  ntohs(syn->tuple.dport), (unsigned long long)((now - syn->sent_ns) / MSEC), d->table ? "one" : "connection", agent_addr(&e.addr, next));
}

static struct detour *find(struct syns *s, uint64_t sk)
{
	for (int i = 0; i < DETOURS_MAX; i++)
		if (s->detour[i].sk == sk)
			return &s->detour[i];
	return NULL;
}

bool syn_look(struct agent *a, uint64_t now)
{
	struct syns *s = &a->syns;
	uint32_t waiting = 0;
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = &waiting, .ctx_size_in = sizeof(waiting));
	uint64_t late = agent_tunable(a, "syn_ms") * MSEC, sk;
	struct detour *d;
	struct mpb_syn syn;
	bool led = false;

	if (!s->link || bpf_prog_test_run_opts(s->look, &opts))
		return false;
	for (d = s->detour; d < s->detour + DETOURS_MAX; d++) {
		if (d->sk && (bpf_map_lookup_elem(s->map, &d->sk, &syn) || syn.sent_ns != d->sent_ns)) /* answered, given up, or sent again */
			end(d);
		led |= d->sk != 0;
	}
	if (!led)
		calm(a);
	avoid_look(a, now);
	if (!late)
		return false;
	for (int more = waiting && !bpf_map_get_next_key(s->map, NULL, &sk); more; more = !bpf_map_get_next_key(s->map, &sk, &sk)) {
		if (bpf_map_lookup_elem(s->map, &sk, &syn) || syn.bound || !syn.sent_ns || now < syn.sent_ns + late || find(s, sk))
			continue;
		d = find(s, 0);
		if (d)
			lead(a, d, sk, &syn, now);
	}
	return waiting;
}
