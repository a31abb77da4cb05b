/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <mptcp_bpf/rule.h>
#include "err.h"
#include "event.h"
#include "filter.h"
#include "rules.h"

static int parse_sort(const char *word, enum sort_key *sort)
{
	static const char *const words[] = { [SORT_TOKEN] = "token", [SORT_AGE] = "age", [SORT_BYTES] = "bytes", [SORT_RATE] = "rate", [SORT_RTT] = "rtt" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (!strcmp(word, words[i])) {
			*sort = i;
			return 0;
		}
	}
	return err_usage("sort", "'%s' is not token, age, bytes, rate or rtt", word);
}

static int parse_events(const char *list)
{
	while (*list) {
		size_t n = strcspn(list, ",");
		char word[32] = "";

		if (n < sizeof(word))
			memcpy(word, list, n);
		if (!event_is_word(word)) {
			err_hint("they are decision, born, joined, refused, closed, stale, recovered, fallback, announced, echoed, removed, priority, fail, "
				 "fastclose, reset, swap, full, lost, converter");
			return err_usage("event", "'%.*s' is no event", (int)(n < 40 ? n : 40), list);
		}
		list += n + (list[n] == ',');
	}
	return 0;
}

int filter_parse(const struct args *a, unsigned int keys, struct filter *f)
{
	const struct {
		const char *name;
		unsigned int key;
		const char **value;
	} words[] = {
		{ "dev", FILTER_DEV, &f->dev },       { "peer", FILTER_PEER, NULL }, { "state", FILTER_STATE, &f->state },
		{ "sched", FILTER_SCHED, &f->sched }, { "sort", FILTER_SORT, NULL }, { "event", FILTER_EVENT, &f->events },
	};
	const size_t n = sizeof(words) / sizeof(words[0]);

	memset(f, 0, sizeof(*f));
	for (int i = 1; i < a->nwords; i++) {
		const char *word = a->words[i], *value;
		uint64_t token;
		size_t k = 0;

		if (isdigit((unsigned char)*word) && !f->token) {
			if (number_parse("token", word, 1, UINT32_MAX, &token))
				return -EINVAL;
			f->token = token;
			continue;
		}
		while (k < n && (!(keys & words[k].key) || strcmp(word, words[k].name)))
			k++;
		if (k == n)
			return err_usage(a->words[0], "'%s' is neither a token nor a word that it knows; see 'mptcp-bpf %s --help'", word, a->words[0]);
		if (i + 1 == a->nwords)
			return err_usage(word, "needs a value");
		value = a->words[++i];
		if (words[k].value)
			*words[k].value = value;
		if (words[k].key == FILTER_PEER) {
			f->by_peer = true;
			if (prefix_parse("peer", value, f->peer, &f->peer_bits))
				return -EINVAL;
		}
		if ((words[k].key == FILTER_SORT && parse_sort(value, &f->sort)) || (words[k].key == FILTER_EVENT && parse_events(value)))
			return -EINVAL;
	}
	return 0;
}

static bool peer_matches(const struct filter *f, const struct mpb_tuple *t)
{
	return !f->by_peer || mpb_prefix_match(t->daddr, f->peer, f->peer_bits);
}

bool filter_conn(const struct filter *f, const struct conn_view *c)
{
	if ((f->token && c->token != f->token) || (f->state && strcasecmp(f->state, tcp_state_word(c->state))) || (f->sched && strcmp(f->sched, c->sched)))
		return false;
	for (int i = 0; i < c->nsubflows; i++)
		if ((!f->dev || !strcmp(f->dev, c->subflows[i].dev)) && peer_matches(f, &c->subflows[i].snap->tuple))
			return true;
	return false;
}

bool filter_ended(const struct filter *f, const struct ended_view *e)
{
	if ((f->token && e->token != f->token) || (f->state && strcasecmp(f->state, "CLOSE")) || f->sched || f->dev)
		return false;
	for (int i = 0; i < e->n; i++)
		if (peer_matches(f, &e->subflows[i].tuple))
			return true;
	return false;
}

static bool is_listed(const char *list, const char *word)
{
	for (size_t n; *list; list += n + (list[n] == ',')) {
		n = strcspn(list, ",");
		if (strlen(word) == n && !strncmp(list, word, n))
			return true;
	}
	return false;
}

bool filter_event(const struct filter *f, const char *word, const struct mpb_event *e)
{
	const struct mpb_tuple *t = !e ? NULL : e->kind == MPB_EV_DECISION ? ((const struct mpb_decided *)e)->tuple : &e->tuple;

	if (f->events && !is_listed(f->events, word))
		return false;
	return e ? (!f->token || e->token == f->token) && peer_matches(f, t) : !f->token && !f->by_peer;
}

static uint64_t weight(const struct conn_view *c, enum sort_key sort)
{
	uint64_t n = 0;

	if (sort == SORT_AGE)
		return c->age_ms > 0 ? c->age_ms : 0;
	if (sort == SORT_BYTES)
		return c->bytes_sent + c->bytes_received;
	for (int i = 0; i < c->nsubflows; i++) {
		const struct subflow_view *v = &c->subflows[i];

		if (sort == SORT_RATE)
			n += v->since.sent + v->since.received;
		else if (v->snap->srtt_us > n)
			n = v->snap->srtt_us;
	}
	return n;
}

static int by_weight(const void *a, const void *b, void *sort)
{
	uint64_t x = weight(a, *(enum sort_key *)sort), y = weight(b, *(enum sort_key *)sort);

	return x < y ? 1 : x > y ? -1 : 0;
}

void filter_sort(const struct filter *f, struct conns *c)
{
	enum sort_key sort = f->sort;

	if (sort != SORT_TOKEN && c->n)
		qsort_r(c->list, c->n, sizeof(*c->list), by_weight, &sort);
}
