/* SPDX-License-Identifier: GPL-2.0-only */
#include <arpa/inet.h>
#include <errno.h>
#include <jansson.h>
#include <linux/mptcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include "agent.h"
#include "diag.h"
#include "err.h"
#include "feature.h"
#include "out.h"
#include "state.h"
#include "tunable.h"

#define MSEC 1000000ULL
#define SECOND (1000 * MSEC)
#define TICK_DOUBT_NS (2 * MSEC)  /* one was asked */
#define TICK_BUSY_NS (4 * MSEC)   /* something is in flight */
#define TICK_IDLE_NS (10 * MSEC)
#define DISCOVER_NS (200 * MSEC)  /* between two looks for new subflows; */
#define DISCOVER_SOON_NS (20 * MSEC) /* while some are expected, */
#define SOON_NS SECOND            /* for so long */
#define LINKS_TRIES 100           /* to read them while they change */
#define ALONE_NS (300 * MSEC)     /* so long one subflow may be silent where another connection's, between the same addresses, has just been heard */
#define SHARE 25                  /* a tick takes a 25th of the time at most: with very many subflows they come less often */

static uint64_t clock_ns(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return t.tv_sec * SECOND + t.tv_nsec;
}

uint64_t agent_now(void)
{
	return clock_ns(CLOCK_MONOTONIC);
}

const char *agent_addr(const struct in6_addr *addr, char buf[INET6_ADDRSTRLEN])
{
	bool v4 = IN6_IS_ADDR_V4MAPPED(addr);

	return inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? (const void *)&addr->s6_addr[12] : addr, buf, INET6_ADDRSTRLEN) ? buf : "?";
}

void agent_log(const struct agent *a, const char *what, const struct in6_addr *addr, const char *fmt, ...)
{
	char why[256], text[INET6_ADDRSTRLEN], clock[16];
	struct timespec t;
	struct tm tm;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	clock_gettime(CLOCK_REALTIME, &t);
	if (a->json) {
		json_t *o = json_pack("{s:s,s:I,s:s,s:s}", "event", what, "time_ns", (json_int_t)(t.tv_sec * SECOND + t.tv_nsec), "address",
				      agent_addr(addr, text), "why", why);

		out_json(o);
		json_decref(o);
	} else {
		strftime(clock, sizeof(clock), "%H:%M:%S", localtime_r(&t.tv_sec, &tm));
		printf("%s.%03ld %s %s: %s\n", clock, t.tv_nsec / 1000000, what, agent_addr(addr, text), why);
	}
	fflush(stdout);
}

void agent_probe(const struct mpb_clock_event *e, struct probe *p)
{
	*p = (struct probe){ .tuple = e->tuple, .seq = e->seq, .ack = e->ack, .ifindex = e->clock.ifindex, .window = e->window };
}

void agent_leave(struct agent *a, const struct endpoint *endpoint, const struct probe *probe, int users, const char *why)
{
	int err;

	if (!away_add(&a->away, endpoint, probe, false, agent_now()))
		return agent_log(a, "left", &endpoint->addr, "%s; but %d addresses are away already", why, AWAY_MAX);
	agent_withdraw(a, &endpoint->addr, 0); /* first: the kernel tells the peer once, by what may be the dead subflow, and then sends again what is in flight */
	err = endpoint_del(endpoint);
	avoid_path(a, &endpoint->addr);
	agent_log(a, err ? "failed" : "evacuated", &endpoint->addr, "%s; endpoint %d, connections %d%s%s", why, endpoint->id, users, err ? ": " : "",
		  err ? strerror(-err) : "");
}

static void close_subflow(const struct agent *a, const struct mpb_tuple *t, const struct mpb_clock *c, const char *why)
{
	struct in6_addr addr;
	int err;

	memcpy(&addr, t->saddr, sizeof(addr));
	agent_withdraw(a, &addr, c->token);
	err = diag_destroy(t, c->ifindex);
	if (err != -ENOENT)
		agent_log(a, err ? "failed" : "closed", &addr, "%s; one subflow of connection 0x%08x%s%s", why, c->token, err ? ": " : "",
			  err ? strerror(-err) : "");
}

/* By RM_ADDR where the path has an endpoint, and no connection has nothing else; else just this subflow, or those of connections that have another. */
void agent_evacuate(struct agent *a, const struct in6_addr *addr, const struct mpb_clock_event *e, const char *why)
{
	struct agent_others others = { .sibling = true };
	struct endpoint endpoint;
	struct probe probe = {};
	int users, lonely = 0;

	if (away_find(&a->away, addr))
		return;
	agent_read_rows(a);
	if (e)
		agent_ask_others(a, addr, e, &others);
	if (others.pair && e->silent_ns < ALONE_NS)
		return;
	users = others.path ? 0 : agent_users_of(a, addr, &lonely, &probe.tuple);
	if ((users && demand_poor(a, addr, e, why)) || !others.sibling)
		return;
	if (users && !lonely && !endpoint_idle() && !endpoint_find(addr, &endpoint) && !(endpoint.flags & MPTCP_PM_ADDR_FLAG_IMPLICIT)) {
		if (e)
			agent_probe(e, &probe);
		agent_leave(a, &endpoint, &probe, users, why);
	} else if (e) {
		close_subflow(a, &e->tuple, &e->clock, why);
	} else {
		for (const struct agent_row *r = NULL; (r = agent_next_spare(a, addr, r));)
			close_subflow(a, &r->tuple, &r->clock, why);
	}
}

static int on_event(void *arg, void *data, size_t size)
{
	const struct mpb_clock_event *e = data;
	struct agent *a = arg;
	struct in6_addr addr;
	struct probe probe;
	char why[96];

	if (size < sizeof(*e))
		return 0;
	memcpy(&addr, e->tuple.saddr, sizeof(addr));
	if (away_find(&a->away, &addr))
		return 0;
	if (e->what == MPB_CLOCK_POOR) {
		snprintf(why, sizeof(why), "a cheaper path is poor: RTT %u ms, %llu kbit/s, loss %u.%u %%", e->srtt_us / 1000,
			 (unsigned long long)e->rate * 8 / 1000, e->clock.loss / 10, e->clock.loss % 10);
		agent_read_rows(a);
		if (demand_may(a, e->clock.token))
			demand_poor(a, &addr, e, why);
		return 0;
	}
	if (e->what == MPB_CLOCK_ASK) {
		agent_probe(e, &probe);
		probe_send(a->probes, &probe);
		if (e->inflight) /* one may be lost as the data was */
			probe_send(a->probes, &probe);
		return 0;
	}
	snprintf(why, sizeof(why), "silent for %llu ms, probes of %llu ms ago unanswered, RTT %u ms", (unsigned long long)(e->silent_ns / MSEC),
		 (unsigned long long)((e->clock.heard_ns + e->silent_ns - e->clock.first_ask_ns) / MSEC), e->srtt_us / 1000);
	agent_evacuate(a, &addr, e, why);
	return 0;
}

static void set_timer(const struct agent *a, uint64_t ns)
{
	struct itimerspec t = { .it_value = { ns / SECOND, ns % SECOND } };

	timerfd_settime(a->timer, 0, &t, NULL);
}

static int run_tick(struct agent *a, struct mpb_tick *tick)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = tick, .ctx_size_in = sizeof(*tick));

	if (bpf_prog_test_run_opts(a->tick, &opts))
		return err_fail(errno, "clock", "cannot be run: %s", strerror(errno));
	a->untold += tick->untold;
	a->nrows = -1;
	return 0;
}

int agent_discover(struct agent *a)
{
	struct mpb_tick tick = { .discover = true };

	a->discovered_ns = agent_now();
	return run_tick(a, &tick);
}

static int on_timer(void *arg)
{
	struct agent *a = arg;
	uint64_t now = agent_now(), began = clock_ns(CLOCK_THREAD_CPUTIME_ID), expirations, next, took;
	struct mpb_tick tick = { .discover = now - a->discovered_ns >= (now - a->soon_ns < SOON_NS ? DISCOVER_SOON_NS : DISCOVER_NS) };
	bool away, syns;

	if (read(a->timer, &expirations, sizeof(expirations)) < 0 && errno != EAGAIN)
		return err_fail(errno, "timer", "cannot be read: %s", strerror(errno));
	if (tick.discover)
		a->discovered_ns = now;
	if (run_tick(a, &tick))
		return -EIO;
	ring_buffer__consume(a->events);
	if (link_look(a, now))
		return -EIO;
	away = agent_look_at_away(a);
	demand_look(a, now);
	renew_look(a, now);
	syns = syn_look(a, now);
	next = tick.asked ? TICK_DOUBT_NS : tick.waiting ? TICK_BUSY_NS : tick.subflows || away || syns ? TICK_IDLE_NS : DISCOVER_NS;
	took = tick.discover ? 0 : clock_ns(CLOCK_THREAD_CPUTIME_ID) - began;
	set_timer(a, took * SHARE > next ? took * SHARE : next);
	return 0;
}

static int set_tunables(struct agent *a, char (*settings)[CONFIG_SETTING_LEN], int n)
{
	struct bpf_map *section = bpf_object__find_map_by_name(a->policy.obj, MPB_TUNE_SEC);
	const struct tunable *t;
	struct setting s;
	uint64_t value;
	size_t size;
	int err = 0;

	for (int i = 0; !err && i < n; i++) {
		err = setting_parse(settings[i], &s);
		if (!err)
			err = tunable_match(&a->policy.desc, &s, &t, &value);
		if (!err)
			tunable_set(t, bpf_map__initial_value(section, &size), value);
	}
	return err;
}

int agent_tune(struct agent *a, char (*settings)[CONFIG_SETTING_LEN], int n)
{
	const struct desc *d = &a->policy.desc;
	size_t size;
	void *data = bpf_map__initial_value(bpf_object__find_map_by_name(a->policy.obj, MPB_TUNE_SEC), &size); /* since the load, the map's own memory */
	int err;

	for (int i = 0; i < d->ntunables; i++)
		tunable_set(&d->tunables[i], data, d->tunables[i].dfl);
	err = set_tunables(a, settings, n);
	demand_start(a);
	return err;
}

uint64_t agent_tunable(const struct agent *a, const char *name)
{
	const struct desc *d = &a->policy.desc;
	const void *data;
	size_t size;

	data = bpf_map__initial_value(bpf_object__find_map_by_name(a->policy.obj, MPB_TUNE_SEC), &size);
	for (int i = 0; i < d->ntunables; i++)
		if (!strcmp(d->tunables[i].name, name))
			return tunable_get(&d->tunables[i], data);
	return 0;
}

/* Before what changes is compared with it. */
static int open_links(struct agent *a)
{
	int err = -EINTR;

	a->links = link_open();
	if (a->links < 0)
		return err_fail(errno, "run", "no link events: %s", strerror(errno));
	for (int i = 0; err == -EINTR && i < LINKS_TRIES; i++)
		err = links_read(&a->known);
	return err ? err_fail(-err, "run", "devices and addresses cannot be read: %s", strerror(-err)) : 0;
}

static int load(struct agent *a, char (*settings)[CONFIG_SETTING_LEN], int n)
{
	int fd, err = policy_open("clock", &a->policy);

	if (!err)
		err = set_tunables(a, settings, n);
	if (err)
		return err;
	fd = state_map(a->ns, "mpb_subflows");
	err = fd < 0 ? -errno : bpf_map__reuse_fd(bpf_object__find_map_by_name(a->policy.obj, "mpb_subflows"), fd);
	if (fd >= 0)
		close(fd);
	if (!err)
		err = bpf_object__load(a->policy.obj);
	if (err) {
		err_hint("-vv shows the verifier's log");
		return err_lacks("run", "the kernel does not take the program that watches subflows: %s", strerror(-err));
	}
	a->tick = bpf_program__fd(bpf_object__find_program_by_name(a->policy.obj, "clock_tick"));
	a->stand = bpf_program__fd(bpf_object__find_program_by_name(a->policy.obj, "clock_stand"));
	a->clocks = bpf_object__find_map_fd_by_name(a->policy.obj, "mpb_clocks");
	a->events = ring_buffer__new(bpf_object__find_map_fd_by_name(a->policy.obj, "mpb_clock_events"), on_event, a, NULL);
	return a->events ? 0 : err_fail(errno, "run", "the events cannot be opened: %s", strerror(errno));
}

int agent_start(struct agent *a, const struct ns *ns, char (*settings)[CONFIG_SETTING_LEN], int n, struct service services[AGENT_SERVICES])
{
	int err;

	a->ns = ns;
	a->timer = a->links = a->probes[0] = a->probes[1] = a->away.map = a->nrows = -1;
	a->rows = calloc(MPB_CLOCKS + 1, sizeof(*a->rows));
	if (!a->rows)
		return err_fail(ENOMEM, "run", "out of memory");
	err = load(a, settings, n);
	if (!err)
		err = away_open(&a->away, ns, agent_now());
	if (!err)
		err = probe_open(a->probes);
	if (err)
		return err;
	if (endpoint_idle())
		note("mptcp-bpf: paths are managed in user space (net.mptcp.pm_type): subflows are closed one by one, and new ones are that manager's to make");
	demand_start(a);
	syn_start(a);
	a->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (a->timer < 0)
		return err_fail(errno, "run", "no timer: %s", strerror(errno));
	err = open_links(a);
	if (!err)
		err = on_timer(a); /* what lives already is known before it is said that it is watched */
	if (err)
		return err;
	services[0] = (struct service){ .fd = a->timer, .ready = on_timer, .arg = a };
	services[1] = (struct service){ .fd = a->links, .ready = link_ready, .arg = a };
	return 2;
}

void agent_stop(struct agent *a)
{
	syn_stop(a);
	demand_stop(a);
	if (a->away.map >= 0)
		away_close(&a->away, a->ns);
	links_free(&a->known);
	free(a->rows);
	ring_buffer__free(a->events);
	policy_close(&a->policy);
	for (int i = 0; i < 2; i++)
		if (a->probes[i] >= 0)
			close(a->probes[i]);
	if (a->timer >= 0)
		close(a->timer);
	if (a->links >= 0)
		close(a->links);
	if (a->untold)
		note("mptcp-bpf: %llu events found no room", (unsigned long long)a->untold);
}
