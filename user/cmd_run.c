/* SPDX-License-Identifier: GPL-2.0-only */
/* The agent: services that one loop serves until it is told to end. */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "cmd.h"
#include "err.h"
#include "http.h"
#include "metrics.h"
#include "sight.h"

#define SERVICES_MAX 8

/* What the loop serves: called when `fd` can be read, or after timeout_ms() (-1: never), with the service itself. */
struct service {
	int fd;
	int (*timeout_ms)(void *self);
	void (*run)(void *self);
	void *self;
};

static volatile sig_atomic_t stopped;

static void stop(int sig)
{
	(void)sig;
	stopped = 1;
}

static int loop(const struct service *services, int n)
{
	struct pollfd fds[SERVICES_MAX];
	int soonest, ready;

	while (!stopped) {
		soonest = -1;
		for (int i = 0; i < n; i++) {
			int ms = services[i].timeout_ms(services[i].self);

			fds[i] = (struct pollfd){ .fd = services[i].fd, .events = POLLIN };
			if (ms >= 0 && (soonest < 0 || ms < soonest))
				soonest = ms;
		}
		ready = poll(fds, n, soonest);
		if (ready < 0 && errno != EINTR)
			return err_fail(errno, "run", "cannot wait: %s", strerror(errno));
		for (int i = 0; i < n && ready >= 0; i++)
			if (fds[i].revents || !ready)
				services[i].run(services[i].self);
	}
	return 0;
}

/* Whoever scrapes wants round-trip percentiles from the next scrape on. */
static char *metrics_page(const char *accept, size_t *size, const char **type, void *arg)
{
	enum metrics_format format = strstr(accept, "application/openmetrics-text") ? METRICS_OPENMETRICS : METRICS_PROMETHEUS;
	struct metrics *m = arg;
	char *body = NULL;
	FILE *to = open_memstream(&body, size);
	int err = to ? metrics_write(m, format, to) : -ENOMEM;

	if (to)
		fclose(to);
	if (err) {
		err_print(false);
		err_clear();
		free(body);
		return NULL;
	}
	watch_rtts(m->ns, 4 * WATCH_NS);
	*type = metrics_type(format);
	return body;
}

static int http_due(void *self)
{
	return http_timeout_ms(self);
}

static void http_serve(void *self)
{
	http_run(self);
}

int cmd_run(const struct args *a)
{
	struct sigaction action = { .sa_handler = stop };
	struct service services[SERVICES_MAX];
	struct metrics *metrics;
	struct http *http = NULL;
	struct ns ns;
	int n = 0, err;

	if (a->nwords > 1)
		return err_usage("run", "takes no word: '%s'", a->words[1]);
	if (!a->listen)
		return err_usage("run", "has nothing to do without --listen ADDRESS:PORT");
	err = ns_enter(a->netns, &ns);
	if (err)
		return err;
	metrics = calloc(1, sizeof(*metrics));
	if (!metrics)
		return err_fail(ENOMEM, "run", "out of memory");
	metrics->ns = &ns;
	metrics->connections = a->connections;
	http = http_open(a->listen, "/metrics", metrics_page, metrics);
	if (!http) {
		free(metrics);
		return -EINVAL;
	}
	services[n++] = (struct service){ http_fd(http), http_due, http_serve, http };
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	note("mptcp-bpf: http://%s/metrics", a->listen);
	err = loop(services, n);
	http_close(http);
	free(metrics);
	return err;
}
