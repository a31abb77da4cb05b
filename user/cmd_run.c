/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include "agent.h"
#include "cmd.h"
#include "err.h"
#include "follow.h"
#include "notify.h"
#include "pin.h"
#include "scrape.h"
#include "state.h"
#include "sweep.h"

#define SERVICES (AGENT_SERVICES + FOLLOW_SERVICES + 2)

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

/* Those of the command line. */
static int settings_of(const struct args *a, char (**settings)[CONFIG_SETTING_LEN])
{
	*settings = calloc(a->nwords, sizeof(**settings));
	if (!*settings)
		return err_fail(ENOMEM, "run", "out of memory");
	for (int i = 1; i < a->nwords; i++)
		if (snprintf((*settings)[i - 1], CONFIG_SETTING_LEN, "%s", a->words[i]) >= CONFIG_SETTING_LEN)
			return err_usage("run", "'%.20s...' is not a setting", a->words[i]);
	return a->nwords - 1;
}

static int start(struct follow *f, struct agent *agent, const struct ns *ns, struct service *services)
{
	char (*settings)[CONFIG_SETTING_LEN] = NULL;
	int n = f->args->file ? follow_first(f, ns, &settings) : settings_of(f->args, &settings), more;

	if (n >= 0)
		n = agent_start(agent, ns, settings, n, services);
	free(settings);
	if (n < 0)
		return n;
	more = follow_start(f, agent, services + n);
	return more < 0 ? more : n + more;
}

int cmd_run(const struct args *a)
{
	struct service services[SERVICES];
	struct agent agent = { .json = a->json, .timer = -1, .links = -1, .probes = { -1, -1 }, .away.map = -1 };
	struct follow follow;
	struct scrape scrape = {};
	struct ns ns;
	sigset_t stop;
	int n, more = 0, err, signals;

	notify_open();
	err = follow_open(&follow, a);
	if (!err)
		err = begin(a, &ns);
	if (err) {
		follow_close(&follow);
		notify_close();
		return err;
	}
	sigemptyset(&stop);
	sigaddset(&stop, SIGINT);
	sigaddset(&stop, SIGTERM);
	signals = signalfd(-1, &stop, SFD_CLOEXEC);
	n = start(&follow, &agent, &ns, services);
	pin_end();
	err = n < 0 ? n : signals < 0 ? err_fail(errno, "run", "cannot wait for signals: %s", strerror(errno)) : 0;
	if (!err && a->listen)
		err = scrape_start(&scrape, &ns, a->listen, a->connections, &services[n++]);
	if (!err) {
		more = notify_watchdog(&services[n]);
		err = more < 0 ? more : 0;
	}
	if (!err) {
		note("mptcp-bpf: watching the subflows of this network namespace");
		notify_ready();
		err = loop(services, n + more, signals);
		notify_stopping();
	}
	scrape_stop(&scrape);
	agent_stop(&agent);
	follow_close(&follow);
	notify_close();
	if (!pin_begin())
		state_release(&ns);
	close(signals);
	return err;
}
