/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include "agent.h"
#include "dev.h"
#include "policy.h"
#include "uapi.h"
#include "window.h"

#define PARENT 3 /* the descriptor that ends when the parent does */

/* Devices that the program hangs on. Links stay open, and so end with the process. */
struct mended {
	int *ifindex, *link;
	int n;
};

static int program(const struct policy *p, const struct dev *dev)
{
	return bpf_program__fd(bpf_object__find_program_by_name(p->obj, dev->link ? "convert_serve_in" : "convert_serve_in3"));
}

static const struct dev *find(const struct dev *devs, int n, int ifindex)
{
	for (int i = 0; i < n; i++)
		if (devs[i].ifindex == ifindex)
			return &devs[i];
	return NULL;
}

static bool has(const struct mended *m, int ifindex)
{
	for (int i = 0; i < m->n; i++)
		if (m->ifindex[i] == ifindex)
			return true;
	return false;
}

static int attach(const struct policy *p, const struct dev *dev, struct mended *m)
{
	int *ifindex = realloc(m->ifindex, (m->n + 1) * sizeof(*ifindex)), *link = ifindex ? realloc(m->link, (m->n + 1) * sizeof(*link)) : NULL;

	m->ifindex = ifindex ? ifindex : m->ifindex;
	m->link = link ? link : m->link;
	if (!link)
		return -ENOMEM;
	link[m->n] = bpf_link_create(program(p, dev), dev->ifindex, MPB_BPF_TCX_INGRESS, NULL);
	if (link[m->n] < 0)
		return errno == ENODEV ? 0 : -errno; /* it is gone already */
	ifindex[m->n++] = dev->ifindex;
	return 0;
}

/* Those that are gone are let go, those that have come are attached to. */
static int look(const struct policy *p, struct mended *m)
{
	struct dev *devs = NULL;
	int n = dev_list(&devs), err = n < 0 ? n : 0, kept = 0;

	for (int i = 0; n >= 0 && i < m->n; i++) {
		if (!find(devs, n, m->ifindex[i])) {
			close(m->link[i]);
			continue;
		}
		m->ifindex[kept] = m->ifindex[i];
		m->link[kept++] = m->link[i];
	}
	m->n = n >= 0 ? kept : m->n;
	for (int i = 0; !err && i < n; i++)
		if (devs[i].up && !devs[i].loopback && devs[i].link >= 0 && !has(m, devs[i].ifindex))
			err = attach(p, &devs[i], m);
	free(devs);
	return err;
}

static int start(struct policy *p, __be16 port, struct mended *m)
{
	__u32 zero = 0, value = port;
	int err = policy_open("convert_serve", p);

	if (!err)
		err = bpf_object__load(p->obj);
	if (!err && bpf_map_update_elem(bpf_object__find_map_fd_by_name(p->obj, "mpb_listen"), &zero, &value, BPF_ANY))
		err = -errno;
	return err ? err : look(p, m);
}

/* A failure after the start leaves a device without the program, and is made good by the next change. */
static void __attribute__((noreturn)) follow(const struct policy *p, struct mended *m, int changes)
{
	struct pollfd fds[] = { { .fd = changes, .events = POLLIN }, { .fd = PARENT, .events = POLLIN } };
	char message[8192];

	for (;;) {
		poll(fds, 2, -1);
		if (fds[1].revents)
			_exit(0);
		while (recv(changes, message, sizeof(message), 0) > 0)
			;
		look(p, m);
	}
}

static void __attribute__((noreturn)) child(int parent, __be16 port)
{
	struct mended m = {};
	struct policy p;
	int err, changes;

	dup2(parent, PARENT);
	close_range(PARENT + 1, ~0U, 0); /* the listeners' above all */
	changes = link_open();
	err = changes < 0 ? -errno : start(&p, port, &m);
	(void)!write(PARENT, &err, sizeof(err));
	if (err)
		_exit(1);
	follow(&p, &m, changes);
}

int window_mend(__be16 port)
{
	int pair[2], err = -EIO;
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
		return -errno;
	pid = fork();
	if (!pid)
		child(pair[1], port);
	close(pair[1]);
	if (pid < 0 || read(pair[0], &err, sizeof(err)) != sizeof(err) || err) { /* else it stays open until this process ends */
		close(pair[0]);
		return pid < 0 ? -EAGAIN : err;
	}
	return 0;
}
