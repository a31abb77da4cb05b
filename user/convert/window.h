/* SPDX-License-Identifier: GPL-2.0-only */
/* The window of SYNs that bring requests, which the kernel mistakes (bpf/run/convert_serve.bpf.c). */
#ifndef MPB_CONVERT_WINDOW_H
#define MPB_CONVERT_WINDOW_H

#include <linux/types.h>

/* Mends it at all devices of this network namespace, those that come later too, as long as this process lives: in a process of its own, which keeps the rights
 * that it takes and does nothing else. Returns 0, or -errno where the kernel or the lack of rights forbids it. */
int window_mend(__be16 port);

#endif
