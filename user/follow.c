/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <libgen.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>
#include "err.h"
#include "follow.h"
#include "notify.h"
#include "out.h"
#include "pin.h"
#include "state.h"
#include "sweep.h"

#define SECOND 1000000000ULL
#define LINKS_NS SECOND /* between two times that it is applied because devices have come up */

int follow_open(struct follow *f, const struct args *args)
{
	char copy[PATH_MAX];

	*f = (struct follow){ .args = args, .dir = -1, .watch = -1, .signals = -1, .links = -1, .due = -1 };
	if (!args->file)
		return 0;
	if (args->nwords > 1)
		return err_usage(args->words[1], "settings stand in the file, under 'agent'");
	snprintf(copy, sizeof(copy), "%s", args->file);
	snprintf(f->file, sizeof(f->file), "%s", basename(copy));
	snprintf(copy, sizeof(copy), "%s", args->file);
	f->dir = open(dirname(copy), O_PATH | O_DIRECTORY | O_CLOEXEC);
	return f->dir < 0 ? err_fail(errno, args->file, "cannot open its directory: %s", strerror(errno)) : 0;
}

static void tell(const struct follow *f, json_t *changes)
{
	json_t *o;
	size_t i;

	if (!json_array_size(changes))
		return;
	if (f->args->json) {
		o = json_pack("{s:s,s:s,s:O}", "event", "applied", "file", f->file, "changes", changes);
		out_json(o);
		json_decref(o);
	} else {
		json_array_foreach(changes, i, o)
			printf("applied %s: %s %s: %s\n", f->file, json_string_value(json_object_get(o, "do")),
			       json_string_value(json_object_get(o, "what")), json_string_value(json_object_get(o, "why")));
	}
	fflush(stdout);
}

/* With the lock held. */
static int apply(struct follow *f, struct config *c)
{
	json_t *changes = json_array();
	int err = config_read(f->file, c);

	if (!err)
		err = config_resolve(c, f->ns);
	if (!err)
		err = config_plan(c, f->ns, changes);
	if (!err && json_array_size(changes))
		err = config_apply(c, f->ns, f->args->max_subflows);
	if (!err)
		tell(f, changes);
	json_decref(changes);
	return err;
}

int follow_first(struct follow *f, const struct ns *ns, char (**settings)[CONFIG_SETTING_LEN])
{
	struct config c = {};
	int err;

	*settings = NULL;
	f->ns = ns;
	if (f->dir < 0)
		return 0;
	if (fchdir(f->dir)) /* which the change of mount namespaces has left */
		return err_fail(errno, f->args->file, "cannot enter its directory: %s", strerror(errno));
	err = apply(f, &c);
	if (!err)
		err = state_ensure(ns, f->args->max_subflows); /* which may have gone with the last policy */
	if (!err) {
		*settings = calloc(CONFIG_SETTINGS_MAX, sizeof(**settings));
		err = *settings ? c.nsettings : err_fail(ENOMEM, "run", "out of memory");
		if (*settings)
			memcpy(*settings, c.settings, sizeof(c.settings));
	}
	config_free(&c);
	return err;
}

/* With the lock held. */
static int renew(struct follow *f, struct config *c)
{
	int err = sweep(f->ns);

	if (!err)
		err = apply(f, c);
	return err ? err : agent_tune(f->agent, c->settings, c->nsettings);
}

static void again(struct follow *f)
{
	struct config c = {};
	int err;

	notify_reloading();
	err = pin_begin();
	if (!err) {
		err = renew(f, &c);
		pin_end();
	}
	if (err) {
		err_print(f->args->json);
		fflush(stdout);
	}
	err_clear();
	config_free(&c);
	notify_ready();
}

static int on_signal(void *arg)
{
	struct signalfd_siginfo info;
	struct follow *f = arg;

	if (read(f->signals, &info, sizeof(info)) > 0)
		again(f);
	return 0;
}

static int on_change(void *arg)
{
	char buf[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
	struct follow *f = arg;
	bool ours = false;
	ssize_t n;

	while ((n = read(f->watch, buf, sizeof(buf))) > 0) {
		const struct inotify_event *e;

		for (char *at = buf; at < buf + n; at += sizeof(*e) + e->len) {
			e = (const void *)at;
			ours |= e->len && (!strcmp(e->name, f->file) || !strcmp(e->name, "..data"));
		}
	}
	if (ours)
		again(f);
	return 0;
}

/* At once, but in a storm of events only now and then: paths are not watched meanwhile. */
static int on_link(void *arg)
{
	struct follow *f = arg;
	uint64_t now = agent_now(), at = f->applied_ns + LINKS_NS, wait = at > now ? at - now : 1;
	struct itimerspec t = { .it_value = { wait / SECOND, wait % SECOND } };

	if (!link_came_up(f->links) || f->pending)
		return 0;
	f->pending = true;
	timerfd_settime(f->due, 0, &t, NULL);
	return 0;
}

static int on_due(void *arg)
{
	struct follow *f = arg;
	uint64_t expirations;

	if (read(f->due, &expirations, sizeof(expirations)) < 0)
		return 0;
	f->pending = false;
	again(f);
	f->applied_ns = agent_now();
	return 0;
}

int follow_start(struct follow *f, struct agent *agent, struct service services[FOLLOW_SERVICES])
{
	sigset_t hup;

	f->agent = agent;
	if (f->dir < 0)
		return 0;
	sigemptyset(&hup);
	sigaddset(&hup, SIGHUP);
	f->signals = signalfd(-1, &hup, SFD_CLOEXEC | SFD_NONBLOCK);
	f->watch = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (f->signals < 0 || f->watch < 0 || inotify_add_watch(f->watch, ".", IN_CLOSE_WRITE | IN_MOVED_TO) < 0)
		return err_fail(errno, f->args->file, "cannot be watched: %s", strerror(errno));
	f->links = link_open();
	f->due = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (f->links < 0 || f->due < 0)
		return err_fail(errno, "run", "no link events, or no timer: %s", strerror(errno));
	services[0] = (struct service){ .fd = f->signals, .ready = on_signal, .arg = f };
	services[1] = (struct service){ .fd = f->watch, .ready = on_change, .arg = f };
	services[2] = (struct service){ .fd = f->links, .ready = on_link, .arg = f };
	services[3] = (struct service){ .fd = f->due, .ready = on_due, .arg = f };
	return 4;
}

void follow_close(struct follow *f)
{
	const int fds[] = { f->dir, f->watch, f->signals, f->links, f->due };

	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++)
		if (fds[i] >= 0)
			close(fds[i]);
}
