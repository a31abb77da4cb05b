/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include <errno.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <time.h>
#include "look.h"

#define LOOK_US 1000
#define LONGEST 500 /* ms */

static uint64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000ULL + t.tv_nsec / 1000;
}

static void look_keep(struct session *s)
{
	struct loop *l = s->loop;

	if (!l->look || s->look_us < l->look_us)
		l->look_us = s->look_us;
	s->look = l->look ? l->look : s;
	l->look = s;
}

void look_join(struct session *s)
{
	if (s->look)
		return;
	s->since_us = now_us();
	s->look_us = s->since_us + LOOK_US;
	look_keep(s);
}

/* An MPTCP socket that gets a DATA_FIN and then falls back to TCP is not told of the subflow's FIN: the first end that it hears of counts, whose number it
 * never comes to (mptcp_update_rcv_data_fin(), Linux 6.18). */
static bool is_left_open(const struct session *s)
{
	struct tcp_info info = {};
	socklen_t len = sizeof(info);
	char c;

	return !s->up.ended && !getsockopt(s->client, IPPROTO_TCP, TCP_INFO, &info, &len) && info.tcpi_state == TCP_CLOSE_WAIT &&
	       recv(s->client, &c, 1, MSG_PEEK | MSG_DONTWAIT) < 0 && errno == EAGAIN;
}

/* What no event may tell: that the client can be answered, or that it has ended. Returns whether it is to be looked at again. */
static bool look(struct session *s, uint64_t us, uint64_t now)
{
	uint64_t pause = (us - s->since_us) / 16;

	if (s->dead || s->draining || us < s->look_us)
		return !s->dead && !s->draining;
	s->look_us = us + (pause < LOOK_US ? LOOK_US : pause);
	if (!s->step && is_left_open(s)) {
		s->up.ended = true;
		s->fallen = false;
		session_progress(s, now);
	} else if (s->step) {
		session_progress(s, now);
	}
	return !s->dead && !s->draining && (s->step || s->fallen);
}

void look_again(struct loop *l, uint64_t now)
{
	uint64_t us = l->look ? now_us() : 0;
	struct session *s = l->look, *next;

	if (us < l->look_us && !l->dead)
		return;
	l->look = NULL;
	for (; s; s = next) {
		bool again = look(s, us, now);

		next = s->look == s ? NULL : s->look;
		s->look = NULL;
		if (again)
			look_keep(s);
	}
}

int look_wait(const struct loop *l)
{
	uint64_t us = l->look ? now_us() : 0;

	if (!l->look || l->look_us >= us + LONGEST * 1000)
		return LONGEST;
	return l->look_us <= us ? 0 : (l->look_us - us + 999) / 1000;
}
