/* SPDX-License-Identifier: GPL-2.0-only */
/* sim - what a packet scheduler does to connections over given paths, without a network: the text of bpf/sched, linked as it is. Results are the same
 * each time for the same arguments. What is left out: delayed and lost acknowledgements, tail loss probes, segments' overhead in buffers. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "sim.h"

static struct sched_policy *policies;
static bool json;

void sched_policy(struct sched_policy *p)
{
	p->next = policies;
	policies = p;
}

static int fail(const char *what, const char *why)
{
	fprintf(stderr, "sim: %s: %s\n", what, why);
	exit(2);
}

static int usage(int status)
{
	FILE *out = status ? stderr : stdout;

	fputs("usage: sim POLICY|stock|tcp [KEY=VALUE...] --path RATE,DELAY[,KEY=VALUE...] [--path ...] [--app APP] [--seconds N]\n"
	      "           [--connections N] [--window BYTES] [--seed N] [-j]\n"
	      "  tcp      one plain subflow, over the first path\n"
	      "  path     50mbit,10ms (one way); loss=1% queue=100ms weight=1 cost=0 known=50mbit down=4s up=8s\n"
	      "  app      bulk[:BYTES], stream:RATE, request:BYTES[:GAP] (answers on one connection); bulk\n"
	      "  window   what the receiver takes at the data level: 3mb\n"
	      "policies:", out);
	for (const struct sched_policy *p = policies; p; p = p->next)
		fprintf(out, " %s", p->name);
	fputs("\n", out);
	return status;
}

static double scaled(const char *word, const char *units)
{
	double value;

	if (!parse_scaled(word, units, &value))
		fail(word, "not a number with a unit that fits here");
	return value;
}

static uint64_t rate_of(const char *word)
{
	double rate = scaled(word, "gbit\0" "125e6\0" "mbit\0" "125e3\0" "kbit\0" "125\0");

	if (rate < 1000 || rate > 1e11)
		fail(word, "not a rate: 8kbit to 100gbit");
	return rate;
}

static uint64_t time_of(const char *word)
{
	return scaled(word, "us\0" "1e3\0" "ms\0" "1e6\0" "s\0" "1e9\0");
}

static void path_add(const char *word)
{
	struct path *p = &setup.path[setup.npaths];
	char copy[256], *rest = copy, *field;
	int bare = 0;

	if (setup.npaths++ == MPB_SUBFLOWS)
		fail(word, "eight paths at the most");
	snprintf(copy, sizeof(copy), "%s", word);
	*p = (struct path){ .queue = 100 * MILLI, .down = NEVER, .up = NEVER, .weight = 1 };
	while ((field = strsep(&rest, ","))) {
		char *value = strchr(field, '=');

		if (value)
			*value++ = 0;
		if (!value && !bare++)
			p->rate = rate_of(field);
		else if (!value && bare == 2)
			p->delay = time_of(field);
		else if (value && !strcmp(field, "loss"))
			p->loss = scaled(value, "%\0" "1\0") / 100;
		else if (value && !strcmp(field, "queue"))
			p->queue = time_of(value);
		else if (value && !strcmp(field, "weight"))
			p->weight = scaled(value, "");
		else if (value && !strcmp(field, "cost"))
			p->cost = scaled(value, "");
		else if (value && !strcmp(field, "known"))
			p->known = rate_of(value);
		else if (value && !strcmp(field, "down"))
			p->down = time_of(value);
		else if (value && !strcmp(field, "up"))
			p->up = time_of(value);
		else
			fail(field, "no such setting of a path");
	}
	if (bare < 2 || p->delay < 1000)
		fail(word, "a path needs its rate and its delay: 50mbit,10ms");
}

static void tune(const char *word)
{
	const char *value = strchr(word, '=');
	unsigned int n = 0;
	uint64_t number;
	char *end;

	while (setup.policy && n < setup.policy->ntunes &&
	       (strncmp(setup.policy->tunes[n].name, word, value - word) || setup.policy->tunes[n].name[value - word]))
		n++;
	if (!setup.policy || n == setup.policy->ntunes)
		fail(word, "the policy has no such tunable");
	errno = 0;
	number = strtoull(value + 1, &end, 0);
	if (errno || end == value + 1 || *end || number < setup.policy->tunes[n].min || number > setup.policy->tunes[n].max)
		fail(word, "out of the tunable's range");
	setup.policy->tunes[n].set(number);
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

static double quantile_ms(const struct sample *s, double q)
{
	return s->n ? s->ns[(unsigned int)(q * (s->n - 1))] / 1e6 : 0;
}

static void tell_sample(const char *name, struct sample *s)
{
	if (!s->n)
		return;
	qsort(s->ns, s->n, sizeof(*s->ns), compare);
	printf(json ? ",\"%s_ms\":{\"n\":%u,\"p50\":%.2f,\"p95\":%.2f,\"p99\":%.2f,\"max\":%.2f}" :
		      "%-11s n %u  p50 %.2f  p95 %.2f  p99 %.2f  max %.2f ms\n", name, s->n, quantile_ms(s, 0.5), quantile_ms(s, 0.95),
	       quantile_ms(s, 0.99), quantile_ms(s, 1));
	free(s->ns);
}

static void tell(const char *name, const char *app, struct conn *conns)
{
	uint64_t received = 0, flips = 0, decisions = 0, retrans = 0, acked[MPB_SUBFLOWS] = {}, all = 0;

	for (unsigned int i = 0; i < setup.connections; i++) {
		received += conns[i].rcv_nxt;
		flips += conns[i].flips;
		decisions += conns[i].decisions;
		for (unsigned int k = 0; k < setup.npaths; k++) {
			acked[k] += conns[i].sf[k].view.acked;
			all += conns[i].sf[k].view.acked;
			retrans += conns[i].sf[k].retrans;
		}
	}
	printf(json ? "{\"policy\":\"%s\",\"app\":\"%s\",\"connections\":%u,\"goodput_mbps\":%.2f,\"share\":[" :
		      "%s, %s, %u connections\ngoodput     %.2f Mbit/s\nshare       ", name, app, setup.connections, received * 8e3 / setup.end);
	for (unsigned int k = 0; k < setup.npaths; k++)
		printf("%s%.4f", !k ? "" : json ? "," : " ", all ? (double)acked[k] / all : 0);
	printf(json ? "]" : "\n");
	tell_sample("delay", &delays);
	tell_sample("completion", &completions);
	printf(json ? ",\"decisions\":%llu,\"flips\":%llu,\"retransmitted\":%llu}\n" : "decisions   %llu, flips %llu, retransmitted %llu\n",
	       (unsigned long long)decisions, (unsigned long long)flips, (unsigned long long)retrans);
}

static void open_one(void *who, uint64_t a, uint64_t b)
{
	(void)a, (void)b;
	conn_open(who);
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : "", *app = "bulk";
	struct conn *conns;

	if (argc < 2 || !strcmp(name, "--help"))
		return usage(argc < 2 ? 2 : 0);
	setup = (struct setup){ .connections = 1, .end = 10 * SECOND, .window = 3000000, .policy = policies };
	while (setup.policy && strcmp(setup.policy->name, name))
		setup.policy = setup.policy->next;
	if (!setup.policy && strcmp(name, "stock") && strcmp(name, "tcp"))
		fail(name, "no such policy; --help names them");
	if (setup.policy && setup.policy->native)
		fail(name, "backup flags cannot carry it out");
	for (int i = 2; i < argc; i++) {
		const char *word = argv[i], *next = i + 1 < argc ? argv[i + 1] : NULL;

		if (!strcmp(word, "-j")) {
			json = true;
			continue;
		}
		if (word[0] != '-' && strchr(word, '=')) {
			tune(word);
			continue;
		}
		if (word[0] != '-' || !next)
			fail(word, "not understood, or its value is missing");
		i++;
		if (!strcmp(word, "--path"))
			path_add(next);
		else if (!strcmp(word, "--app"))
			app = next;
		else if (!strcmp(word, "--seconds"))
			setup.end = scaled(next, "s\0" "1\0") * SECOND;
		else if (!strcmp(word, "--connections"))
			setup.connections = scaled(next, "");
		else if (!strcmp(word, "--window"))
			setup.window = scaled(next, "kb\0" "1e3\0" "mb\0" "1e6\0");
		else if (!strcmp(word, "--seed"))
			random_seed(scaled(next, ""));
		else
			fail(word, "no such option");
	}
	if (!app_parse(app))
		fail(app, "not an application: bulk[:BYTES], stream:RATE or request:BYTES[:GAP]");
	if (!setup.npaths)
		fail("--path", "at least one is needed");
	if (!setup.end || setup.end > 3600 * SECOND || setup.window < MSS || !setup.connections || setup.connections > 100000)
		fail("sim", "1 to 100000 connections, up to an hour, a window of a segment or more");
	if (!strcmp(name, "tcp"))
		setup.npaths = 1;
	conns = calloc(setup.connections, sizeof(*conns));
	if (!conns)
		fail("sim", "out of memory");
	for (unsigned int i = 0; i < setup.connections; i++)
		at(setup.connections > 1 ? random_unit() * 100 * MILLI : 0, open_one, &conns[i], 0, 0);
	run_until(setup.end);
	tell(name, app, conns);
	for (unsigned int i = 0; i < setup.connections; i++) {
		for (unsigned int k = 0; k < setup.npaths; k++)
			free(conns[i].sf[k].seg);
		free(conns[i].held);
		free(conns[i].app);
	}
	free(conns);
	return 0;
}
