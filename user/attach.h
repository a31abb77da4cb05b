/* SPDX-License-Identifier: GPL-2.0-only */
/* Where a policy's programs hang: tcx links, cls_bpf filters on clsact where the kernel has no tcx; libxdp's dispatcher, XDP links where the
 * kernel cannot run it. Every attachment has a pin named IFINDEX-in, -out or -xdp: the link itself, or the program where there is none. */
#ifndef MPB_ATTACH_H
#define MPB_ATTACH_H

#include <stdint.h>
#include <mptcp_bpf/policy.h>
#include "args.h"
#include "dev.h"
#include "ns.h"
#include "policy.h"

/* Entry points of an option policy, by the suffix of their names. */
enum { PROG_IN, PROG_OUT, PROG_XDP, PROG_IN3, PROG_OUT3, PROG_XDP3, PROG_MAX };
extern const char *const prog_suffix[PROG_MAX];

/* Attach to one device, behind what is there; but at tc ingress the scheduler runtime is the last, so that it sees what option policies leave. Pins go
 * to directory `at`. `policy` is what the programs were loaded from; only XDP needs it. On failure nothing of this call is left on the device but what
 * detach(at) finds. */
int attach(const struct ns *ns, const char *at, const struct policy *policy, const int progs[PROG_MAX], const struct dev *dev, enum hook hook, bool in,
	   bool out, bool last);

/* Take down all attachments pinned in directory `at`, and the directory. Devices that are gone are no error. */
int detach(const struct ns *ns, const char *at);

/* What outlives the devices of a namespace that is gone: libxdp's pins. */
int detach_dead(const char *at);
/* The same for one device, in whichever directory below `all` its attachments are. */
int detach_device(const struct ns *ns, const char *all, int ifindex);

/* Put program to[i] in the place of from[i] on every link pinned in `at`. */
int attachments_update(const char *at, const int from[PROG_MAX], const int to[PROG_MAX]);

struct attachment {
	int ifindex;
	uint32_t id; /* of the link or, at clsact, of the filter: grows with time; 0 in libxdp's dispatcher */
	enum mpb_dir dir;
	const char *hook; /* tcx, clsact, xdp */
	bool link;        /* of its own; else at clsact or in libxdp's dispatcher */
	const char *mode; /* xdp: native, generic; else "" */
};

/* Calls each() for the attachments pinned in `at` whose device still exists. */
int attachment_each(const char *at, int (*each)(const struct attachment *a, void *arg), void *arg);

#endif
