/* SPDX-License-Identifier: GPL-2.0-only */
/* XDP beside other people's programs: libxdp's dispatcher is one XDP program a device with ten slots, which programs fill by freplace. A policy's XDP
 * program is verified and pinned as for a plain link; what fills a slot is a second copy of it, on the same maps, by which it is known again. */
#ifndef MPB_DISPATCHER_H
#define MPB_DISPATCHER_H

#include <stddef.h>
#include "dev.h"
#include "policy.h"

/* How much libxdp says: as policy_verbosity(). */
void dispatcher_verbosity(int level);

/* Can this kernel run it? 0, or -errno with the reason. */
int dispatcher_trial(char *reason, size_t size);

/* Behind what is there, but before programs that asked for a priority from 100. `prog` is the policy's XDP program for this device, loaded. */
int dispatcher_attach(const struct policy *p, int prog, const struct dev *dev);

/* "native" or "generic" where the dispatcher of a device of this namespace runs the program, else NULL. */
const char *dispatcher_mode(int prog, int ifindex);

/* Take it out, and remove the pins of libxdp's that a killed call or a device that is gone left behind. */
int dispatcher_detach(int prog, int ifindex);

#endif
