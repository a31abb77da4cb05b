/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>
#include "err.h"
#include "notify.h"

static int sk = -1, watchdog = -1;

static void tell(const char *text)
{
	if (sk >= 0 && send(sk, text, strlen(text), MSG_NOSIGNAL) < 0)
		note("mptcp-bpf: the service manager is not told: %s", strerror(errno));
}

void notify_open(void)
{
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	const char *name = getenv("NOTIFY_SOCKET");
	size_t len = name ? strlen(name) : 0;

	if (!len)
		return;
	sk = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (len < sizeof(to.sun_path))
		memcpy(to.sun_path, name, len);
	if (name[0] == '@')
		to.sun_path[0] = 0;
	if (len < sizeof(to.sun_path) && !connect(sk, (struct sockaddr *)&to, offsetof(struct sockaddr_un, sun_path) + len))
		return;
	note("mptcp-bpf: the service manager is not told: cannot reach %s", name);
	notify_close();
}

void notify_close(void)
{
	if (sk >= 0)
		close(sk);
	if (watchdog >= 0)
		close(watchdog);
	sk = watchdog = -1;
}

void notify_ready(void)
{
	tell("READY=1");
}

void notify_reloading(void)
{
	struct timespec t;
	char text[64];

	clock_gettime(CLOCK_MONOTONIC, &t);
	snprintf(text, sizeof(text), "RELOADING=1\nMONOTONIC_USEC=%lld", t.tv_sec * 1000000LL + t.tv_nsec / 1000);
	tell(text);
}

void notify_stopping(void)
{
	tell("STOPPING=1");
}

static int on_watchdog(void *arg)
{
	uint64_t expirations;

	(void)arg;
	if (read(watchdog, &expirations, sizeof(expirations)) > 0)
		tell("WATCHDOG=1");
	return 0;
}

int notify_watchdog(struct service *service)
{
	const char *usec = getenv("WATCHDOG_USEC"), *pid = getenv("WATCHDOG_PID");
	long long half = usec ? atoll(usec) / 2 : 0;
	struct itimerspec t = { .it_interval = { half / 1000000, half % 1000000 * 1000 } };

	if (sk < 0 || half <= 0 || (pid && atoll(pid) != getpid()))
		return 0;
	t.it_value = t.it_interval;
	watchdog = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (watchdog < 0 || timerfd_settime(watchdog, 0, &t, NULL))
		return err_fail(errno, "run", "no timer for the service manager's watchdog: %s", strerror(errno));
	*service = (struct service){ .fd = watchdog, .ready = on_watchdog };
	return 1;
}
