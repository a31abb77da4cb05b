/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <xdp/libxdp.h>
#include "dispatcher.h"
#include "err.h"
#include "pin.h"

#define LIBXDP_DIR PIN_ROOT "/xdp"
#define SLOTS 10

/* Priorities of policies, in order of loading: 50 is libxdp's default. */
enum { PRIO_FIRST = 50, PRIO_LAST = 99 };

static int verbosity;

__attribute__((format(printf, 2, 0))) static int libxdp_voice(enum libxdp_print_level level, const char *fmt, va_list ap)
{
	return verbosity > (level == LIBXDP_DEBUG) ? vfprintf(stderr, fmt, ap) : 0;
}

void dispatcher_verbosity(int level)
{
	verbosity = level;
	libxdp_set_print(libxdp_voice);
}

static struct xdp_program *part_of_libxdp(void)
{
	DECLARE_LIBXDP_OPTS(xdp_program_opts, opts, .find_filename = "xdp-dispatcher.o", .prog_name = "xdp_pass");
	struct xdp_program *p = xdp_program__create(&opts);

	return libxdp_get_error(p) ? NULL : p;
}

/* freplace of the one's xdp_pass by the other's: what the dispatcher needs. */
static int replace(struct xdp_program *target, struct xdp_program *by)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts);
	struct bpf_object *obj = xdp_program__bpf_obj(by);
	struct bpf_program *ext = bpf_object__find_program_by_name(obj, "xdp_pass"), *old;
	int err = bpf_object__load(xdp_program__bpf_obj(target)), link;

	old = bpf_object__find_program_by_name(xdp_program__bpf_obj(target), "xdp_pass");
	if (!err)
		err = bpf_program__set_attach_target(ext, bpf_program__fd(old), "xdp_pass");
	if (err)
		return err;
	bpf_program__set_type(ext, BPF_PROG_TYPE_EXT);
	bpf_program__set_expected_attach_type(ext, 0);
	err = bpf_object__load(obj);
	if (err)
		return err;
	link = bpf_raw_tracepoint_open(NULL, bpf_program__fd(ext));
	if (link < 0)
		return -errno;
	close(link);
	return 0;
}

int dispatcher_trial(char *reason, size_t size)
{
	struct xdp_program *target = part_of_libxdp(), *by = part_of_libxdp();
	int err;

	if (!target || !by) {
		err = -ENOENT;
		snprintf(reason, size, "libxdp does not find its xdp-dispatcher.o");
	} else {
		err = replace(target, by);
		snprintf(reason, size, "freplace: %s", strerror(-err));
	}
	xdp_program__close(by);
	xdp_program__close(target);
	return err;
}

#define MAPS_MAX 32

/* What the copies of a program have in common, and no other program has: the text and the maps. */
struct identity {
	__u8 tag[BPF_TAG_SIZE];
	__u32 nmaps;
	__u32 maps[MAPS_MAX];
	char name[BPF_OBJ_NAME_LEN];
};

static int identify(int prog, struct identity *id)
{
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);

	memset(id, 0, sizeof(*id));
	info.nr_map_ids = MAPS_MAX;
	info.map_ids = (uintptr_t)id->maps;
	if (bpf_prog_get_info_by_fd(prog, &info, &len))
		return -errno;
	memcpy(id->tag, info.tag, sizeof(id->tag));
	id->nmaps = info.nr_map_ids < MAPS_MAX ? info.nr_map_ids : MAPS_MAX;
	memcpy(id->name, info.name, sizeof(id->name));
	return 0;
}

static bool is_copy(int prog, const struct identity *of)
{
	struct identity id;

	return !identify(prog, &id) && id.nmaps && !memcmp(&id, of, sizeof(id));
}

static struct xdp_multiprog *on_device(int ifindex)
{
	struct xdp_multiprog *mp = xdp_multiprog__get_from_ifindex(ifindex);

	return libxdp_get_error(mp) ? NULL : mp;
}

static struct xdp_program *find(const struct xdp_multiprog *mp, const struct identity *id)
{
	struct xdp_program *p = NULL;

	while (mp && (p = xdp_multiprog__next_prog(p, mp)) && !is_copy(xdp_program__fd(p), id))
		;
	return p;
}

static unsigned int next_prio(const struct xdp_multiprog *mp)
{
	unsigned int prio = PRIO_FIRST, there;

	for (struct xdp_program *p = NULL; mp && (p = xdp_multiprog__next_prog(p, mp));) {
		there = xdp_program__run_prio(p);
		if (there >= prio && there < PRIO_LAST)
			prio = there + 1;
	}
	return prio;
}

/* Give the copy the maps that the program has. */
static int share_maps(struct bpf_object *obj, const struct identity *id)
{
	struct bpf_map_info info;
	__u32 len = sizeof(info);
	struct bpf_map *map;
	int err = 0, fd;

	for (__u32 i = 0; !err && i < id->nmaps; i++) {
		memset(&info, 0, sizeof(info));
		fd = bpf_map_get_fd_by_id(id->maps[i]);
		if (fd < 0 || bpf_map_get_info_by_fd(fd, &info, &len))
			err = -errno;
		bpf_object__for_each_map(map, obj)
			if (!err && !strncmp(bpf_map__name(map), info.name, sizeof(info.name) - 1))
				err = bpf_map__reuse_fd(map, fd);
		if (fd >= 0)
			close(fd);
	}
	return err;
}

/* In the mode that the device's dispatcher has; else native first: generic XDP costs a copy where the driver's would not. */
static int attach_copy(struct xdp_program *copy, const struct xdp_multiprog *mp, int ifindex)
{
	int err;

	if (mp)
		return xdp_program__attach(copy, ifindex, xdp_multiprog__attach_mode(mp), 0);
	err = xdp_program__attach(copy, ifindex, XDP_MODE_NATIVE, 0);
	return err && err != -ENODEV ? xdp_program__attach(copy, ifindex, XDP_MODE_SKB, 0) : err;
}

static int copy_and_attach(struct bpf_object *obj, const struct identity *id, int ifindex)
{
	DECLARE_LIBXDP_OPTS(xdp_program_opts, opts, .obj = obj, .prog_name = id->name);
	struct xdp_multiprog *mp = on_device(ifindex);
	struct xdp_program *copy;
	struct bpf_program *prog;
	int err;

	bpf_object__for_each_program(prog, obj)
		bpf_program__set_autoload(prog, !strcmp(bpf_program__name(prog), id->name));
	err = mp && xdp_multiprog__is_legacy(mp) ? -EBUSY : share_maps(obj, id);
	copy = err ? NULL : xdp_program__create(&opts);
	if (!err)
		err = libxdp_get_error(copy);
	if (!err)
		err = xdp_program__set_run_prio(copy, next_prio(mp));
	if (!err)
		err = attach_copy(copy, mp, ifindex);
	xdp_multiprog__close(mp);
	if (!libxdp_get_error(copy))
		xdp_program__close(copy);
	return err;
}

int dispatcher_attach(const struct policy *p, int prog, const struct dev *dev)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = "policy"); /* as when it was loaded: maps are found by name */
	struct bpf_object *obj;
	struct identity id;
	int err;

	if (!p->bytes) {
		err_hint("name the object file that it was loaded from");
		return err_fail(ENOENT, dev->name, "libxdp's dispatcher attaches a copy of a policy, and there is none of this one");
	}
	obj = bpf_object__open_mem(p->bytes, p->size, &opts);
	err = obj ? identify(prog, &id) : -errno;
	if (!err)
		err = copy_and_attach(obj, &id, dev->ifindex);
	bpf_object__close(obj);
	if (!err && !dispatcher_mode(prog, dev->ifindex))
		err = -ESTALE;
	switch (-err) {
	case 0:
		return 0;
	case EBUSY:
	case EEXIST:
		err_hint("unload the other one, attach it through libxdp, or use 'hook tcx', where policies chain");
		return err_fail(EBUSY, dev->name, "another XDP program is attached, and not through libxdp's dispatcher");
	case E2BIG:
		return err_fail(E2BIG, dev->name, "has %d XDP programs already, which is all that libxdp's dispatcher takes", SLOTS);
	case ESTALE:
		return err_fail(ESTALE, dev->name, "cannot attach XDP: the policy is not the one that is loaded");
	default:
		return err_fail(-err, dev->name, "cannot attach XDP through libxdp's dispatcher: %s", strerror(-err));
	}
}

const char *dispatcher_mode(int prog, int ifindex)
{
	struct xdp_multiprog *mp = on_device(ifindex);
	const char *mode = NULL;
	struct identity id;

	if (!identify(prog, &id) && find(mp, &id))
		mode = xdp_multiprog__attach_mode(mp) == XDP_MODE_SKB ? "generic" : "native";
	xdp_multiprog__close(mp);
	return mode;
}

struct stale {
	const struct identity *id;
	const struct xdp_multiprog *mp; /* in force, or NULL */
	int ifindex;
};

static bool is_in_force(int prog, const struct xdp_multiprog *mp)
{
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);
	struct xdp_program *p = NULL;

	if (!mp || bpf_prog_get_info_by_fd(prog, &info, &len))
		return false;
	while ((p = xdp_multiprog__next_prog(p, mp)) && xdp_program__id(p) != info.id)
		;
	return p;
}

/* The program that is pinned there, or that the pinned link attaches; else negative. */
static int pinned_program(const char *path, bool link)
{
	struct bpf_link_info info = {};
	__u32 len = sizeof(info);
	int fd = bpf_obj_get(path), prog;

	if (fd < 0 || !link)
		return fd;
	prog = bpf_link_get_info_by_fd(fd, &info, &len) ? -errno : bpf_prog_get_fd_by_id(info.prog_id);
	close(fd);
	return prog;
}

static bool is_of_device(const char *path, bool link, const struct stale *s)
{
	int prog = pinned_program(path, link);
	bool ours = prog >= 0 && (is_copy(prog, s->id) || is_in_force(prog, s->mp));

	if (prog >= 0)
		close(prog);
	return ours;
}

/* A directory of libxdp's, dispatch-IFINDEX-ID, holds the pins of the dispatcher ID. Other namespaces may have the same IFINDEX; it is of this device if one of
 * its programs is, and left over if ID is not in force. An empty one was never finished. */
static int remove_if_stale(const char *name, void *arg)
{
	const struct stale *s = arg;
	bool ours = false, empty = true;
	char path[PATH_MAX];
	__u32 id;
	int ifindex;

	if (!strncmp(name, "prog-test-link-", 15)) /* of libxdp's own trial: pinned and gone, under the lock */
		return pin_remove(pin_path(path, LIBXDP_DIR "/%s", name));
	if (sscanf(name, "dispatch-%d-%u", &ifindex, &id) != 2 || ifindex != s->ifindex ||
	    (s->mp && id == xdp_program__id(xdp_multiprog__main_prog(s->mp))))
		return 0;
	for (int i = 0; !ours && i < 2 * SLOTS; i++) {
		if (!pin_exists(pin_path(path, LIBXDP_DIR "/%s/prog%d-%s", name, i / 2, i % 2 ? "link" : "prog")))
			continue;
		ours = is_of_device(path, i % 2, s);
		empty = false;
	}
	return ours || empty ? pin_remove(pin_path(path, LIBXDP_DIR "/%s", name)) : 0;
}

static int remove_stale(const struct identity *id, int ifindex)
{
	struct xdp_multiprog *mp = on_device(ifindex);
	struct stale s = { .id = id, .mp = mp, .ifindex = ifindex };
	int lock = open(LIBXDP_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC), err = 0;

	if (lock >= 0 && !flock(lock, LOCK_EX)) /* libxdp's own lock */
		err = pin_each(LIBXDP_DIR, false, remove_if_stale, &s);
	if (lock >= 0)
		close(lock);
	xdp_multiprog__close(mp);
	return err;
}

int dispatcher_detach(int prog, int ifindex)
{
	struct xdp_multiprog *mp = on_device(ifindex);
	struct xdp_program *copy;
	struct identity id;
	int err = identify(prog, &id);

	if (err) {
		xdp_multiprog__close(mp);
		return err;
	}
	copy = find(mp, &id);
	if (copy)
		err = xdp_program__detach(copy, ifindex, xdp_multiprog__attach_mode(mp), 0);
	xdp_multiprog__close(mp);
	return err ? err_fail(-err, id.name, "cannot be taken out of libxdp's dispatcher: %s", strerror(-err)) : remove_stale(&id, ifindex);
}
