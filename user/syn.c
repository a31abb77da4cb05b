/* SPDX-License-Identifier: GPL-2.0-only */
#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <linux/mptcp.h>
#include <string.h>
#include <bpf/bpf.h>
#include "agent.h"
#include "detour.h"
#include "dev.h"
#include "err.h"

#define MSEC 1000000ULL
#define TRIES_MAX 16 /* endpoints that are looked at */

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

	for (int i = 0; i < DETOURS_MAX; i++)
		end(&s->detour[i]);
	calm(a);
	bpf_link__destroy(s->link);
	policy_close(&s->policy);
}

struct tries {
	struct endpoint endpoint[TRIES_MAX];
	int n;
};

static int add_try(const struct endpoint *e, void *arg)
{
	struct tries *t = arg;

	if (t->n < TRIES_MAX && IN6_IS_ADDR_V4MAPPED(&e->addr) && !(e->flags & MPTCP_PM_ADDR_FLAG_IMPLICIT))
		t->endpoint[t->n++] = *e;
	return 0;
}

static struct in_addr v4(const void *mapped)
{
	struct in_addr addr;

	memcpy(&addr, (const char *)mapped + 12, sizeof(addr));
	return addr;
}

/* The endpoint after that of the SYN's address, round and round, whose own device has a route to the peer. */
static const struct endpoint *choose(const struct tries *t, const struct mpb_tuple *syn, uint32_t *table)
{
	const struct endpoint *chosen = NULL;
	struct ifaddrs *list;
	int from = 0;

	if (getifaddrs(&list))
		return NULL;
	for (int i = 0; i < t->n; i++)
		if (!memcmp(&t->endpoint[i].addr, syn->saddr, 16))
			from = i + 1;
	for (int i = 0; !chosen && i < t->n; i++) {
		const struct endpoint *e = &t->endpoint[(from + i) % t->n];
		int dev = dev_of_address(list, &e->addr), out;

		if (dev && memcmp(&e->addr, syn->saddr, 16) && !detour_route(v4(&e->addr), v4(syn->daddr), &out, table) && out == dev && *table)
			chosen = e;
	}
	freeifaddrs(list);
	return chosen;
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

static void lead(struct agent *a, struct detour *d, uint64_t sk, const struct mpb_syn *syn, uint64_t now)
{
	char peer[INET_ADDRSTRLEN], next[INET_ADDRSTRLEN];
	const struct endpoint *e;
	struct tries t = {};
	struct in6_addr addr;
	struct in_addr to;

	memcpy(&addr, syn->tuple.saddr, sizeof(addr));
	*d = (struct detour){ .sk = sk, .sent_ns = syn->sent_ns, .tuple = syn->tuple };
	endpoint_each(add_try, &t);
	e = choose(&t, &syn->tuple, &d->table);
	if (!e) {
		demand_poor(a, &addr, "a first SYN is unanswered");
		memset(&t, 0, sizeof(t));
		endpoint_each(add_try, &t);
		e = choose(&t, &syn->tuple, &d->table);
	}
	if (!e || !ready(a) || detour_add(&d->tuple, d->table)) {
		d->table = 0;
		return;
	}
	to = v4(syn->tuple.daddr);
	inet_ntop(AF_INET, &to, peer, sizeof(peer));
	inet_ntop(AF_INET, &e->addr.s6_addr[12], next, sizeof(next));
	agent_log(a, "retried", &addr, "a first SYN to %s:%u unanswered for %llu ms; the next one from %s", peer, ntohs(syn->tuple.dport),
		  (unsigned long long)((now - syn->sent_ns) / MSEC), next);
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
