/* SPDX-License-Identifier: GPL-2.0-only */
/* net.ipv4.tcp_NAME of this network namespace. */
#ifndef MPB_TCP_SYSCTL_H
#define MPB_TCP_SYSCTL_H

#include <stddef.h>

/* The first line; "" where it cannot be read. */
void tcp_sysctl_read(const char *name, char *buf, size_t size);

/* 0 or -errno. */
int tcp_sysctl_write(const char *name, const char *value);

#endif
