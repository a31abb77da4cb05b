/* SPDX-License-Identifier: GPL-2.0-only */
#include <arpa/inet.h>
#include <errno.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include "cmd.h"
#include "err.h"
#include "out.h"
#include "pin.h"
#include "scheduler.h"
#include "steer.h"

#define LEASE_NS 3000000000ULL /* for so long the runtime goes on telling without a word of ours */
#define LOOK_MS 300 /* between two looks at what is no event */

struct monitor {
	const struct ns *ns;
	bool json;
	uint32_t token; /* 0: all */
	char name[MPB_SLOTS][MPB_NAME_LEN]; /* of the policies, by slot; "": not asked for since the last look */
	uint64_t untold;
};

static volatile sig_atomic_t stopped;

static void stop(int sig)
{
	(void)sig;
	stopped = 1;
}

static uint64_t clock_ns(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec;
}

static const char *policy_name(struct monitor *m, uint32_t slot)
{
	char *name = m->name[slot % MPB_SLOTS];

	if (!*name)
		scheduler_name(m->ns, slot, name);
	return name;
}

static const char *reason(uint32_t why)
{
	static const char *const words[] = {
#define X(id, word) [id] = word,
		MPB_REASONS(X)
#undef X
	};

	return why < MPB_WHY_MAX ? words[why] : words[MPB_WHY_NONE];
}

/* A subflow by its addresses: LOCAL>REMOTE. */
static void subflow_text(const struct mpb_tuple *t, char *buf, size_t size)
{
	bool v4 = !t->saddr[0] && !t->saddr[1] && t->saddr[2] == htonl(0xffff);
	char local[INET6_ADDRSTRLEN] = "?", remote[INET6_ADDRSTRLEN] = "?";

	inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? (const void *)&t->saddr[3] : t->saddr, local, sizeof(local));
	inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? (const void *)&t->daddr[3] : t->daddr, remote, sizeof(remote));
	snprintf(buf, size, "%s>%s", local, remote);
}

static json_t *set_json(const struct mpb_event *e, mpb_set set)
{
	json_t *array = json_array();
	char text[128];

	for (int i = 0; i < MPB_SUBFLOWS; i++) {
		if (!(set & e->used & mpb_bit(i)))
			continue;
		subflow_text(&e->tuple[i], text, sizeof(text));
		json_array_append_new(array, json_string(text));
	}
	return array;
}

static void event_json(struct monitor *m, const struct mpb_event *e, uint64_t wall_ns)
{
	char token[16];
	json_t *o;

	snprintf(token, sizeof(token), "0x%08x", e->token);
	o = json_pack("{s:s,s:I,s:s,s:s,s:s,s:o,s:o}", "event", "decision", "time_ns", (json_int_t)wall_ns, "token", token, "sched", policy_name(m, e->slot),
		      "reason", reason(e->why), "before", set_json(e, e->before), "after", set_json(e, e->after));
	out_json(o);
	json_decref(o);
}

/* + for a subflow that may carry data from now on, - for one that may not any more; the others of the set plain. */
static void event_text(struct monitor *m, const struct mpb_event *e, uint64_t wall_ns)
{
	time_t second = wall_ns / 1000000000;
	char text[128], clock[16];
	struct tm tm;

	strftime(clock, sizeof(clock), "%H:%M:%S", localtime_r(&second, &tm));
	printf("%s.%06u 0x%08x %s:", clock, (unsigned int)(wall_ns % 1000000000 / 1000), e->token, policy_name(m, e->slot));
	for (int i = 0; i < MPB_SUBFLOWS; i++) {
		bool was = e->before & mpb_bit(i), is = e->after & mpb_bit(i);

		if (!(e->used & mpb_bit(i)) || (!was && !is))
			continue;
		subflow_text(&e->tuple[i], text, sizeof(text));
		printf(" %s%s", was && is ? "" : is ? "+" : "-", text);
	}
	printf(" (%s)\n", reason(e->why));
}

static int on_event(void *arg, void *data, size_t size)
{
	struct monitor *m = arg;
	const struct mpb_event *e = data;
	uint64_t wall_ns;

	if (size < sizeof(*e) || (m->token && e->token != m->token))
		return 0;
	wall_ns = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_MONOTONIC) + e->ns;
	if (m->json)
		event_json(m, e, wall_ns);
	else
		event_text(m, e, wall_ns);
	return stopped ? -EINTR : 0; /* the rest is not waited for */
}

/* What the runtime could not tell since the last look. */
static void tell_losses(struct monitor *m)
{
	struct mpb_steer_counts counts;
	uint64_t lost;

	if (steer_counts(m->ns, &counts))
		return;
	lost = counts.untold - m->untold;
	m->untold = counts.untold;
	if (!lost)
		return;
	if (m->json)
		printf("{\"event\":\"lost\",\"count\":%llu}\n", (unsigned long long)lost);
	else
		printf("%llu events lost: they came faster than they were read\n", (unsigned long long)lost);
}

/* Once in a while: the runtime goes on telling, policies may have been swapped, events lost. */
static void look(struct monitor *m, int lease)
{
	uint64_t until = clock_ns(CLOCK_MONOTONIC) + LEASE_NS;
	__u32 zero = 0;

	bpf_map_update_elem(lease, &zero, &until, BPF_ANY);
	memset(m->name, 0, sizeof(m->name));
	tell_losses(m);
	fflush(stdout);
}

static int watch(struct monitor *m, int lease)
{
	struct ring_buffer *ring;
	struct mpb_steer_counts counts;
	uint64_t until = 0;
	__u32 zero = 0;
	int fd = steer_map(m->ns, "mpb_events"), err = 0;

	ring = fd < 0 ? NULL : ring_buffer__new(fd, on_event, m, NULL);
	if (!ring) {
		err = err_fail(errno, "monitor", "the events cannot be opened: %s", strerror(errno));
		goto out;
	}
	bpf_map_lookup_elem(lease, &zero, &until);
	if (until > clock_ns(CLOCK_MONOTONIC)) {
		err_hint("one at a time; after one was killed, %d s go by", (int)(LEASE_NS / 1000000000));
		err = err_fail(EBUSY, "monitor", "another one reads the events of this namespace");
		goto out;
	}
	if (!steer_counts(m->ns, &counts))
		m->untold = counts.untold;
	while (!stopped && !ferror(stdout) && steer_runs(m->ns)) {
		uint64_t next = clock_ns(CLOCK_MONOTONIC) + LOOK_MS * 1000000ULL;

		look(m, lease);
		while (!stopped && clock_ns(CLOCK_MONOTONIC) < next)
			ring_buffer__poll(ring, LOOK_MS);
	}
	until = 0;
	bpf_map_update_elem(lease, &zero, &until, BPF_ANY);
out:
	ring_buffer__free(ring);
	if (fd >= 0)
		close(fd);
	return err;
}

int cmd_monitor(const struct args *a)
{
	struct sigaction action = { .sa_handler = stop };
	struct monitor m = { .json = a->json };
	uint64_t token = 0;
	struct ns ns;
	int err = 0, lease;

	if (a->nwords > 2)
		return err_usage("monitor", "takes one token at the most");
	if (a->nwords == 2)
		err = number_parse("token", a->words[1], 1, UINT32_MAX, &token);
	if (!err)
		err = ns_enter(a->netns, &ns);
	if (err)
		return err;
	m.ns = &ns;
	m.token = token;
	lease = steer_map(&ns, "mpb_watched");
	if (lease < 0) {
		err_hint("'mptcp-bpf load minrtt', for one");
		return err_fail(ENOENT, "monitor", "no scheduler is loaded in this network namespace");
	}
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	err = watch(&m, lease);
	close(lease);
	return err;
}
