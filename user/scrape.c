/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "err.h"
#include "scrape.h"
#include "sight.h"

/* Whoever scrapes wants round-trip percentiles from the next scrape on. */
static char *page(const char *accept, size_t *size, const char **type, void *arg)
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

static int ready(void *http)
{
	http_run(http);
	return 0;
}

static int due(const void *http)
{
	return http_timeout_ms(http);
}

int scrape_start(struct scrape *s, const struct ns *ns, const char *listen, bool connections, struct service *service)
{
	s->metrics.ns = ns;
	s->metrics.connections = connections;
	s->http = http_open(listen, "/metrics", page, &s->metrics);
	if (!s->http)
		return -EINVAL;
	*service = (struct service){ http_fd(s->http), ready, s->http, due };
	note("mptcp-bpf: http://%s/metrics", listen);
	return 0;
}

void scrape_stop(struct scrape *s)
{
	if (s->http)
		http_close(s->http);
}
