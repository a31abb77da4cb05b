/* SPDX-License-Identifier: GPL-2.0-only */
/* A configuration file that holds while the agent runs: applied at the start, on SIGHUP, and when the file changes (a Kubernetes ConfigMap changes its
 * directory's link `..data`). One that cannot be applied is told, and all stays as it was. A device that comes up is given what the file says. */
#ifndef MPB_FOLLOW_H
#define MPB_FOLLOW_H

#include <limits.h>
#include <stdbool.h>
#include "agent.h"
#include "args.h"
#include "config.h"
#include "service.h"

#define FOLLOW_SERVICES 4

struct follow {
	const struct args *args;
	const struct ns *ns;
	struct agent *agent; /* once it runs */
	int dir, watch, signals, links;
	int due;             /* a timer: the devices that came up are to be given it */
	bool pending;        /* it runs */
	uint64_t applied_ns; /* when it was last */
	char file[NAME_MAX + 1];
};

/* Before the mount namespace changes. */
int follow_open(struct follow *f, const struct args *args);

/* With the lock held, and before the agent starts; its settings, to be freed, are in *settings. Returns their number or -errno. */
int follow_first(struct follow *f, const struct ns *ns, char (**settings)[CONFIG_SETTING_LEN]);

/* Fills in its services and returns their number, or -errno. */
int follow_start(struct follow *f, struct agent *agent, struct service services[FOLLOW_SERVICES]);
void follow_close(struct follow *f);

#endif
