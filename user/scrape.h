/* SPDX-License-Identifier: GPL-2.0-only */
/* A namespace's figures for whoever scrapes them: /metrics over HTTP, as a service of `run`. */
#ifndef MPB_SCRAPE_H
#define MPB_SCRAPE_H

#include "http.h"
#include "metrics.h"
#include "service.h"

struct scrape {
	struct metrics metrics;
	struct http *http;
};

/* Listens on ADDRESS:PORT ([v6]:PORT). Returns 0, or -errno with an error recorded. */
int scrape_start(struct scrape *s, const struct ns *ns, const char *listen, bool connections, struct service *service);
void scrape_stop(struct scrape *s);

#endif
