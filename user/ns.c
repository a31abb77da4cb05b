/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/stat.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include "err.h"
#include "ns.h"
#include "pin.h"
#include "state.h"

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71
#endif

/* Do pins made here last? They do when PID 1 sees this mount (mount IDs are unique, and every namespace has its own copies), or at least the same bpf
 * file system by another mount (a chroot or a container that was handed it). */
static bool pins_are_shared_with_init(void)
{
	unsigned long long id, mount = 0;
	unsigned int dev_major, dev_minor;
	bool shared = false;
	struct statx st;
	char line[1024];
	FILE *f;

	if (statx(AT_FDCWD, PIN_ROOT, 0, STATX_MNT_ID, &st))
		return false;
	mount = st.stx_mnt_id;
	f = fopen("/proc/1/mountinfo", "re");
	if (!f)
		return false;
	while (!shared && fgets(line, sizeof(line), f)) {
		if (sscanf(line, "%llu %*s %u:%u ", &id, &dev_major, &dev_minor) != 3)
			continue;
		shared = id == mount || (pin_present() && dev_major == st.stx_dev_major && dev_minor == st.stx_dev_minor);
	}
	fclose(f);
	return shared;
}

static int enter_mounts_of_init(void)
{
	struct stat own, init;
	int fd, err = 0;

	fd = open("/proc/1/ns/mnt", O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		/* Not every root may look into PID 1 (it may hold capabilities that we lack). Being there already is as good. */
		if (pins_are_shared_with_init())
			return 0;
		err_hint("start it from the machine's own mount namespace: 'nsenter --net=/run/netns/NAME' or 'mptcp-bpf -n NAME' "
			 "instead of 'ip netns exec NAME'");
		return err_fail(errno, "mount namespace", "pins would be lost: this is not PID 1's mount namespace, and that one cannot be entered: %s",
				strerror(errno));
	}
	if (!stat("/proc/self/ns/mnt", &own) && !fstat(fd, &init) && own.st_ino == init.st_ino && own.st_dev == init.st_dev)
		goto out;
	if (setns(fd, CLONE_NEWNS))
		err = err_fail(errno, "mount namespace", "cannot enter PID 1's: %s", strerror(errno));
out:
	close(fd);
	return err;
}

int ns_enter(const char *netns, struct ns *ns)
{
	socklen_t len = sizeof(ns->cookie);
	char path[PATH_MAX];
	int fd = -1, sk, err;

	if (netns) {
		snprintf(path, sizeof(path), "%s%s", strchr(netns, '/') ? "" : "/run/netns/", netns);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			return err_fail(errno, netns, "cannot open the network namespace %s: %s", path, strerror(errno));
	} else {
		fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	}
	err = enter_mounts_of_init();
	if (!err && netns && setns(fd, CLONE_NEWNET)) {
		err = err_fail(errno, netns, "cannot enter the network namespace: %s", strerror(errno));
		if (errno == EINVAL)
			err_hint("%s is not a network namespace", path);
	}
	if (fd >= 0)
		close(fd);
	if (err)
		return err;
	sk = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (sk < 0 || getsockopt(sk, SOL_SOCKET, SO_NETNS_COOKIE, &ns->cookie, &len))
		err = err_fail(errno, "network namespace", "no cookie (SO_NETNS_COOKIE): %s", strerror(errno));
	if (sk >= 0)
		close(sk);
	pin_path(ns->dir, PIN_BASE "/%" PRIu64, ns->cookie);
	return err ? err : state_check(ns);
}
