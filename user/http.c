/* SPDX-License-Identifier: GPL-2.0-only */
#include <arpa/inet.h>
#include <errno.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "args.h"
#include "err.h"
#include "http.h"

#define CONNECTIONS_MAX 16
#define IDLE_S 10

struct http {
	struct MHD_Daemon *daemon;
	const char *path;
	http_page page;
	void *arg;
};

static enum MHD_Result say(struct MHD_Connection *c, unsigned int status, const char *text)
{
	struct MHD_Response *r = MHD_create_response_from_buffer(strlen(text), (void *)text, MHD_RESPMEM_PERSISTENT);
	enum MHD_Result queued = MHD_queue_response(c, status, r);

	MHD_destroy_response(r);
	return queued;
}

static enum MHD_Result answer(void *arg, struct MHD_Connection *c, const char *url, const char *method, const char *version, const char *upload, size_t *size,
			      void **state)
{
	const char *accept = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Accept"), *type;
	struct MHD_Response *r;
	enum MHD_Result queued;
	struct http *h = arg;
	size_t length;
	char *body;

	(void)version;
	(void)upload;
	(void)size;
	(void)state;
	if (strcmp(method, "GET") && strcmp(method, "HEAD"))
		return say(c, MHD_HTTP_METHOD_NOT_ALLOWED, "GET only\n");
	if (strcmp(url, h->path))
		return say(c, MHD_HTTP_NOT_FOUND, "not here\n");
	body = h->page(accept ? accept : "", &length, &type, h->arg);
	if (!body)
		return say(c, MHD_HTTP_INTERNAL_SERVER_ERROR, "failed\n");
	r = MHD_create_response_from_buffer(length, body, MHD_RESPMEM_MUST_FREE);
	MHD_add_response_header(r, "Content-Type", type);
	queued = MHD_queue_response(c, MHD_HTTP_OK, r);
	MHD_destroy_response(r);
	return queued;
}

static int parse(const char *listen, struct sockaddr_storage *sa)
{
	const char *colon = strrchr(listen, ':');
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)sa;
	struct sockaddr_in *v4 = (struct sockaddr_in *)sa;
	char host[INET6_ADDRSTRLEN + 2] = "";
	uint64_t port;

	memset(sa, 0, sizeof(*sa));
	if (!colon || colon == listen || (size_t)(colon - listen) >= sizeof(host))
		return err_usage("--listen", "'%s' is not ADDRESS:PORT", listen);
	memcpy(host, listen, colon - listen);
	if (number_parse("--listen", colon + 1, 1, 65535, &port))
		return -EINVAL;
	if (host[0] == '[' && host[strlen(host) - 1] == ']') {
		host[strlen(host) - 1] = 0;
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons(port);
		if (inet_pton(AF_INET6, host + 1, &v6->sin6_addr) == 1)
			return 0;
	}
	v4->sin_family = AF_INET;
	v4->sin_port = htons(port);
	return inet_pton(AF_INET, host, &v4->sin_addr) == 1 ? 0 : err_usage("--listen", "'%s' is not ADDRESS:PORT with an IPv4 address or an [IPv6] one", listen);
}

/* libmicrohttpd makes the socket else, and says nothing of why it could not. */
static int listen_on(const char *listen_at)
{
	struct sockaddr_storage sa;
	int fd, one = 1;

	if (parse(listen_at, &sa))
		return -EINVAL;
	fd = socket(sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (fd < 0 || bind(fd, (struct sockaddr *)&sa, sa.ss_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6)) || listen(fd, 16)) {
		int err = err_fail(errno, "--listen", "%s: %s", listen_at, strerror(errno));

		if (fd >= 0)
			close(fd);
		return err;
	}
	return fd;
}

struct http *http_open(const char *listen, const char *path, http_page page, void *arg)
{
	struct http *h = calloc(1, sizeof(*h));
	int fd = listen_on(listen);

	if (!h || fd < 0) {
		free(h);
		return NULL;
	}
	*h = (struct http){ .path = path, .page = page, .arg = arg };
	h->daemon = MHD_start_daemon(MHD_USE_EPOLL, 0, NULL, NULL, answer, h, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_CONNECTION_LIMIT, CONNECTIONS_MAX,
				     MHD_OPTION_CONNECTION_TIMEOUT, IDLE_S, MHD_OPTION_END);
	if (h->daemon)
		return h;
	err_fail(EIO, "--listen", "%s: the HTTP server does not start", listen);
	close(fd);
	free(h);
	return NULL;
}

int http_fd(const struct http *h)
{
	return MHD_get_daemon_info(h->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
}

int http_timeout_ms(const struct http *h)
{
	MHD_UNSIGNED_LONG_LONG ms;

	return MHD_get_timeout(h->daemon, &ms) == MHD_YES ? (int)(ms < 60000 ? ms : 60000) : -1;
}

void http_run(struct http *h)
{
	MHD_run(h->daemon);
}

void http_close(struct http *h)
{
	if (!h)
		return;
	MHD_stop_daemon(h->daemon);
	free(h);
}
