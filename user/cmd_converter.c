/* SPDX-License-Identifier: GPL-2.0-only */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include "cmd.h"
#include "convert/relay.h"
#include "convert/report_convert.h"
#include "convert/serve.h"
#include "convert/service.h"
#include "convert/verbs.h"
#include "err.h"
#include "feature.h"
#include "ns.h"

#define PORT_DEFAULT 1234 /* none is assigned (RFC 8803 section 9) */
#define PORT_CLIENT 1235

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

static uint32_t threads_default(void)
{
	long cores = sysconf(_SC_NPROCESSORS_ONLN);

	return cores < 1 ? 1 : cores > SERVICE_THREADS_MAX ? SERVICE_THREADS_MAX : cores;
}

static int serve(const struct args *a)
{
	static struct serve_args s;
	struct ns ns;
	int err = 0, used;

	s.service = (struct service){ .name = "serve", .mptcp = true, .mend_window = true, .max_sessions = 100000, .handshake_ms = 20000, .idle_ms = 7440000, .grace_ms = 30000,
				      .kind = &serve_kind, .config = &s.converter };
	s.service.threads = threads_default();
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

/* `client to ADDR:PORT`: a relay of connections that were led here. */
static int client_pair(const char *key, const char *value, struct service *v, struct relay *r)
{
	int len;

	if (!strcmp(key, "to"))
		return endpoint_parse(key, value, &r->to);
	if (!strcmp(key, "listen"))
		return endpoint_parse(key, value, &v->listen);
	if (!strcmp(key, "threads"))
		return number(key, value, 1, SERVICE_THREADS_MAX, 1, &v->threads);
	if (!strcmp(key, "max"))
		return number(key, value, 1, 10000000, 1, &v->max_sessions);
	if (!strcmp(key, "cookie")) {
		len = hex_parse(key, value, r->cookie, sizeof(r->cookie));
		r->cookie_len = len < 0 ? 0 : len;
		return len < 0 ? len : 0;
	}
	if (strcmp(key, "user"))
		return err_usage(key, "not a word of 'converter client'");
	v->user = value;
	return 0;
}

static int client(const struct args *a)
{
	static struct relay r = { .mptcp = true, .lock = PTHREAD_MUTEX_INITIALIZER };
	struct service v = { .name = "client", .transparent = true, .threads = threads_default(), .max_sessions = 10000, .handshake_ms = 60000,
			     .idle_ms = 7440000, .grace_ms = 30000, .kind = &relay_kind, .config = &r };
	int err = 0;
	struct ns ns;

	v.listen = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = htons(PORT_CLIENT) };
	for (int i = 2; !err && i < a->nwords; i++) {
		if (!strcmp(a->words[i], "tcp")) {
			r.mptcp = false;
		} else if (!strcmp(a->words[i], "fastopen")) {
			r.fastopen = true;
		} else if (i + 1 == a->nwords) {
			err = err_usage(a->words[i], "not a word of 'converter client', or one that needs a value");
		} else {
			err = client_pair(a->words[i], a->words[i + 1], &v, &r);
			i++;
		}
	}
	if (!err && !r.to.sin6_port)
		err = err_usage("converter client", "needs the converter: to ADDRESS:PORT");
	if (!err && a->netns)
		err = ns_enter(a->netns, &ns);
	if (!err && r.fastopen && r.mptcp && !feature_has("mptcp_fastopen")) {
		err_hint("a kernel from 6.2 has it; without the word requests are sent behind the handshake");
		err = err_lacks("fastopen", "MPTCP sockets of this kernel send nothing in SYNs");
	}
	return err ? err : service_run(&v);
}

static int stat_words(const struct args *a, const char **kind, uint32_t *port, enum report_form *form)
{
	int err = 0;

	*kind = "serve";
	*port = 0;
	*form = a->json ? REPORT_JSON : REPORT_TEXT;
	for (int i = 2; !err && i < a->nwords; i++) {
		if (!strcmp(a->words[i], "openmetrics"))
			*form = REPORT_OPENMETRICS;
		else if (!strcmp(a->words[i], "client"))
			*kind = "client";
		else if (!strcmp(a->words[i], "port") && i + 1 < a->nwords)
			err = number("port", a->words[++i], 1, 65535, 1, port);
		else
			err = err_usage(a->words[i], "not a word of 'converter stat'");
	}
	if (!*port)
		*port = strcmp(*kind, "client") ? PORT_DEFAULT : PORT_CLIENT;
	return err;
}

static int ask(const struct args *a)
{
	enum report_form form;
	struct counters n;
	struct ns ns;
	const char *kind;
	uint32_t port;
	int err = stat_words(a, &kind, &port, &form);

	if (!err && a->netns)
		err = ns_enter(a->netns, &ns);
	if (!err)
		err = report_ask(kind, port, &n);
	if (!err)
		report_print(&n, form);
	return err;
}

int cmd_converter(const struct args *a)
{
	static const struct {
		const char *name;
		int (*run)(const struct args *a);
	} verbs[] = { { "add", converter_add }, { "del", converter_del }, { "list", converter_list }, { "serve", serve }, { "client", client }, { "stat", ask } };

	for (size_t i = 0; a->nwords > 1 && i < sizeof(verbs) / sizeof(verbs[0]); i++)
		if (!strcmp(verbs[i].name, a->words[1]))
			return verbs[i].run(a);
	return err_usage("converter", "expected add, del, list, serve, client or stat");
}
