/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include "agent.h"
#include "cmd.h"
#include "err.h"
#include "pin.h"
#include "scrape.h"
#include "state.h"
#include "sweep.h"

#define SERVICES (AGENT_SERVICES + 1)

/* Until a service fails or a signal comes. */
static int loop(struct service *services, int n, int signals)
{
	struct pollfd fds[SERVICES + 1] = {};
	int err = 0;

	for (int i = 0; i < n; i++)
		fds[i] = (struct pollfd){ services[i].fd, POLLIN, 0 };
	fds[n] = (struct pollfd){ signals, POLLIN, 0 };
	while (!err && !fds[n].revents) {
		int soonest = -1, found;

		for (int i = 0; i < n; i++) {
			int ms = services[i].timeout_ms ? services[i].timeout_ms(services[i].arg) : -1;

			if (ms >= 0 && (soonest < 0 || ms < soonest))
				soonest = ms;
		}
		found = poll(fds, n + 1, soonest);
		if (found < 0 && errno != EINTR)
			return err_fail(errno, "run", "cannot wait: %s", strerror(errno));
		for (int i = 0; !err && i < n; i++)
			if (fds[i].revents || (!found && services[i].timeout_ms))
				err = services[i].ready(services[i].arg);
	}
	return err;
}

/* The lock is only held while the namespace is made ready. */
static int begin(const struct args *a, struct ns *ns)
{
	int err = ns_enter(a->netns, ns);

	if (!err)
		err = pin_begin();
	if (!err)
		err = sweep(ns);
	if (!err)
		err = state_ensure(ns, a->max_subflows);
	return err;
}

int cmd_run(const struct args *a)
{
	struct service services[SERVICES];
	struct agent agent = { .json = a->json };
	struct scrape scrape = {};
	struct ns ns;
	sigset_t stop;
	int n, err, signals;

	err = begin(a, &ns);
	if (err)
		return err;
	sigemptyset(&stop);
	sigaddset(&stop, SIGINT);
	sigaddset(&stop, SIGTERM);
	signals = signalfd(-1, &stop, SFD_CLOEXEC);
	n = agent_start(&agent, &ns, a->words + 1, a->nwords - 1, services);
	pin_end();
	err = n < 0 ? n : signals < 0 ? err_fail(errno, "run", "cannot wait for signals: %s", strerror(errno)) : 0;
	if (!err && a->listen)
		err = scrape_start(&scrape, &ns, a->listen, a->connections, &services[n++]);
	if (!err) {
		note("mptcp-bpf: watching the subflows of this network namespace");
		err = loop(services, n, signals);
	}
	scrape_stop(&scrape);
	agent_stop(&agent);
	if (!pin_begin())
		state_release(&ns);
	close(signals);
	return err;
}
