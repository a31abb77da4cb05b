/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include "err.h"
#include "iterate.h"
#include "policy.h"
#include "state.h"

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

static int share(const struct ns *ns, struct bpf_object *obj, const char *name)
{
	int fd = state_map(ns, name), err;

	if (fd < 0)
		return -errno;
	err = bpf_map__reuse_fd(bpf_object__find_map_by_name(obj, name), fd);
	close(fd);
	return err;
}

int iterate_on(const struct ns *ns, const char *name, const char *const shared[], const char *what)
{
	char *buf = NULL;
	struct policy p;
	int err;

	err = policy_open(name, &p);
	if (err)
		return err;
	for (; !err && *shared; shared++)
		err = share(ns, p.obj, *shared);
	if (!err)
		err = bpf_object__load(p.obj);
	if (!err)
		err = iterate(p.obj, &buf);
	if (err < 0)
		err_fail(-err, name, "%s: %s", what, strerror(-err));
	free(buf);
	policy_close(&p);
	return err < 0 ? err : 0;
}
