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
#include "service.h"
#include "state.h"
#include "sweep.h"

static int loop(struct service *services, int n, int signals)
{
	struct pollfd fds[AGENT_SERVICES + 1] = {};
	int err = 0;

	for (int i = 0; i < n; i++)
		fds[i] = (struct pollfd){ services[i].fd, POLLIN, 0 };
	fds[n] = (struct pollfd){ signals, POLLIN, 0 };
	while (!err && !fds[n].revents) {
		if (poll(fds, n + 1, -1) < 0 && errno != EINTR)
			return err_fail(errno, "run", "cannot wait: %s", strerror(errno));
		for (int i = 0; !err && i < n; i++)
			if (fds[i].revents)
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
	struct service services[AGENT_SERVICES];
	struct agent agent = { .json = a->json };
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
	if (n >= 0 && signals >= 0) {
		note("mptcp-bpf: watching the subflows of this network namespace");
		err = loop(services, n, signals);
	} else {
		err = n < 0 ? n : -errno;
	}
	agent_stop(&agent);
	if (!pin_begin())
		state_release(&ns);
	close(signals);
	return err;
}
