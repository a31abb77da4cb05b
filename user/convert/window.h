/* SPDX-License-Identifier: GPL-2.0-only */
/* The window of SYNs that bring requests, which the kernel mistakes (bpf/run/convert_serve.bpf.c). */
#ifndef MPB_CONVERT_WINDOW_H
#define MPB_CONVERT_WINDOW_H

#include <linux/types.h>

/* Mends it at all devices of this network namespace, as long as this process lives. Returns 0, or -errno where the kernel or the lack of rights forbids it. */
int window_mend(__be16 port);

#endif
