/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <grp.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>
#include "args.h"
#include "err.h"
#include "feature.h"
#include "report_convert.h"
#include "service.h"
#include "uapi.h"
#include "window.h"

#define BACKLOG 4096
#define FDS_EACH 6 /* of a session: two sockets, two pipes */
#define FDS_OTHER 64

int endpoint_parse(const char *what, const char *word, struct sockaddr_in6 *to)
{
	const char *colon = strrchr(word, ':');
	char addr[INET6_ADDRSTRLEN + 2] = "::";
	size_t n = colon ? (size_t)(colon - word) : 0;
	uint64_t port;
	__be32 v4;

	memset(to, 0, sizeof(*to));
	to->sin6_family = AF_INET6;
	if (number_parse(what, colon ? colon + 1 : word, 1, 65535, &port))
		return -EINVAL;
	to->sin6_port = htons(port);
	if (n > 2 && word[0] == '[' && word[n - 1] == ']') {
		word++;
		n -= 2;
	}
	if (n && n < sizeof(addr)) {
		memcpy(addr, word, n);
		addr[n] = 0;
	}
	if (n < sizeof(addr) && inet_pton(AF_INET6, addr, &to->sin6_addr) == 1)
		return 0;
	if (n >= sizeof(addr) || inet_pton(AF_INET, addr, &v4) != 1)
		return err_usage(what, "'%s' is not ADDRESS:PORT, [ADDRESS]:PORT or PORT", word);
	to->sin6_addr.s6_addr[10] = to->sin6_addr.s6_addr[11] = 0xff;
	memcpy(&to->sin6_addr.s6_addr[12], &v4, 4);
	return 0;
}

void endpoint_text(char *buf, size_t size, const struct sockaddr_in6 *ep)
{
	bool v4 = IN6_IS_ADDR_V4MAPPED(&ep->sin6_addr);
	char addr[INET6_ADDRSTRLEN] = "?";

	inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? (const void *)&ep->sin6_addr.s6_addr[12] : &ep->sin6_addr, addr, sizeof(addr));
	snprintf(buf, size, v4 ? "%s:%u" : "[%s]:%u", addr, ntohs(ep->sin6_port));
}

static int set(int fd, int level, int option, int value)
{
	return setsockopt(fd, level, option, &value, sizeof(value));
}

/* A listener of its own for each thread: the kernel spreads connections over them. */
static int listener(const struct service *v)
{
	char name[64];
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, v->mptcp ? MPB_IPPROTO_MPTCP : 0);

	endpoint_text(name, sizeof(name), &v->listen);
	if (fd < 0 && v->mptcp) {
		err_hint("sysctl net.mptcp.enabled=1, or 'tcp' to do without MPTCP");
		return err_lacks(name, "no MPTCP socket: %s", strerror(errno));
	}
	if (fd < 0)
		return err_fail(errno, name, "no socket: %s", strerror(errno));
	set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
	if (set(fd, SOL_SOCKET, SO_REUSEADDR, 1) || set(fd, SOL_SOCKET, SO_REUSEPORT, 1) ||
	    (v->transparent && set(fd, IPPROTO_IPV6, IPV6_TRANSPARENT, 1)) || bind(fd, (const struct sockaddr *)&v->listen, sizeof(v->listen)) ||
	    listen(fd, BACKLOG)) {
		int err = err_fail(errno, name, "cannot listen: %s", strerror(errno));

		close(fd);
		return err;
	}
	set(fd, IPPROTO_TCP, TCP_NODELAY, 1); /* what is accepted has it from here */
	return fd;
}

static bool sysctl_allows_fastopen(void)
{
	FILE *f = fopen("/proc/sys/net/ipv4/tcp_fastopen", "re");
	int bits = 0;

	if (f) {
		if (fscanf(f, "%d", &bits) != 1)
			bits = 0;
		fclose(f);
	}
	return bits & 2;
}

/* Requests may stand in SYNs, without TCP's own cookie (RFC 8803 section 4.2): the Cookie TLV is for that. */
static bool take_fastopen(int fd, bool mptcp)
{
	return (!mptcp || feature_has("mptcp_fastopen")) && sysctl_allows_fastopen() && !set(fd, IPPROTO_TCP, TCP_FASTOPEN, BACKLOG) &&
	       !set(fd, IPPROTO_TCP, TCP_FASTOPEN_NO_COOKIE, 1);
}

/* Clients of 'converter add' go around a converter that does not take the request from the SYN. */
static void note_no_fastopen(const char *name)
{
	if (!sysctl_allows_fastopen())
		note("mptcp-bpf: %s: requests are not read from SYNs: net.ipv4.tcp_fastopen has not bit 2 set\nhint: sysctl -w net.ipv4.tcp_fastopen=3", name);
	else
		note("mptcp-bpf: %s: requests are not read from SYNs: MPTCP listeners of this kernel cannot; needs a kernel from 6.2\n"
		     "hint: 'converter serve ... tcp' reads them, and speaks TCP with clients", name);
}

static int drop_rights(const char *user)
{
	const struct passwd *p = user ? getpwnam(user) : NULL;

	if (!user)
		return 0;
	if (!p)
		return err_usage("user", "there is no '%s'", user);
	if (setgroups(0, NULL) || setgid(p->pw_gid) || setuid(p->pw_uid))
		return err_fail(errno, user, "cannot become this user: %s", strerror(errno));
	return 0;
}

/* As many descriptors as are allowed. Returns for how many sessions they do. */
static uint32_t descriptors(void)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r))
		return 128;
	r.rlim_cur = r.rlim_max;
	setrlimit(RLIMIT_NOFILE, &r);
	return r.rlim_cur > FDS_OTHER + FDS_EACH ? (r.rlim_cur - FDS_OTHER) / FDS_EACH : 1;
}

struct thread {
	pthread_t id;
	const struct service *service;
	struct loop loop;
};

static void *thread_main(void *arg)
{
	struct thread *t = arg;

	loop_run(&t->loop, t->service->grace_ms);
	return NULL;
}

static void add(struct counters *sum, const struct counters *n)
{
	const uint64_t *from = (const uint64_t *)n;
	uint64_t *to = (uint64_t *)sum;

	for (size_t i = 0; i < sizeof(*sum) / sizeof(*to); i++)
		to[i] += __atomic_load_n(&from[i], __ATOMIC_RELAXED);
}

static void sum_up(struct thread *t, uint32_t n, struct counters *sum)
{
	memset(sum, 0, sizeof(*sum));
	for (uint32_t i = 0; i < n; i++)
		add(sum, &t[i].loop.n);
}

/* Signals and questions, until the service is over. The first signal stops the listeners; the second does not wait for sessions. */
static void attend(struct thread *t, uint32_t n, int signals, int questions)
{
	struct pollfd p[] = { { .fd = signals, .events = POLLIN }, { .fd = questions, .events = POLLIN } };
	struct signalfd_siginfo info;
	struct counters sum;
	bool stopping = false;

	for (;;) {
		int ready = poll(p, 2, stopping ? 100 : -1);

		sum_up(t, n, &sum);
		if (p[1].revents & POLLIN)
			report_answer(questions, &sum);
		if (ready > 0 && p[0].revents & POLLIN && read(signals, &info, sizeof(info)) == sizeof(info)) {
			if (stopping)
				return;
			stopping = true;
			for (uint32_t i = 0; i < n; i++)
				loop_stop(&t[i].loop, false);
		}
		if (stopping) {
			uint32_t left = n;

			for (uint32_t i = 0; i < n; i++)
				left -= __atomic_load_n(&t[i].loop.over, __ATOMIC_ACQUIRE);
			if (!left)
				return;
		}
	}
}

static int run(const struct service *v, struct thread *t, int signals, int questions)
{
	uint32_t fit = descriptors(), n = 0, sessions;
	bool fastopen = true;
	char name[64];
	int err = 0, unmended = 0;

	sessions = (v->max_sessions < fit ? v->max_sessions : fit) / v->threads;
	endpoint_text(name, sizeof(name), &v->listen);
	for (uint32_t i = 0; !err && i < v->threads; i++) {
		int fd = listener(v);

		t[i].service = v;
		t[i].loop = (struct loop){ .config = v->config, .kind = v->kind, .max_sessions = sessions ? sessions : 1, .listener = -1,
					   .epoll = -1, .stop = -1, .spare = -1 };
		fastopen = fastopen && fd >= 0 && take_fastopen(fd, v->mptcp);
		err = fd < 0 ? fd : loop_init(&t[i].loop, fd, v->handshake_ms, v->idle_ms);
	}
	if (!err && fastopen && v->mptcp && v->mend_window)
		unmended = window_mend(v->listen.sin6_port);
	if (!err)
		err = drop_rights(v->user);
	if (!err && !fastopen)
		note_no_fastopen(name);
	if (!err && unmended)
		note("mptcp-bpf: %s: clients of several paths that send requests in SYNs may stall, but not those with 'converter add': %s", name,
		     strerror(-unmended));
	for (; !err && n < v->threads; n++)
		if (pthread_create(&t[n].id, NULL, thread_main, &t[n]))
			err = err_fail(EAGAIN, name, "cannot start a thread");
	if (!err) {
		note("mptcp-bpf: %s: %u threads, %u connections at most", name, v->threads, sessions * v->threads);
		attend(t, n, signals, questions);
	}
	for (uint32_t i = 0; i < n; i++) {
		loop_stop(&t[i].loop, true);
		pthread_join(t[i].id, NULL);
	}
	for (uint32_t i = 0; i < v->threads; i++)
		loop_free(&t[i].loop);
	return err;
}

int service_run(const struct service *v)
{
	struct thread *t = calloc(v->threads, sizeof(*t));
	int signals, questions, err;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signal(SIGPIPE, SIG_IGN);
	signals = signalfd(-1, &set, SFD_CLOEXEC);
	err = report_listen(v->name, ntohs(v->listen.sin6_port), &questions);
	if (!err)
		err = t && signals >= 0 ? run(v, t, signals, questions) : err_fail(ENOMEM, v->name, "no memory");
	if (signals >= 0)
		close(signals);
	if (questions >= 0)
		close(questions);
	free(t);
	return err;
}
