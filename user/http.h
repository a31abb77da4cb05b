/* SPDX-License-Identifier: GPL-2.0-only */
/* An HTTP server for one page, driven by the caller's loop: no thread of its own. */
#ifndef MPB_USER_HTTP_H
#define MPB_USER_HTTP_H

#include <stdbool.h>
#include <stddef.h>

struct http;

/* The body of a page, malloc'ed, for a request that takes `accept`; its type goes to *type. NULL: it cannot be made. */
typedef char *(*http_page)(const char *accept, size_t *size, const char **type, void *arg);

/* Listens on ADDRESS:PORT ([v6]:PORT) and serves `path` by GET. NULL after an error was recorded. */
struct http *http_open(const char *listen, const char *path, http_page page, void *arg);
int http_fd(const struct http *h);         /* readable when http_run() has something to do */
int http_timeout_ms(const struct http *h); /* until http_run() is due all the same; -1: never */
void http_run(struct http *h);
void http_close(struct http *h);

#endif
