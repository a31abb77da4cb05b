/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <mptcp_bpf/option.h>
#include <mptcp_bpf/steer.h>
#include "event.h"
#include "out.h"
#include "scheduler.h"
#include "sight.h"
#include "tuple.h"

static const char *const kinds[] = {
#define X(id, word) [id] = word,
	MPB_EVENTS(X)
#undef X
};

/* Of signals, by subtype; announcements are told apart by their echo bit. */
static const char *const signals[MPB_SIGNALS] = { "capable", "join", "dss", "announced", "removed", "priority", "fail", "fastclose", "reset" };
#define ECHOED "echoed"

static bool is_echo(const struct mpb_event *e)
{
	return e->subtype == MPTCP_ADD_ADDR && e->value & MPTCP_ADD_ADDR_ECHO;
}

const char *event_word(const struct mpb_event *e)
{
	if (e->kind >= MPB_EV_MAX)
		return "unknown";
	if (e->kind != MPB_EV_SIGNAL || e->subtype >= MPB_SIGNALS)
		return kinds[e->kind];
	return is_echo(e) ? ECHOED : signals[e->subtype];
}

bool event_is_word(const char *word)
{
	static const char *const others[] = { ECHOED, "swap", "full", "lost", "converter" };

	for (size_t i = 0; i < MPB_EV_MAX; i++)
		if (!strcmp(word, kinds[i]))
			return true;
	for (size_t i = MPTCP_ADD_ADDR; i < MPB_SIGNALS; i++)
		if (!strcmp(word, signals[i]))
			return true;
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		if (!strcmp(word, others[i]))
			return true;
	return false;
}

static uint64_t wall_ns(uint64_t monotonic)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec * 1000000000ULL + t.tv_nsec - monotonic_ns() + monotonic;
}

static void clock_text(uint64_t monotonic)
{
	uint64_t ns = wall_ns(monotonic);
	time_t second = ns / 1000000000;
	char text[16];
	struct tm tm;

	strftime(text, sizeof(text), "%H:%M:%S", localtime_r(&second, &tm));
	printf("%s.%06u ", text, (unsigned int)(ns % 1000000000 / 1000));
}

static json_t *head_json(const char *word, uint64_t ns, uint32_t token)
{
	json_t *o = json_pack("{s:s,s:I}", "event", word, "time_ns", (json_int_t)wall_ns(ns));
	char text[16];

	if (token) {
		snprintf(text, sizeof(text), "0x%08x", token);
		json_object_set_new(o, "token", json_string(text));
	}
	return o;
}

static const char *sched_name(struct teller *t, uint32_t slot)
{
	char *name = t->sched[slot % MPB_SLOTS];

	if (!*name)
		scheduler_name(t->ns, slot, name);
	return name;
}

static json_t *set_json(const struct mpb_decided *d, mpb_set set)
{
	json_t *array = json_array();
	char text[128];

	for (int i = 0; i < MPB_SUBFLOWS; i++) {
		if (!(set & d->used & mpb_bit(i)))
			continue;
		tuple_path(&d->tuple[i], text, sizeof(text));
		json_array_append_new(array, json_string(text));
	}
	return array;
}

/* + for a subflow that may carry data from now on, - for one that may not any more; the others of the set plain. */
static void decided(struct teller *t, const struct mpb_decided *d, json_t *o)
{
	char text[128];

	if (o) {
		json_object_set_new(o, "sched", json_string(sched_name(t, d->slot)));
		json_object_set_new(o, "reason", json_string(why_word(d->why)));
		json_object_set_new(o, "before", set_json(d, d->before));
		json_object_set_new(o, "after", set_json(d, d->after));
		return;
	}
	printf("%s:", sched_name(t, d->slot));
	for (int i = 0; i < MPB_SUBFLOWS; i++) {
		bool was = d->before & mpb_bit(i), is = d->after & mpb_bit(i);

		if (!(d->used & mpb_bit(i)) || (!was && !is))
			continue;
		tuple_path(&d->tuple[i], text, sizeof(text));
		printf(" %s%s", was && is ? "" : is ? "+" : "-", text);
	}
	printf(" (%s)", why_word(d->why));
}

static void ended(const struct mpb_past *p, json_t *o)
{
	char cause[128], sent[16], received[16], retrans[16];

	past_cause(p, cause, sizeof(cause));
	if (o) {
		json_object_set_new(o, "cause", json_string(cause));
		json_object_set_new(o, "age_ms", json_integer((p->ended_ns - p->born_ns) / 1000000));
		json_object_set_new(o, "bytes_sent", json_integer(p->bytes_sent));
		json_object_set_new(o, "bytes_acked", json_integer(p->bytes_acked));
		json_object_set_new(o, "bytes_retrans", json_integer(p->bytes_retrans));
		json_object_set_new(o, "bytes_received", json_integer(p->bytes_received));
	} else if (past_is_refused(p)) {
		printf(": %s", cause);
	} else {
		printf(": %s; sent %sB, retransmitted %sB, received %sB in %.1f s", cause, out_human(p->bytes_sent, sent),
		       out_human(p->bytes_retrans, retrans), out_human(p->bytes_received, received), (p->ended_ns - p->born_ns) / 1e9);
	}
}

/* Who changed a priority or announced an address: what comes in is the peer's, what goes out is this end's path manager's. Our own changes are decisions. */
static void signalled(const struct mpb_event *e, json_t *o)
{
	const char *by = e->dir == MPB_IN ? "peer" : "path manager";

	if (o) {
		json_object_set_new(o, "by", json_string(by));
		if (e->subtype == MPTCP_PRIO)
			json_object_set_new(o, "backup", json_boolean(e->value & MPTCP_PRIO_BACKUP));
		else if (e->subtype == MPTCP_TCPRST)
			json_object_update_new(o, json_pack("{s:s,s:b}", "reason", rst_word(e->id), "transient", e->value & MPTCP_TCPRST_TRANSIENT));
		else if (e->subtype == MPTCP_ADD_ADDR || e->subtype == MPTCP_REMOVE_ADDR)
			json_object_set_new(o, "address_id", json_integer(e->id));
		return;
	}
	if (e->subtype == MPTCP_PRIO)
		printf(" %s", e->value & MPTCP_PRIO_BACKUP ? "backup" : "not backup");
	else if (e->subtype == MPTCP_TCPRST)
		printf(": %s%s", rst_word(e->id), e->value & MPTCP_TCPRST_TRANSIENT ? ", transient" : "");
	else if (e->subtype == MPTCP_ADD_ADDR || e->subtype == MPTCP_REMOVE_ADDR)
		printf(" address ID %u", e->id);
	printf(" by the %s", by);
}

static void of_subflow(const struct mpb_event *e, size_t size, json_t *o)
{
	char text[128];

	tuple_path(&e->tuple, text, sizeof(text));
	if (o) {
		char local[64], remote[64];

		tuple_local(&e->tuple, local, sizeof(local));
		tuple_remote(&e->tuple, remote, sizeof(remote));
		json_object_set_new(o, "local", json_string(local));
		json_object_set_new(o, "remote", json_string(remote));
		json_object_set_new(o, "local_id", json_integer(e->local_id));
		json_object_set_new(o, "remote_id", json_integer(e->remote_id));
		if (e->us)
			json_object_set_new(o, "latency_us", json_integer(e->us));
	} else {
		printf("%s %s", event_word(e), text);
		if (e->us)
			printf(" in %.2f ms", e->us / 1000.0);
	}
	if (e->kind == MPB_EV_SIGNAL)
		signalled(e, o);
	else if (e->kind == MPB_EV_FALLBACK && o)
		json_object_set_new(o, "cause", json_string(fallback_word(e->value)));
	else if (e->kind == MPB_EV_FALLBACK)
		printf(" to TCP: %s", fallback_word(e->value));
	else if (size >= sizeof(struct mpb_ended))
		ended(&((const struct mpb_ended *)e)->past, o);
}

void event_tell(struct teller *t, const struct mpb_event *e, size_t size)
{
	json_t *o = t->json ? head_json(event_word(e), e->ns, e->token) : NULL;

	if (!o) {
		clock_text(e->ns);
		printf("0x%08x ", e->token);
	}
	if (e->kind == MPB_EV_DECISION && size >= sizeof(struct mpb_decided))
		decided(t, (const struct mpb_decided *)e, o);
	else
		of_subflow(e, size, o);
	if (o)
		out_json(o);
	else
		putchar('\n');
	json_decref(o);
}

void event_tell_other(struct teller *t, const char *word, json_t *o, const char *fmt, ...)
{
	json_t *line;
	va_list ap;

	if (t->json) {
		line = head_json(word, monotonic_ns(), 0);
		json_object_update(line, o);
		out_json(line);
		json_decref(line);
	} else {
		clock_text(monotonic_ns());
		va_start(ap, fmt);
		vprintf(fmt, ap);
		va_end(ap);
		putchar('\n');
	}
	json_decref(o);
}
