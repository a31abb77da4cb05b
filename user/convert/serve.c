/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include "message.h"
#include "serve.h"
#include "uapi.h"
#include "upstream.h"

static const struct converter *config(const struct session *s)
{
	return s->loop->config;
}

/* Until the client's key has come a passive fast-open MPTCP socket must not be written to (seen on Linux 6.18). What is written in SYN_RECV waits until the
 * client acknowledges data (mptcp_subflow_get_send()), which it never does if the destination is to speak first. And once the client has got a mapping it
 * repeats its key no more, though the segments that had it may be lost: then this side falls back to TCP alone (check_fully_established()), takes each
 * reinjection for new bytes, and is never told of the end. */
static bool client_is_heard(struct session *s)
{
	bool has_key;

	if (!s->heard) {
		s->fallen = !socket_is_mptcp(s->client, &has_key);
		s->heard = s->fallen || has_key;
	}
	return s->heard;
}

/* A socket's send buffer holds the longest message many times, so less than all of it means that the connection is broken. */
static enum step answering(struct session *s)
{
	if (!client_is_heard(s))
		return s->failed ? STEP_RESET : STEP_LOOK;
	return send(s->client, s->buf, s->have, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)s->have ? s->then : STEP_RESET;
}

/* Its place is the request's, which has been understood. */
static enum step answer(struct session *s, const struct message *m, enum step then)
{
	memcpy(s->buf, m->bytes, m->len);
	s->have = m->len;
	s->then = then;
	s->step = answering;
	return answering(s);
}

static enum step fail(struct session *s, enum mpb_convert_code code, const void *value, uint32_t len)
{
	struct message m;

	COUNT(s->loop, error[code]);
	message_begin(&m);
	message_error(&m, code, value, len);
	return answer(s, &m, STEP_DRAIN);
}

static enum step fail_echo(struct session *s, enum mpb_convert_code code)
{
	struct message m;

	COUNT(s->loop, error[code]);
	message_begin(&m);
	message_error_echo(&m, code, s->buf, s->want);
	return answer(s, &m, STEP_DRAIN);
}

/* Errors that may pass: the client waits for as many seconds, 30 for a zero, before it uses the converter again (section 6.2.8). Whom one destination keeps
 * waiting need not wait for the others. */
static const uint8_t delay = 1;

/* What kept the destination from being connected, as the client is told. */
static enum step unreachable(struct session *s, int err)
{
	static const struct {
		int err;
		uint8_t icmp; /* what ICMP would say (RFC 792, RFC 1812) */
	} icmp[] = { { ENETUNREACH, 0 }, { EHOSTUNREACH, 1 }, { EHOSTDOWN, 7 }, { EACCES, 13 }, { EPERM, 13 } };
	int told = s->server < 0 ? -1 : upstream_icmp(s->server);
	uint8_t code = told;

	if (told >= 0)
		return fail(s, CONVERT_destination_unreachable, &code, 1);
	if (err == ECONNREFUSED || err == ECONNRESET)
		return fail(s, CONVERT_connection_reset, NULL, 0);
	for (size_t i = 0; i < sizeof(icmp) / sizeof(icmp[0]); i++)
		if (icmp[i].err == err)
			return fail(s, CONVERT_destination_unreachable, &icmp[i].icmp, 1);
	return fail(s, err == ETIMEDOUT ? CONVERT_network_failure : CONVERT_resource_exceeded, &delay, 1);
}

/* The client's address and the destination's, PROXY protocol version 2: binary, 12 bytes of signature, command, family, length, addresses, ports. */
static bool proxy_header(struct session *s)
{
	uint8_t h[16 + 36] = "\r\n\r\n\0\r\nQUIT\n\x21";
	bool v4 = IN6_IS_ADDR_V4MAPPED(&s->peer.sin6_addr) && IN6_IS_ADDR_V4MAPPED((struct in6_addr *)s->dest);
	size_t from = v4 ? 12 : 0, n = v4 ? 4 : 16, len = 16 + 2 * n + 4;

	h[13] = v4 ? 0x11 : 0x21;
	h[15] = 2 * n + 4;
	memcpy(h + 16, (uint8_t *)&s->peer.sin6_addr + from, n);
	memcpy(h + 16 + n, (uint8_t *)s->dest + from, n);
	memcpy(h + 16 + 2 * n, &s->peer.sin6_port, 2);
	memcpy(h + 18 + 2 * n, &s->dest_port, 2);
	return send(s->server, h, len, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)len;
}

/* The kinds of TCP options that a Connect may have; those that every TCP has are not named (section 6.2.4). */
static void tell_supported(struct message *m)
{
	uint8_t v[2 + sizeof(upstream_kinds)] = {}, n = 2;

	for (size_t i = 0; i < sizeof(upstream_kinds); i++)
		if (upstream_kinds[i] > MPB_TCPOPT_MSS)
			v[n++] = upstream_kinds[i];
	message_add(m, CONVERT_SUPPORTED, v, n);
}

/* What the client has sent behind its request, as far as it was read with it. A new socket takes all of it. */
static bool pass_surplus(struct session *s)
{
	uint32_t n = s->have - s->want;

	if (n && send(s->server, s->buf + s->want, n, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)n)
		return false;
	__atomic_fetch_add(&s->loop->n.bytes_up, n, __ATOMIC_RELAXED);
	return true;
}

static enum step connecting(struct session *s)
{
	socklen_t len = sizeof(int);
	struct message m;
	int err = 0;

	if (s->told & (EPOLLERR | EPOLLHUP) && (getsockopt(s->server, SOL_SOCKET, SO_ERROR, &err, &len) || err))
		return unreachable(s, err ? err : errno);
	if (!(s->told & EPOLLOUT))
		return STEP_WAIT;
	upstream_settled(s->server, s->dest);
	if ((config(s)->proxy_protocol && !proxy_header(s)) || !pass_surplus(s))
		return STEP_RESET;
	message_begin(&m);
	if (s->info)
		tell_supported(&m);
	if (s->extended)
		upstream_header(s->server, &m);
	return answer(s, &m, STEP_RELAY);
}

/* May it go there? The address that the client has reached is no destination, whatever the list says; the host's other ones and private ones are if it does. */
static bool allowed(const struct session *s)
{
	const struct converter *c = config(s);
	struct sockaddr_in6 own = {};
	socklen_t len = sizeof(own);

	if (!getsockname(s->client, (struct sockaddr *)&own, &len) && !memcmp(&own.sin6_addr, s->dest, 16))
		return false;
	return c->dests.n ? acl_has(&c->dests, s->dest) : !addr_is_private(s->dest) && !addr_is_local(s->dest);
}

static enum step connect_to(struct session *s, const struct mpb_convert_msg *req)
{
	struct mpb_convert_connect c;
	uint8_t bad[16] = {};
	int n;

	memcpy(&c, s->buf + req->connect, sizeof(c));
	memcpy(s->dest, c.addr, sizeof(s->dest));
	s->dest_port = c.port;
	if (addr_is_no_host(s->dest) || !c.port)
		return fail_echo(s, CONVERT_malformed_message);
	if (!allowed(s))
		return fail(s, CONVERT_not_authorized, NULL, 0);
	n = upstream_unsupported(s->buf + req->options, req->options_len, bad);
	if (n)
		return fail(s, CONVERT_unsupported_option, bad, n);
	s->extended = req->options_len;
	s->server = upstream_connect(s->dest, c.port, s->buf + req->options, req->options_len, config(s)->upstream_mptcp, bad);
	if (*bad)
		return fail(s, CONVERT_unsupported_option, bad, 1);
	if (s->server < 0)
		return unreachable(s, -s->server);
	if (session_watch_server(s))
		return fail(s, CONVERT_resource_exceeded, NULL, 0);
	s->step = connecting;
	return STEP_WAIT;
}

/* The answer to Info is the reply's only content; the client closes then, or sends nothing more that is understood. */
static enum step tell(struct session *s)
{
	struct message m;

	message_begin(&m);
	tell_supported(&m);
	return answer(s, &m, STEP_DRAIN);
}

static enum step understand(struct session *s)
{
	const __be32 *peer = (const __be32 *)&s->peer.sin6_addr;
	const struct converter *c = config(s);
	uint8_t cookie[1 + COOKIE_LEN] = {};
	struct mpb_convert_msg req;
	int verdict = mpb_convert_parse(s->buf, s->want, MPB_CONVERT_REQUESTS, &req);

	if (verdict == MPB_CONVERT_OK && !(req.seen & (1U << CONVERT_CONNECT | 1U << CONVERT_INFO)))
		verdict = CONVERT_malformed_message;
	if (verdict != MPB_CONVERT_OK)
		return fail_echo(s, verdict);
	if (!acl_has(&c->clients, peer))
		return fail(s, CONVERT_not_authorized, NULL, 0);
	s->info = req.seen & 1U << CONVERT_INFO;
	if (s->info)
		COUNT(s->loop, info);
	if (!req.connect)
		return tell(s);
	if (c->cookies && !(req.seen & 1U << CONVERT_COOKIE)) {
		cookie_make(&c->key, peer, cookie + 1);
		return fail(s, CONVERT_missing_cookie, cookie, sizeof(cookie));
	}
	if (c->cookies && !cookie_holds(&c->key, peer, s->buf + req.cookie, req.cookie_len))
		return fail(s, CONVERT_not_authorized, NULL, 0);
	return connect_to(s, &req);
}

/* Mostly all of it is there at once, and maybe the first bytes for the destination behind it. */
static enum step requested(struct session *s)
{
	static const uint8_t versions[] = { MPB_CONVERT_VERSION };
	int verdict;

	while (s->have < sizeof(struct mpb_convert_head) || s->have < s->want) {
		ssize_t n = recv(s->client, s->buf + s->have, sizeof(s->buf) - s->have, MSG_DONTWAIT);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return STEP_WAIT;
		if (n <= 0)
			return n ? STEP_RESET : STEP_CLOSE;
		s->have += n;
		if (s->have < sizeof(struct mpb_convert_head))
			continue;
		verdict = mpb_convert_head((struct mpb_convert_head *)s->buf, &s->want);
		if (verdict == MPB_CONVERT_RESET) {
			COUNT(s->loop, not_convert);
			return STEP_RESET;
		}
		if (verdict != MPB_CONVERT_OK)
			return fail(s, verdict, versions, sizeof(versions));
	}
	return understand(s);
}

static void count_kind(struct session *s)
{
	struct tcp_info info = {};
	socklen_t len = sizeof(info);

	if (socket_is_mptcp(s->client, &s->heard))
		COUNT(s->loop, mptcp);
	else
		s->heard = true;
	if (!getsockopt(s->client, IPPROTO_TCP, TCP_INFO, &info, &len) && info.tcpi_options & MPB_TCPI_OPT_SYN_DATA)
		COUNT(s->loop, fastopen);
}

/* In one send and without a session. What has been asked by now is read, else closing would reset the answer away. */
static void full(struct loop *l, int fd)
{
	uint8_t request[MPB_CONVERT_MAX];
	struct message m;

	COUNT(l, error[CONVERT_resource_exceeded]);
	message_begin(&m);
	message_error(&m, CONVERT_resource_exceeded, &delay, 1);
	for (int i = 0; i < 16 && recv(fd, request, sizeof(request), MSG_DONTWAIT) > 0; i++)
		;
	(void)!send(fd, m.bytes, m.len, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static enum step begin(struct session *s)
{
	if (!clients_enter(config(s)->count, &s->peer.sin6_addr)) {
		COUNT(s->loop, full);
		full(s->loop, s->client);
		return STEP_CLOSE;
	}
	s->counted = true;
	count_kind(s);
	s->step = requested;
	return requested(s);
}

/* A destination that does not answer; or a client that does not ask. */
static enum step late(struct session *s)
{
	return s->step == connecting ? fail(s, CONVERT_network_failure, &delay, 1) : STEP_RESET;
}

static void end(struct session *s)
{
	if (s->counted)
		clients_leave(config(s)->count, &s->peer.sin6_addr);
}

const struct kind serve_kind = { .begin = begin, .late = late, .full = full, .end = end };
