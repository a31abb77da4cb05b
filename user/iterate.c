/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include "iterate.h"

#define STEP (1 << 15)

static int drain(int fd, char **buf)
{
	size_t size = 0, used = 0;
	ssize_t n;

	do {
		if (size - used < STEP) {
			char *grown = realloc(*buf, size = 2 * size + 2 * STEP);

			if (!grown)
				return -ENOMEM;
			*buf = grown;
		}
		n = read(fd, *buf + used, size - used);
		if (n > 0)
			used += n;
	} while (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)));
	return n < 0 ? -errno : (int)used;
}

int iterate(struct bpf_object *obj, char **buf)
{
	struct bpf_link *link = bpf_program__attach_iter(bpf_object__next_program(obj, NULL), NULL);
	int fd = link ? bpf_iter_create(bpf_link__fd(link)) : -errno, n;

	*buf = NULL;
	n = fd < 0 ? fd : drain(fd, buf);
	if (n < 0) {
		free(*buf);
		*buf = NULL;
	}
	if (fd >= 0)
		close(fd);
	bpf_link__destroy(link);
	return n;
}
