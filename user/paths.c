/* SPDX-License-Identifier: GPL-2.0-only */
#include <ctype.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <mptcp_bpf/terms.h>
#include "args.h"
#include "err.h"
#include "paths.h"
#include "rules.h"
#include "state.h"
#include "steer.h"
#include "terms.h"

#define SCALE_MAX 1000 /* of weights and costs */

void paths_read(const struct ns *ns, struct mpb_paths *p)
{
	int fd = state_map(ns, "mpb_paths");
	__u32 zero = 0;

	if (fd < 0 || bpf_map_lookup_elem(fd, &zero, p))
		memset(p, 0, sizeof(*p));
	if (fd >= 0)
		close(fd);
}

static bool paths_have_terms(const struct mpb_paths *p)
{
	for (unsigned int i = 0; i < p->n; i++)
		if (p->path[i].obey || p->path[i].ask_rate || p->path[i].ask_idle)
			return true;
	return false;
}

int paths_write(const struct ns *ns, struct mpb_paths *p)
{
	int fd = state_map(ns, "mpb_paths"), err;
	__u32 zero = 0;
	bool terms = paths_have_terms(p);
	struct mpb_paths before;

	paths_read(ns, &before);
	terms |= paths_have_terms(&before);
	p->generation++;
	err = fd < 0 || bpf_map_update_elem(fd, &zero, p, BPF_ANY) ? err_fail(errno, "paths", "cannot be written: %s", strerror(errno)) : 0;
	if (fd >= 0)
		close(fd);
	if (!err)
		err = steer_paths(ns, p->generation);
	return err || !terms ? err : terms_live(ns);
}

unsigned int paths_count(const struct ns *ns)
{
	struct mpb_paths p;

	paths_read(ns, &p);
	return p.n;
}

static const struct unit {
	const char *name;
	double bits;
} units[] = { { "gbit", 1e9 }, { "mbit", 1e6 }, { "kbit", 1e3 }, { "bit", 1 } };

/* "20mbit", "1.5gbit", "300kbit", "9600bit" to bytes per second. */
static int rate_parse(const char *what, const char *word, uint64_t *bytes)
{
	char *end;
	double n = strtod(word, &end);

	for (size_t i = 0; isdigit((unsigned char)*word) && i < sizeof(units) / sizeof(units[0]); i++) {
		if (strcmp(end, units[i].name))
			continue;
		n *= units[i].bits / 8;
		if (n < 1000 || n > 1e12 / 8)
			break;
		*bytes = n;
		return 0;
	}
	return err_usage(what, "'%s' is not a rate in 8kbit..1000gbit, like 20mbit", word);
}

const char *rate_text(uint64_t bytes, char buf[24])
{
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		if (bytes * 8.0 < units[i].bits)
			continue;
		snprintf(buf, 24, "%.6g%s", bytes * 8.0 / units[i].bits, units[i].name);
		return buf;
	}
	return "0bit";
}

/* "60s", "5m", "2h". */
static int idle_parse(const char *what, const char *word, __u16 *seconds)
{
	static const struct { const char *name; unsigned int s; } spans[] = { { "s", 1 }, { "m", 60 }, { "h", 3600 } };
	char *end;
	unsigned long n = strtoul(word, &end, 10);

	for (size_t i = 0; isdigit((unsigned char)*word) && i < sizeof(spans) / sizeof(spans[0]); i++) {
		if (strcmp(end, spans[i].name))
			continue;
		if (n > MPB_TERMS_IDLE_MAX || n * spans[i].s < MPB_TERMS_IDLE_MIN || n * spans[i].s > MPB_TERMS_IDLE_MAX)
			break;
		*seconds = n * spans[i].s;
		return 0;
	}
	return err_usage(what, "'%s' is not a time in %ds..%ds, like 60s, 5m or 2h", word, MPB_TERMS_IDLE_MIN, MPB_TERMS_IDLE_MAX);
}

static int scale_parse(const char *key, const char *value, __u32 *to)
{
	uint64_t n;
	int err = number_parse(key, value, 0, SCALE_MAX, &n);

	*to = n;
	return err;
}

static int names_parse(const char *key, const char *value, struct mpb_path *p)
{
	uint64_t n;

	if (!strcmp(key, "dev")) {
		p->by = MPB_PATH_DEV;
		p->ifindex = if_nametoindex(value);
		return p->ifindex ? 0 : err_fail(ENODEV, value, "no such device here");
	}
	if (!strcmp(key, "from")) {
		p->by = MPB_PATH_FROM;
		return prefix_parse(key, value, p->from, &p->from_bits);
	}
	if (!strcmp(key, "id")) {
		p->by = MPB_PATH_ID;
		if (number_parse(key, value, 0, 255, &n))
			return -EINVAL;
		p->id = n;
		return 0;
	}
	return err_usage(key, "expected dev IF, from PREFIX or id N");
}

int path_parse(const char *const *words, int n, struct mpb_path *path)
{
	uint64_t rate = 0, ask = 0, obey = 0;
	int err;

	memset(path, 0, sizeof(*path));
	path->weight = 1;
	if (n < 2)
		return err_usage("path", "needs dev IF, from PREFIX or id N");
	err = names_parse(words[0], words[1], path);
	for (int i = 2; !err && i < n; i += 2) {
		if (i + 1 == n)
			err = err_usage(words[i], "needs a value");
		else if (!strcmp(words[i], "weight"))
			err = scale_parse(words[i], words[i + 1], &path->weight);
		else if (!strcmp(words[i], "cost"))
			err = scale_parse(words[i], words[i + 1], &path->cost);
		else if (!strcmp(words[i], "rate"))
			err = rate_parse(words[i], words[i + 1], &rate);
		else if (!strcmp(words[i], "ask-rate"))
			err = rate_parse(words[i], words[i + 1], &ask);
		else if (!strcmp(words[i], "ask-idle"))
			err = idle_parse(words[i], words[i + 1], &path->ask_idle);
		else if (!strcmp(words[i], "obey"))
			err = rate_parse(words[i], words[i + 1], &obey);
		else
			err = err_usage(words[i], "not a word of a path: weight, cost, rate, ask-rate, ask-idle or obey");
	}
	path->rate = rate;
	path->ask_rate = mpb_terms_rate(ask / 125);
	path->obey = obey;
	return err;
}

static int order(const struct mpb_path *a, const struct mpb_path *b)
{
	return a->by != b->by ? a->by - b->by : a->from_bits - b->from_bits;
}

int paths_find(const struct mpb_paths *p, const struct mpb_path *path)
{
	for (unsigned int i = 0; i < p->n; i++) {
		const struct mpb_path *q = &p->path[i];

		if (!order(q, path) && q->ifindex == path->ifindex && q->id == path->id && !memcmp(q->from, path->from, sizeof(q->from)))
			return i;
	}
	return -1;
}

int paths_add(struct mpb_paths *p, const struct mpb_path *path)
{
	unsigned int at = 0;
	int same = paths_find(p, path);

	if (same >= 0) { /* says it anew */
		p->path[same] = *path;
		return 0;
	}
	if (p->n == MPB_PATHS_MAX)
		return err_fail(ENOSPC, "paths", "at most %d", MPB_PATHS_MAX);
	while (at < p->n && order(&p->path[at], path) <= 0)
		at++;
	memmove(&p->path[at + 1], &p->path[at], (p->n - at) * sizeof(*path));
	p->path[at] = *path;
	p->n++;
	return 0;
}

void paths_del(struct mpb_paths *p, unsigned int i)
{
	memmove(&p->path[i], &p->path[i + 1], (p->n - i - 1) * sizeof(p->path[0]));
	memset(&p->path[--p->n], 0, sizeof(p->path[0]));
}

json_t *path_json(const struct mpb_path *p)
{
	char text[64], name[IF_NAMESIZE];
	json_t *o = json_object();

	if (p->by == MPB_PATH_DEV)
		json_object_set_new(o, "dev", json_string(if_indextoname(p->ifindex, name) ? name : "?"));
	if (p->by == MPB_PATH_FROM) {
		prefix_text(text, sizeof(text), p->from, p->from_bits);
		json_object_set_new(o, "from", json_string(text));
	}
	if (p->by == MPB_PATH_ID)
		json_object_set_new(o, "id", json_integer(p->id));
	json_object_set_new(o, "weight", json_integer(p->weight));
	json_object_set_new(o, "cost", json_integer(p->cost));
	if (p->rate)
		json_object_set_new(o, "rate_bps", json_integer(p->rate * 8));
	if (p->ask_rate)
		json_object_set_new(o, "ask_rate_bps", json_integer(mpb_terms_kbit(p->ask_rate) * 1000));
	if (p->ask_idle)
		json_object_set_new(o, "ask_idle_s", json_integer(p->ask_idle));
	if (p->obey)
		json_object_set_new(o, "obey_bps", json_integer(p->obey * 8));
	return o;
}
