/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdlib.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include "dev.h"
#include "policy.h"
#include "uapi.h"
#include "window.h"

static int program(const struct policy *p, const struct dev *dev)
{
	return bpf_program__fd(bpf_object__find_program_by_name(p->obj, dev->link ? "convert_serve_in" : "convert_serve_in3"));
}

/* The links stay open, and so end with the process. */
static int attach_all(const struct policy *p)
{
	struct dev *devs = NULL;
	int n = dev_select(NULL, 0, &devs), err = n < 0 ? n : 0;

	for (int i = 0; !err && i < n; i++)
		if (bpf_link_create(program(p, &devs[i]), devs[i].ifindex, MPB_BPF_TCX_INGRESS, NULL) < 0)
			err = -errno;
	free(devs);
	return err;
}

int window_mend(__be16 port)
{
	__u32 zero = 0, value = port;
	struct policy p;
	int err = policy_open("convert_serve", &p);

	if (err)
		return err;
	err = bpf_object__load(p.obj);
	if (!err && bpf_map_update_elem(bpf_object__find_map_fd_by_name(p.obj, "mpb_listen"), &zero, &value, BPF_ANY))
		err = -errno;
	if (!err)
		err = attach_all(&p);
	policy_hush();
	policy_close(&p);
	return err;
}
