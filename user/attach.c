/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include "attach.h"
#include "clsact.h"
#include "dispatcher.h"
#include "err.h"
#include "feature.h"
#include "pin.h"
#include "uapi.h"

const char *const prog_suffix[PROG_MAX] = { "in", "out", "xdp", "in3", "out3", "xdp3" };

static int pin_and_close(int fd, const char *path)
{
	int err = bpf_obj_pin(fd, path) ? err_fail(errno, path, "cannot pin: %s", strerror(errno)) : 0;

	close(fd);
	return err;
}

/* Before program `last`; behind what is there, where the device has it not. */
static int attach_tcx(const char *path, int prog, const struct dev *dev, enum mpb_dir dir, int last)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts);
	int type = dir == MPB_IN ? MPB_BPF_TCX_INGRESS : MPB_BPF_TCX_EGRESS, fd = -1;

	if (last >= 0) {
		opts.flags = MPB_BPF_F_BEFORE;
		opts.tcx.relative_fd = last;
		fd = bpf_link_create(prog, dev->ifindex, type, &opts);
	}
	if (last < 0 || (fd < 0 && errno == ENOENT)) {
		opts.flags = opts.tcx.relative_fd = 0;
		fd = bpf_link_create(prog, dev->ifindex, type, &opts);
	}
	return fd < 0 ? err_fail(errno, dev->name, "cannot attach at tcx: %s", strerror(errno)) : pin_and_close(fd, path);
}

/* Native first: generic XDP costs a copy where the driver's would not. */
static int attach_xdp_link(const char *path, int prog, const struct dev *dev)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = XDP_FLAGS_DRV_MODE);
	int fd = bpf_link_create(prog, dev->ifindex, BPF_XDP, &opts);

	if (fd < 0 && errno != EBUSY && errno != EEXIST && errno != ENODEV) {
		opts.flags = XDP_FLAGS_SKB_MODE;
		fd = bpf_link_create(prog, dev->ifindex, BPF_XDP, &opts);
	}
	if (fd < 0 && (errno == EBUSY || errno == EEXIST)) {
		err_hint("unload the other one, or use 'hook tcx', where policies chain");
		return err_lacks(dev->name, "another XDP program is attached, and this kernel cannot chain two without a dispatcher");
	}
	return fd < 0 ? err_fail(errno, dev->name, "cannot attach XDP: %s", strerror(errno)) : pin_and_close(fd, path);
}

static int attach_xdp(const char *path, const struct policy *p, int prog, const struct dev *dev)
{
	if (!feature_has("xdp_dispatcher"))
		return attach_xdp_link(path, prog, dev);
	/* The pin first: it is how a call after a crash finds what libxdp attached. */
	if (bpf_obj_pin(prog, path))
		return err_fail(errno, path, "cannot pin: %s", strerror(errno));
	return dispatcher_attach(p, prog, dev);
}

static int attach_tc(const struct ns *ns, const char *path, int prog, const struct dev *dev, enum mpb_dir dir, bool last)
{
	char steer[PATH_MAX];
	int err, fd;

	if (feature_has("tcx")) {
		pin_path(steer, "%s/steer/steer_%s", ns->dir, prog_suffix[(dir == MPB_IN ? PROG_IN : PROG_OUT) + (dev->link ? 0 : PROG_IN3)]);
		fd = last ? -1 : bpf_obj_get(steer);
		err = attach_tcx(path, prog, dev, dir, fd);
		if (fd >= 0)
			close(fd);
		return err;
	}
	/* The pin first: it is how a call after a crash finds the filter. */
	if (bpf_obj_pin(prog, path))
		return err_fail(errno, path, "cannot pin: %s", strerror(errno));
	err = clsact_attach(ns, prog, dev->ifindex, dir, last);
	return err ? err_fail(-err, dev->name, "cannot attach at clsact: %s", strerror(-err)) : 0;
}

int attach(const struct ns *ns, const char *at, const struct policy *policy, const int progs[PROG_MAX], const struct dev *dev, enum hook hook, bool in,
	   bool out, bool last)
{
	const int *p = dev->link ? progs : progs + PROG_IN3;
	char path[PATH_MAX];
	int err = 0;

	if (hook == HOOK_XDP)
		return attach_xdp(pin_path(path, "%s/%d-xdp", at, dev->ifindex), policy, p[PROG_XDP], dev);
	if (in)
		err = attach_tc(ns, pin_path(path, "%s/%d-in", at, dev->ifindex), p[PROG_IN], dev, MPB_IN, last);
	if (!err && out)
		err = attach_tc(ns, pin_path(path, "%s/%d-out", at, dev->ifindex), p[PROG_OUT], dev, MPB_OUT, last);
	return err;
}

static bool is_link(int fd)
{
	char path[64], target[64] = "";

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return readlink(path, target, sizeof(target) - 1) > 0 && strstr(target, "link");
}

static const char *xdp_mode(int ifindex)
{
	LIBBPF_OPTS(bpf_xdp_query_opts, opts);

	if (bpf_xdp_query(ifindex, 0, &opts))
		return "";
	return opts.attach_mode == XDP_ATTACHED_SKB ? "generic" : opts.attach_mode == XDP_ATTACHED_HW ? "offload" : "native";
}

struct walk {
	const char *at;
	const struct ns *ns;
	int (*each)(const struct attachment *a, void *arg);
	void *arg;
	int ifindex; /* 0: any */
};

/* One pin, understood: its descriptor and attachment. Returns the descriptor, or -ENODEV where the device is gone (the descriptor closed). */
static int open_pin(const char *at, const char *name, struct attachment *a)
{
	struct bpf_link_info info = {};
	__u32 len = sizeof(info);
	char path[PATH_MAX], dir[8];
	int fd;

	if (sscanf(name, "%d-%7s", &a->ifindex, dir) != 2)
		return -EINVAL;
	fd = bpf_obj_get(pin_path(path, "%s/%s", at, name));
	if (fd < 0)
		return -errno;
	a->dir = !strcmp(dir, "out") ? MPB_OUT : MPB_IN;
	a->link = is_link(fd);
	a->hook = !strcmp(dir, "xdp") ? "xdp" : a->link ? "tcx" : "clsact";
	a->mode = "";
	a->id = 0;
	if (!a->link)
		return fd;
	/* xdp.ifindex and tcx.ifindex are the first word of the union; 0 once the device is gone. */
	if (bpf_link_get_info_by_fd(fd, &info, &len) || !info.xdp.ifindex) {
		close(fd);
		return -ENODEV;
	}
	a->id = info.id;
	if (!strcmp(dir, "xdp"))
		a->mode = xdp_mode(a->ifindex);
	return fd;
}

/* A link says by itself whether its device is there; for a program the device is asked. */
static bool is_attached(int fd, struct attachment *a)
{
	if (a->link)
		return true;
	if (!strcmp(a->hook, "clsact")) {
		a->id = clsact_id(fd, a->ifindex, a->dir);
		return a->id;
	}
	a->mode = dispatcher_mode(fd, a->ifindex);
	return a->mode;
}

static int visit(const char *name, void *arg)
{
	const struct walk *w = arg;
	struct attachment a;
	int fd = open_pin(w->at, name, &a), ret;

	if (fd < 0)
		return 0;
	ret = is_attached(fd, &a) ? w->each(&a, w->arg) : 0;
	close(fd);
	return ret;
}

int attachment_each(const char *at, int (*each)(const struct attachment *a, void *arg), void *arg)
{
	struct walk w = { .at = at, .each = each, .arg = arg };

	return pin_each(at, false, visit, &w);
}

static __u32 id_of(int prog)
{
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);

	return bpf_prog_get_info_by_fd(prog, &info, &len) ? 0 : info.id;
}

struct update {
	const char *at;
	const int *from, *to;
};

/* A filter's pin is its program. The new pin comes first, uncommitted: it is how a call after a crash finds the filter. 0 or -errno. */
static int update_filter(const char *at, const char *name, const struct attachment *a, int from, int to)
{
	char next[PATH_MAX], path[PATH_MAX];
	int err = bpf_obj_pin(to, pin_path(next, "%s/+%s", at, name)) ? -errno : 0;

	if (!err)
		err = clsact_replace(from, to, a->ifindex, a->dir);
	if (!err)
		return pin_commit(next, pin_path(path, "%s/%s", at, name));
	pin_remove(next);
	return err;
}

static int update_link(int link, int from, int to)
{
	LIBBPF_OPTS(bpf_link_update_opts, opts, .flags = BPF_F_REPLACE, .old_prog_fd = from);

	return bpf_link_update(link, to, &opts) ? -errno : 0;
}

static int update_one(const char *name, void *arg)
{
	const struct update *u = arg;
	struct bpf_link_info info = {};
	__u32 len = sizeof(info), id;
	struct attachment a;
	int fd = open_pin(u->at, name, &a), err = 0;
	bool filter;

	if (fd < 0)
		return 0;
	filter = !strcmp(a.hook, "clsact");
	if (!filter && bpf_link_get_info_by_fd(fd, &info, &len))
		err = -errno;
	id = filter ? id_of(fd) : info.prog_id;
	for (int i = 0; !err && i < PROG_MAX; i++) {
		if (id_of(u->from[i]) != id)
			continue;
		err = filter ? update_filter(u->at, name, &a, u->from[i], u->to[i]) : update_link(fd, u->from[i], u->to[i]);
		break;
	}
	close(fd);
	return err ? err_fail(-err, name, "its program cannot be replaced: %s", strerror(-err)) : 0;
}

int attachments_update(const char *at, const int from[PROG_MAX], const int to[PROG_MAX])
{
	struct update u = { at, from, to };

	return pin_each(at, false, update_one, &u);
}

static int detach_program(const char *name, void *arg)
{
	const struct walk *w = arg;
	char path[PATH_MAX + NAME_MAX];
	struct attachment a;
	int fd = open_pin(w->at, name, &a), err = 0;

	if (fd < 0)
		return 0;
	if (w->ifindex && a.ifindex != w->ifindex) {
		close(fd);
		return 0;
	}
	if (!strcmp(a.hook, "clsact"))
		clsact_detach(w->ns, fd, a.ifindex, a.dir);
	else if (!a.link)
		err = dispatcher_detach(fd, a.ifindex);
	else
		bpf_link_detach(fd); /* at once; without its pin the kernel would in its own time */
	close(fd);
	if (!err && w->ifindex) {
		snprintf(path, sizeof(path), "%s/%s", w->at, name);
		err = pin_remove(path);
	}
	return err;
}

static int forget_program(const char *name, void *arg)
{
	struct attachment a;
	int fd = open_pin(arg, name, &a), err = 0;

	if (fd < 0)
		return 0;
	if (!strcmp(a.hook, "xdp") && !a.link)
		err = dispatcher_detach(fd, a.ifindex);
	close(fd);
	return err;
}

int detach_dead(const char *at)
{
	return pin_each(at, false, forget_program, (void *)at);
}

int detach(const struct ns *ns, const char *at)
{
	struct walk w = { .at = at, .ns = ns };
	int err = pin_each(at, false, detach_program, &w);

	if (!err)
		err = pin_each(at, true, detach_program, &w); /* of an update that was cut short */
	return err ? err : pin_remove(at); /* and with it the links */
}

static int detach_from_batch(const char *batch, void *arg)
{
	struct walk w = *(const struct walk *)arg;
	char at[PATH_MAX];
	int err;

	pin_path(at, "%s/%s", w.at, batch);
	w.at = at;
	err = pin_each(at, false, detach_program, &w);
	pin_remove_empty(at);
	return err;
}

int detach_device(const struct ns *ns, const char *all, int ifindex)
{
	struct walk w = { .at = all, .ns = ns, .ifindex = ifindex };

	return pin_each(all, false, detach_from_batch, &w);
}
