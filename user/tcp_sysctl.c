/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "pin.h"
#include "tcp_sysctl.h"

#define SYSCTL "/proc/sys/net/ipv4/tcp_"

void tcp_sysctl_read(const char *name, char *buf, size_t size)
{
	char path[PATH_MAX];
	FILE *f = fopen(pin_path(path, SYSCTL "%s", name), "re");

	buf[0] = 0;
	if (f && !fgets(buf, size, f))
		buf[0] = 0;
	buf[strcspn(buf, "\n")] = 0;
	if (f)
		fclose(f);
}

int tcp_sysctl_write(const char *name, const char *value)
{
	char path[PATH_MAX];
	int fd = open(pin_path(path, SYSCTL "%s", name), O_WRONLY | O_CLOEXEC), err = 0;

	if (fd < 0 || write(fd, value, strlen(value)) < 0)
		err = -errno;
	if (fd >= 0)
		close(fd);
	return err;
}
