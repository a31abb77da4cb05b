/* SPDX-License-Identifier: GPL-2.0-only */
/* What `run` does is a list of services: one loop polls their descriptors and calls those that are ready. */
#ifndef MPB_SERVICE_H
#define MPB_SERVICE_H

struct service {
	int fd;
	int (*ready)(void *arg);            /* 0, or -errno with an error recorded: the loop ends */
	void *arg;
	int (*timeout_ms)(const void *arg); /* until it is called all the same; -1: never. NULL: never */
};

#endif
