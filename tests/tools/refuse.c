/* SPDX-License-Identifier: GPL-2.0-only */
/* refuse - in LD_PRELOAD: the kernel takes no third update of a BPF link. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <linux/bpf.h>
#include <stdarg.h>
#include <sys/syscall.h>
#include <unistd.h>

long syscall(long n, ...)
{
	static int updates;
	long (*next)(long, ...) = dlsym(RTLD_NEXT, "syscall");
	long a[6];
	va_list ap;

	va_start(ap, n);
	for (int i = 0; i < 6; i++)
		a[i] = va_arg(ap, long);
	va_end(ap);
	if (n == SYS_bpf && a[0] == BPF_LINK_UPDATE && ++updates == 3) {
		errno = EIO;
		return -1;
	}
	return next(n, a[0], a[1], a[2], a[3], a[4], a[5]);
}
