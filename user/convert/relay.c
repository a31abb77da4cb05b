/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include "message.h"
#include "relay.h"
#include "uapi.h"

#define ASKED_MAX 3 /* with a cookie that holds no longer, without one, with the one that this brings */
#define SO_ORIGINAL_DST 80 /* linux/netfilter_ipv4.h, which does not go with netinet/in.h */

static struct relay *config(const struct session *s)
{
	return (struct relay *)s->loop->config;
}

/* Where the application wanted to go: what the packet filter redirected, or what the socket has (TPROXY, or a local route). */
static int destination(struct session *s)
{
	struct sockaddr_in6 own = {}, was6 = {};
	struct sockaddr_in was = {};
	socklen_t len = sizeof(own);

	if (getsockname(s->client, (struct sockaddr *)&own, &len))
		return -errno;
	len = sizeof(was6);
	if (IN6_IS_ADDR_V4MAPPED(&own.sin6_addr)) {
		len = sizeof(was);
		if (!getsockopt(s->client, IPPROTO_IP, SO_ORIGINAL_DST, &was, &len)) {
			memcpy(&own.sin6_addr.s6_addr[12], &was.sin_addr, 4);
			own.sin6_port = was.sin_port;
		}
	} else if (!getsockopt(s->client, IPPROTO_IPV6, SO_ORIGINAL_DST, &was6, &len)) {
		own = was6;
	}
	memcpy(s->dest, &own.sin6_addr, sizeof(s->dest));
	s->dest_port = own.sin6_port;
	return memcmp(&own.sin6_addr, &config(s)->to.sin6_addr, 16) || own.sin6_port != config(s)->to.sin6_port ? 0 : -ELOOP;
}

static uint32_t request(struct session *s)
{
	struct relay *r = config(s);
	struct mpb_convert_syn syn;
	struct message m;

	mpb_convert_syn_fill(&syn, s->dest, s->dest_port);
	message_begin(&m);
	message_add(&m, CONVERT_CONNECT, &syn.connect.port, sizeof(syn.connect) - sizeof(syn.connect.tlv));
	pthread_mutex_lock(&r->lock);
	if (r->cookie_len) {
		uint8_t v[2 + RELAY_COOKIE_MAX] = {};

		memcpy(v + 2, r->cookie, r->cookie_len);
		message_add(&m, CONVERT_COOKIE, v, 2 + r->cookie_len);
	}
	pthread_mutex_unlock(&r->lock);
	memcpy(s->buf, m.bytes, m.len);
	return m.len;
}

static enum step ask(struct session *s);

/* An error may bring a cookie, behind a zero byte, or end the use of the one that there is (sections 6.2.7 and 6.2.8): then it is asked once more. */
static enum step refused(struct session *s, const struct mpb_convert_msg *reply)
{
	struct relay *r = config(s);
	uint32_t len = reply->error_len > 1 ? reply->error_len - 1 : 0;
	uint8_t code = s->buf[reply->error];
	bool again = false;

	if (code < sizeof(s->loop->n.error) / sizeof(s->loop->n.error[0]))
		COUNT(s->loop, error[code]);
	pthread_mutex_lock(&r->lock);
	if (code == CONVERT_missing_cookie && len && len <= RELAY_COOKIE_MAX) {
		memcpy(r->cookie, s->buf + reply->error + 2, len);
		r->cookie_len = len;
		again = r->brought = true;
	} else if (code == CONVERT_not_authorized && r->brought) {
		r->cookie_len = 0;
		again = true;
		r->brought = false;
	}
	pthread_mutex_unlock(&r->lock);
	if (!again || s->asked == ASKED_MAX)
		return STEP_RESET;
	session_hang_up(s);
	return ask(s);
}

static enum step answered(struct session *s)
{
	struct mpb_convert_msg reply;

	while (s->have < s->want) {
		ssize_t n = recv(s->server, s->buf + s->have, s->want - s->have, MSG_DONTWAIT);

		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return STEP_WAIT;
		if (n <= 0)
			return STEP_RESET;
		s->have += n;
		if (s->have == sizeof(struct mpb_convert_head) && s->want == s->have &&
		    mpb_convert_head((struct mpb_convert_head *)s->buf, &s->want) != MPB_CONVERT_OK) {
			COUNT(s->loop, not_convert);
			return STEP_RESET;
		}
	}
	if (mpb_convert_parse(s->buf, s->have, MPB_CONVERT_REPLIES, &reply) != MPB_CONVERT_OK)
		return STEP_RESET;
	return reply.error ? refused(s, &reply) : STEP_RELAY;
}

static enum step await_answer(struct session *s)
{
	s->have = 0;
	s->want = sizeof(struct mpb_convert_head);
	s->step = answered;
	return answered(s);
}

/* The request is not in the SYN: once connected. */
static enum step connecting(struct session *s)
{
	if (!(s->told & (EPOLLOUT | EPOLLERR | EPOLLHUP)))
		return STEP_WAIT;
	if (send(s->server, s->buf, s->want, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)s->want)
		return STEP_RESET;
	return await_answer(s);
}

/* Returns the bytes of the request that are on their way, 0 while connecting without any, or -1. */
static ssize_t dial(struct session *s, const struct relay *r)
{
	const struct sockaddr *to = (const struct sockaddr *)&r->to;
	int one = 1;
	ssize_t n;

	if (r->mptcp && !r->fastopen)
		return connect(s->server, to, sizeof(r->to)) && errno != EINPROGRESS ? -1 : 0;
	setsockopt(s->server, IPPROTO_TCP, TCP_FASTOPEN_NO_COOKIE, &one, sizeof(one));
	n = sendto(s->server, s->buf, s->want, MSG_FASTOPEN | MSG_NOSIGNAL | MSG_DONTWAIT, to, sizeof(r->to));
	return n < 0 && errno == EINPROGRESS ? 0 : n;
}

static enum step ask(struct session *s)
{
	const struct relay *r = config(s);
	int type = SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, one = 1;
	ssize_t n;

	s->asked++;
	s->server = socket(AF_INET6, type, r->mptcp ? MPB_IPPROTO_MPTCP : 0);
	if (s->server < 0 && r->mptcp)
		s->server = socket(AF_INET6, type, 0);
	if (s->server < 0)
		return STEP_RESET;
	setsockopt(s->server, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	s->want = request(s);
	n = dial(s, r);
	if (n < 0 || (n && n != (ssize_t)s->want) || session_watch_server(s))
		return STEP_RESET;
	if (n)
		return await_answer(s);
	s->step = connecting;
	return STEP_WAIT;
}

static enum step begin(struct session *s)
{
	if (destination(s))
		return STEP_RESET;
	return ask(s);
}

const struct kind relay_kind = { .begin = begin };
