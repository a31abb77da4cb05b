/* SPDX-License-Identifier: GPL-2.0-only */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include "cmd.h"
#include "convert/report_convert.h"
#include "convert/serve.h"
#include "convert/service.h"
#include "err.h"
#include "ns.h"

#define PORT_DEFAULT 1234 /* none is assigned (RFC 8803 section 9) */

struct serve_args {
	struct service service;
	struct converter converter;
	const char *key_file;
	uint32_t max_each;
};

static int number(const char *key, const char *value, uint64_t min, uint64_t max, uint32_t scale, uint32_t *to)
{
	uint64_t n;
	int err = number_parse(key, value, min, max, &n);

	*to = n * scale;
	return err;
}

static int serve_pair(const char *key, const char *value, struct serve_args *s)
{
	struct service *v = &s->service;

	if (!strcmp(key, "listen"))
		return endpoint_parse(key, value, &v->listen);
	if (!strcmp(key, "client"))
		return acl_add(&s->converter.clients, key, value);
	if (!strcmp(key, "dest"))
		return acl_add(&s->converter.dests, key, value);
	if (!strcmp(key, "threads"))
		return number(key, value, 1, SERVICE_THREADS_MAX, 1, &v->threads);
	if (!strcmp(key, "max"))
		return number(key, value, 1, 10000000, 1, &v->max_sessions);
	if (!strcmp(key, "max-each"))
		return number(key, value, 1, 10000000, 1, &s->max_each);
	if (!strcmp(key, "handshake"))
		return number(key, value, 1, 3600, 1000, &v->handshake_ms);
	if (!strcmp(key, "idle"))
		return number(key, value, 0, 1000000, 1000, &v->idle_ms);
	if (!strcmp(key, "grace"))
		return number(key, value, 0, 1000000, 1000, &v->grace_ms);
	if (!strcmp(key, "user"))
		v->user = value;
	else if (!strcmp(key, "cookie-key"))
		s->key_file = value;
	else
		return err_usage(key, "not a word of 'converter serve'");
	return 0;
}

/* A word, or a word and its value. Returns how many were used, or -EINVAL. */
static int serve_word(const char *const *words, int n, struct serve_args *s)
{
	const struct {
		const char *word;
		bool *to, value;
	} flags[] = { { "tcp", &s->service.mptcp, false },
		      { "mptcp-out", &s->converter.upstream_mptcp, true },
		      { "proxy-protocol", &s->converter.proxy_protocol, true },
		      { "cookies", &s->converter.cookies, true } };

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++) {
		if (!strcmp(words[0], flags[i].word)) {
			*flags[i].to = flags[i].value;
			return 1;
		}
	}
	if (n < 2)
		return err_usage(words[0], "not a word of 'converter serve', or one that needs a value");
	return serve_pair(words[0], words[1], s) ? -EINVAL : 2;
}

static int serve(const struct args *a)
{
	static struct serve_args s;
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	struct ns ns;
	int err = 0, used;

	s.service = (struct service){ .name = "serve", .mptcp = true, .max_sessions = 100000, .handshake_ms = 20000, .idle_ms = 7440000, .grace_ms = 30000,
				      .begin = serve_begin, .end = serve_end, .config = &s.converter };
	s.service.threads = cores < 1 ? 1 : cores > SERVICE_THREADS_MAX ? SERVICE_THREADS_MAX : cores;
	s.service.listen = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = htons(PORT_DEFAULT) };
	s.max_each = 1024;
	for (int i = 2; !err && i < a->nwords; i += used) {
		used = serve_word(a->words + i, a->nwords - i, &s);
		err = used < 0 ? used : 0;
	}
	s.converter.cookies |= s.key_file != NULL;
	if (!err && !s.converter.clients.n) {
		err_hint("client 192.0.2.0/24, or client 0.0.0.0/0 client ::/0 for everybody");
		err = err_usage("converter serve", "needs to know who may use it");
	}
	if (!err)
		err = cookie_key(&s.converter.key, s.key_file);
	if (!err && a->netns)
		err = ns_enter(a->netns, &ns);
	if (err)
		return err;
	s.converter.count = clients_new(s.max_each);
	err = s.converter.count ? service_run(&s.service) : err_fail(ENOMEM, "converter", "no memory");
	clients_free(s.converter.count);
	return err;
}

static int stat_words(const struct args *a, uint32_t *port, enum report_form *form)
{
	int err = 0;

	*port = PORT_DEFAULT;
	*form = a->json ? REPORT_JSON : REPORT_TEXT;
	for (int i = 2; !err && i < a->nwords; i++) {
		if (!strcmp(a->words[i], "openmetrics"))
			*form = REPORT_OPENMETRICS;
		else if (!strcmp(a->words[i], "port") && i + 1 < a->nwords)
			err = number("port", a->words[++i], 1, 65535, 1, port);
		else
			err = err_usage(a->words[i], "not a word of 'converter stat'");
	}
	return err;
}

static int ask(const struct args *a)
{
	enum report_form form;
	struct counters n;
	struct ns ns;
	uint32_t port;
	int err = stat_words(a, &port, &form);

	if (!err && a->netns)
		err = ns_enter(a->netns, &ns);
	if (!err)
		err = report_ask("serve", port, &n);
	if (!err)
		report_print(&n, form);
	return err;
}

int cmd_converter(const struct args *a)
{
	const char *what = a->nwords > 1 ? a->words[1] : "";

	if (!strcmp(what, "serve"))
		return serve(a);
	if (!strcmp(what, "stat"))
		return ask(a);
	return err_usage("converter", "expected serve or stat");
}
