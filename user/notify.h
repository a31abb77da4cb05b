/* SPDX-License-Identifier: GPL-2.0-only */
/* What a service manager is told (sd_notify(3)): lines in a datagram to $NOTIFY_SOCKET, a path, or with '@' a name. Without the variable nobody is. */
#ifndef MPB_NOTIFY_H
#define MPB_NOTIFY_H

#include "service.h"

/* Before namespaces change: the name is one of the own network namespace. */
void notify_open(void);
void notify_close(void);

void notify_ready(void);
void notify_reloading(void); /* until notify_ready() */
void notify_stopping(void);

/* If the manager wants to hear that the loop goes round ($WATCHDOG_USEC): twice as often. Fills in a service and returns their number, or -errno. */
int notify_watchdog(struct service *service);

#endif
