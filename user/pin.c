/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include "err.h"
#include "pin.h"

char *pin_path(char *buf, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(buf, PATH_MAX, fmt, ap);
	va_end(ap);
	return buf;
}

static int lock = -1;

bool pin_present(void)
{
	struct statfs fs;

	return !statfs(PIN_ROOT, &fs) && fs.f_type == BPF_FS_MAGIC;
}

int pin_begin(void)
{
	sigset_t all;

	if (!pin_present() && mount("bpf", PIN_ROOT, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=0700")) {
		err_hint("mount -t bpf bpf " PIN_ROOT);
		return err_fail(errno, PIN_ROOT, "no bpf file system is mounted there, and mounting one failed: %s", strerror(errno));
	}
	/* The root of the mount outlives every call, so the lock leaves nothing behind. */
	lock = open(PIN_ROOT, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (lock < 0)
		return err_fail(errno, PIN_ROOT, "cannot open: %s", strerror(errno));
	while (flock(lock, LOCK_EX))
		if (errno != EINTR)
			return err_fail(errno, PIN_ROOT, "cannot lock: %s", strerror(errno));
	/* What follows takes a fraction of a second and is not to be left half-way by a ^C. */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	return 0;
}

void pin_end(void)
{
	close(lock);
	lock = -1;
}

int pin_mkdir(const char *path)
{
	const char *end = path + strlen(PIN_ROOT);
	char part[PATH_MAX];

	while (*end) {
		end = strchrnul(end + 1, '/');
		snprintf(part, sizeof(part), "%.*s", (int)(end - path), path);
		if (mkdir(part, 0700) && errno != EEXIST)
			return err_fail(errno, part, "cannot make the directory: %s", strerror(errno));
	}
	return 0;
}

/* Unlink a pin. A link is detached at once: the kernel would do so some time after the last reference, and the caller is to find it gone. */
static int remove_file(const char *path)
{
	int fd = bpf_obj_get(path), err = unlink(path) ? -errno : 0;

	if (fd >= 0) {
		if (!err)
			bpf_link_detach(fd); /* EINVAL on what is not a link */
		close(fd);
	}
	return err;
}

int pin_remove(const char *path)
{
	char child[PATH_MAX + NAME_MAX + 2];
	struct dirent *entry;
	DIR *dir;
	int err;

	err = remove_file(path);
	if (!err || err == -ENOENT)
		return 0;
	dir = opendir(path);
	if (!dir)
		return err_fail(errno, path, "cannot remove: %s", strerror(errno));
	err = 0;
	while (!err && (entry = readdir(dir))) {
		if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
			continue;
		snprintf(child, sizeof(child), "%s/%s", path, entry->d_name);
		err = pin_remove(child);
	}
	closedir(dir);
	if (!err && rmdir(path) && errno != ENOENT)
		err = err_fail(errno, path, "cannot remove: %s", strerror(errno));
	return err;
}

void pin_remove_empty(const char *path)
{
	rmdir(path);
}

int pin_commit(const char *from, const char *to)
{
	return rename(from, to) ? err_fail(errno, to, "cannot commit: %s", strerror(errno)) : 0;
}

bool pin_exists(const char *path)
{
	return !access(path, F_OK);
}

static int is_entry(const struct dirent *entry)
{
	return strcmp(entry->d_name, ".") && strcmp(entry->d_name, "..");
}

int pin_each(const char *path, bool uncommitted, int (*each)(const char *name, void *arg), void *arg)
{
	struct dirent **list;
	int n = scandir(path, &list, is_entry, versionsort), ret = 0;

	for (int i = 0; i < n; i++) {
		if (!ret && uncommitted == (list[i]->d_name[0] == '+'))
			ret = each(list[i]->d_name, arg);
		free(list[i]);
	}
	if (n >= 0)
		free(list);
	return ret;
}
