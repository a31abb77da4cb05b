/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <linux/pkt_cls.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include "clsact.h"
#include "err.h"
#include "netlink.h"
#include "pin.h"

#define PRIO_FIRST 1000 /* ours come behind what other tools put at the usual low numbers */
#define PRIO_LAST 65535

#define ANY_POLICY 0
#define MAPS_MAX 64 /* of a program: MAX_USED_MAPS */

/* A look at the filters of one device and direction. */
struct filters {
	__u32 prog_id;   /* the one searched for, or ANY_POLICY */
	__u32 prio;      /* of it; 0: not there */
	__u32 handle;
	__u32 last_prio; /* the largest there is, PRIO_LAST aside */
	__u32 newest;    /* the largest handle from PRIO_FIRST on: each is larger than those before it in the chain */
	int total;
};

static bool is_description(__u32 map_id)
{
	int fd = bpf_map_get_fd_by_id(map_id);
	struct bpf_map_info info = {};
	__u32 len = sizeof(info);
	bool is = fd >= 0 && !bpf_map_get_info_by_fd(fd, &info, &len) && !strcmp(info.name, MPB_POLICY_SEC);

	if (fd >= 0)
		close(fd);
	return is;
}

/* Whether a program says of itself what mptcp-bpf reads. */
static bool is_policy(__u32 prog_id)
{
	__u32 maps[MAPS_MAX] = {}, len;
	struct bpf_prog_info info = { .nr_map_ids = MAPS_MAX, .map_ids = (uintptr_t)maps };
	int fd = bpf_prog_get_fd_by_id(prog_id);
	bool is = false;

	len = sizeof(info);
	if (fd >= 0 && !bpf_prog_get_info_by_fd(fd, &info, &len))
		for (__u32 i = 0; !is && i < info.nr_map_ids && i < MAPS_MAX; i++)
			is = is_description(maps[i]);
	if (fd >= 0)
		close(fd);
	return is;
}

static int see_option(const struct nlattr *attr, void *arg)
{
	if (mnl_attr_get_type(attr) == TCA_BPF_ID)
		*(__u32 *)arg = mnl_attr_get_u32(attr);
	return MNL_CB_OK;
}

static int see_filter(const struct nlmsghdr *nlh, void *arg)
{
	const struct tcmsg *tcm = mnl_nlmsg_get_payload(nlh);
	__u32 prio = TC_H_MAJ(tcm->tcm_info) >> 16, id = 0;
	struct filters *f = arg;
	const struct nlattr *attr;
	bool bpf = false;

	if (!tcm->tcm_handle)
		return MNL_CB_OK; /* the chain's head, not a filter */
	mnl_attr_for_each(attr, nlh, sizeof(*tcm)) {
		if (mnl_attr_get_type(attr) == TCA_KIND)
			bpf = !strcmp(mnl_attr_get_str(attr), "bpf");
		else if (mnl_attr_get_type(attr) == TCA_OPTIONS && bpf)
			mnl_attr_parse_nested(attr, see_option, &id);
	}
	f->total++;
	if (prio > f->last_prio && prio < PRIO_LAST)
		f->last_prio = prio;
	if (tcm->tcm_handle > f->newest && prio >= PRIO_FIRST && prio < PRIO_LAST)
		f->newest = tcm->tcm_handle;
	if (id && (f->prog_id == ANY_POLICY ? is_policy(id) : id == f->prog_id)) {
		f->prio = prio;
		f->handle = tcm->tcm_handle;
	}
	return MNL_CB_OK;
}

static __u32 id_of(int prog)
{
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);

	return bpf_prog_get_info_by_fd(prog, &info, &len) ? UINT32_MAX : info.id;
}

static void look(__u32 prog_id, int ifindex, enum mpb_dir dir, struct filters *f)
{
	char buf[NETLINK_REQUEST_MAX] = {};
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct tcmsg *tcm = mnl_nlmsg_put_extra_header(nlh, sizeof(*tcm));

	memset(f, 0, sizeof(*f));
	f->prog_id = prog_id;
	nlh->nlmsg_type = RTM_GETTFILTER;
	tcm->tcm_family = AF_UNSPEC;
	tcm->tcm_ifindex = ifindex;
	tcm->tcm_parent = TC_H_MAKE(TC_H_CLSACT, dir == MPB_IN ? TC_H_MIN_INGRESS : TC_H_MIN_EGRESS);
	netlink_dump(NETLINK_ROUTE, nlh, see_filter, f);
}

static enum bpf_tc_attach_point point(enum mpb_dir dir)
{
	return dir == MPB_IN ? BPF_TC_INGRESS : BPF_TC_EGRESS;
}

static char *marker(const struct ns *ns, int ifindex, char *path)
{
	return pin_path(path, "%s/clsact/%d", ns->dir, ifindex);
}

int clsact_attach(const struct ns *ns, int prog, int ifindex, enum mpb_dir dir, bool last)
{
	LIBBPF_OPTS(bpf_tc_hook, qdisc, .ifindex = ifindex, .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = point(dir));
	LIBBPF_OPTS(bpf_tc_opts, opts, .prog_fd = prog);
	char path[PATH_MAX];
	struct filters f;
	int err;

	pin_mkdir(pin_path(path, "%s/clsact", ns->dir));
	err = bpf_tc_hook_create(&qdisc);
	if (!err)
		bpf_obj_pin(prog, marker(ns, ifindex, path));
	else if (err != -EEXIST)
		return err;
	look(id_of(prog), ifindex, dir, &f);
	opts.handle = f.newest < f.prog_id ? f.prog_id : f.newest + 1; /* it stays when the program is replaced */
	opts.priority = last ? PRIO_LAST : f.last_prio < PRIO_FIRST ? PRIO_FIRST : f.last_prio + 1;
	return bpf_tc_attach(&hook, &opts);
}

int clsact_replace(int from, int to, int ifindex, enum mpb_dir dir)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = point(dir));
	LIBBPF_OPTS(bpf_tc_opts, opts, .prog_fd = to, .flags = BPF_TC_F_REPLACE);
	struct filters f;

	look(id_of(from), ifindex, dir, &f);
	if (!f.prio)
		return -ENOENT;
	opts.handle = f.handle;
	opts.priority = f.prio;
	return bpf_tc_attach(&hook, &opts);
}

static int take_out(const struct filters *f, int ifindex, enum mpb_dir dir)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = ifindex, .attach_point = point(dir));
	LIBBPF_OPTS(bpf_tc_opts, opts, .handle = f->handle, .priority = f->prio);

	return bpf_tc_detach(&hook, &opts);
}

void clsact_detach(const struct ns *ns, int prog, int ifindex, enum mpb_dir dir)
{
	LIBBPF_OPTS(bpf_tc_hook, qdisc, .ifindex = ifindex, .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);
	struct filters in, out, *f = dir == MPB_IN ? &in : &out;
	char path[PATH_MAX];

	look(id_of(prog), ifindex, MPB_IN, &in);
	look(id_of(prog), ifindex, MPB_OUT, &out);
	if (f->prio)
		f->total -= !take_out(f, ifindex, dir);
	if (in.total + out.total || !pin_exists(marker(ns, ifindex, path)))
		return;
	bpf_tc_hook_destroy(&qdisc);
	pin_remove(path);
	pin_remove_empty(pin_path(path, "%s/clsact", ns->dir));
}

void clsact_sweep(void)
{
	struct if_nameindex *devices = if_nameindex();
	struct filters f;

	for (struct if_nameindex *d = devices; d && d->if_index; d++)
		for (enum mpb_dir dir = MPB_IN; dir <= MPB_OUT; dir++)
			do
				look(ANY_POLICY, d->if_index, dir, &f);
			while (f.prio && !take_out(&f, d->if_index, dir));
	if_freenameindex(devices);
}

__u32 clsact_id(int prog, int ifindex, enum mpb_dir dir)
{
	struct filters f;

	look(id_of(prog), ifindex, dir, &f);
	return f.handle;
}
