/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cgroup.h"
#include "err.h"

/* Where cgroup2 is mounted, whatever the layout (hybrid ones have it under /sys/fs/cgroup/unified); "" nowhere. */
static void mount_point(char point[1024])
{
	char line[4096], root[1024], type[64];
	FILE *f = fopen("/proc/self/mountinfo", "re");

	point[0] = 0;
	while (f && !point[0] && fgets(line, sizeof(line), f)) {
		char *dash = strstr(line, " - ");

		if (!dash || sscanf(line, "%*s %*s %*s %1023s %1023s", root, point) != 2 || sscanf(dash, " - %63s", type) != 1 || strcmp(type, "cgroup2") ||
		    strcmp(root, "/"))
			point[0] = 0;
	}
	if (f)
		fclose(f);
}

int cgroup_root(void)
{
	char point[1024];
	int fd;

	mount_point(point);
	fd = point[0] ? open(point, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	if (fd < 0) {
		err_hint("mount -t cgroup2 none /sys/fs/cgroup");
		return err_fail(ENOENT, "cgroup2", "the root of the cgroup2 hierarchy is not mounted; connections are observed there");
	}
	return fd;
}

/* A cgroup's ID is its file handle. */
static int handle_id(const char *path, uint64_t *id)
{
	union {
		struct file_handle h;
		char room[sizeof(struct file_handle) + sizeof(uint64_t)];
	} u = { .h.handle_bytes = sizeof(uint64_t) };
	int mount;

	if (name_to_handle_at(AT_FDCWD, path, &u.h, &mount, 0) || u.h.handle_bytes != sizeof(uint64_t))
		return -1;
	memcpy(id, u.h.f_handle, sizeof(*id));
	return 0;
}

int cgroup_find(const char *path, uint64_t *id, uint32_t *level)
{
	char point[1024], full[PATH_MAX], real[PATH_MAX];

	mount_point(point);
	if (!point[0])
		return err_fail(ENOENT, "cgroup", "cgroup2 is not mounted");
	snprintf(full, sizeof(full), "%s/%s", point, path);
	if (!strncmp(path, point, strlen(point)))
		snprintf(full, sizeof(full), "%s", path);
	if (!realpath(full, real) || strncmp(real, point, strlen(point)) || handle_id(real, id))
		return err_usage("cgroup", "'%s' is no cgroup below %s", path, point);
	*level = 0;
	for (const char *c = real + strlen(point); *c; c++)
		*level += *c == '/';
	return 0;
}

void cgroup_path(uint64_t id, char *buf, size_t size)
{
	struct {
		struct file_handle h;
		uint64_t id;
	} u = { .h = { .handle_bytes = sizeof(id), .handle_type = 0xfe /* FILEID_KERNFS */ }, .id = id };
	char point[1024], link[64], full[PATH_MAX] = "";
	int root = cgroup_root(), fd;

	snprintf(buf, size, "?");
	mount_point(point);
	fd = root < 0 ? -1 : open_by_handle_at(root, &u.h, O_RDONLY | O_CLOEXEC);
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	if (fd >= 0 && readlink(link, full, sizeof(full) - 1) > 0)
		snprintf(buf, size, "%s", full[strlen(point)] ? full + strlen(point) : "/");
	if (fd >= 0)
		close(fd);
	if (root >= 0)
		close(root);
	err_clear();
}
