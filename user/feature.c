/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include "diag.h"
#include "dispatcher.h"
#include "err.h"
#include "feature.h"
#include "netlink.h"
#include "pin.h"
#include "policy.h"
#include "uapi.h"

#define LO 1 /* ifindex of lo in every namespace */

static int no(int err, char *reason, size_t size)
{
	snprintf(reason, size, "%s", strerror(err < 0 ? -err : err));
	return err < 0 ? err : -err;
}

static int readable(const char *path, char *reason, size_t size)
{
	if (!access(path, R_OK))
		return 0;
	snprintf(reason, size, "%s: %s", path, strerror(errno));
	return -ENOENT;
}

static int probe_btf(char *reason, size_t size)
{
	return readable("/sys/kernel/btf/vmlinux", reason, size);
}

static int probe_mptcp(char *reason, size_t size)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, MPB_IPPROTO_MPTCP);

	if (fd < 0)
		return no(errno, reason, size);
	close(fd);
	return 0;
}

static int probe_mptcp_diag(char *reason, size_t size)
{
	struct diag_conn *list;
	int n = diag_connections(&list);

	if (n < 0)
		return no(n, reason, size);
	free(list);
	return 0;
}

static int probe_mptcp_fastopen(char *reason, size_t size)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, MPB_IPPROTO_MPTCP), one = 1, err;

	err = fd < 0 || setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_NO_COOKIE, &one, sizeof(one)) ? errno : 0;
	if (fd >= 0)
		close(fd);
	return err ? no(err, reason, size) : 0;
}

static int probe_bpffs(char *reason, size_t size)
{
	if (pin_present())
		return 0;
	snprintf(reason, size, "not mounted at " PIN_ROOT " ('load' mounts it)");
	return -ENOENT;
}

static int probe_type(enum bpf_prog_type type, char *reason, size_t size)
{
	int ret = libbpf_probe_bpf_prog_type(type, NULL);

	if (ret == 1)
		return 0;
	return no(ret < 0 ? ret : EINVAL, reason, size);
}

static int probe_sock_ops(char *reason, size_t size)
{
	return probe_type(BPF_PROG_TYPE_SOCK_OPS, reason, size);
}

static int probe_xdp(char *reason, size_t size)
{
	return probe_type(BPF_PROG_TYPE_XDP, reason, size);
}

static int probe_bpf_loop(char *reason, size_t size)
{
	int ret = libbpf_probe_bpf_helper(BPF_PROG_TYPE_SCHED_CLS, BPF_FUNC_loop, NULL);

	return ret == 1 ? 0 : no(ret < 0 ? ret : EINVAL, reason, size);
}

static int probe_tcx(char *reason, size_t size)
{
	LIBBPF_OPTS(bpf_prog_query_opts, opts);
	int err = bpf_prog_query_opts(LO, MPB_BPF_TCX_INGRESS, &opts);

	return err ? no(err, reason, size) : 0;
}

/* Run a trial in a network namespace of its own, in a child, so that nothing of it touches the caller. */
static int in_scratch(int (*trial)(void), char *reason, size_t size)
{
	int status = 0;
	pid_t pid = fork();

	if (pid < 0)
		return no(errno, reason, size);
	if (!pid)
		_exit(unshare(CLONE_NEWNET) ? errno : -trial());
	if (waitpid(pid, &status, 0) < 0 || !WIFEXITED(status))
		return no(EIO, reason, size);
	return WEXITSTATUS(status) ? no(WEXITSTATUS(status), reason, size) : 0;
}

static int try_clsact(void)
{
	LIBBPF_OPTS(bpf_tc_hook, hook, .ifindex = LO, .attach_point = BPF_TC_INGRESS | BPF_TC_EGRESS);

	return bpf_tc_hook_create(&hook);
}

static int probe_clsact(char *reason, size_t size)
{
	return in_scratch(try_clsact, reason, size);
}

static int try_netem(void)
{
	struct tc_netem_qopt qopt = { .limit = 100 };
	char buf[NETLINK_REQUEST_MAX] = {};
	struct nlmsghdr *nlh = mnl_nlmsg_put_header(buf);
	struct tcmsg *tcm = mnl_nlmsg_put_extra_header(nlh, sizeof(*tcm));
	struct mnl_socket *sk = mnl_socket_open(NETLINK_ROUTE);
	int n, err = -EIO;

	nlh->nlmsg_type = RTM_NEWQDISC;
	nlh->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL;
	tcm->tcm_ifindex = LO;
	tcm->tcm_parent = TC_H_ROOT;
	mnl_attr_put_strz(nlh, TCA_KIND, "netem");
	mnl_attr_put(nlh, TCA_OPTIONS, sizeof(qopt), &qopt);
	if (sk && !mnl_socket_bind(sk, 0, MNL_SOCKET_AUTOPID) && mnl_socket_sendto(sk, nlh, nlh->nlmsg_len) > 0) {
		n = mnl_socket_recvfrom(sk, buf, sizeof(buf));
		err = n > 0 && mnl_cb_run(buf, n, 0, mnl_socket_get_portid(sk), NULL, NULL) >= 0 ? 0 : -errno;
	}
	if (sk)
		mnl_socket_close(sk);
	return err;
}

static int probe_netem(char *reason, size_t size)
{
	return in_scratch(try_netem, reason, size);
}

static int probe_iter_tcp(char *reason, size_t size)
{
	struct policy p;
	int err = policy_open("snapshot", &p);

	if (!err) {
		err = bpf_object__load(p.obj);
		policy_close(&p);
	}
	return err ? no(err, reason, size) : 0;
}

static int probe_btf_has(const char *name, uint32_t kind, char *reason, size_t size)
{
	struct btf *btf = btf__load_vmlinux_btf();
	int id = btf ? btf__find_by_name_kind(btf, name, kind) : -ENOENT;

	btf__free(btf);
	if (id > 0)
		return 0;
	snprintf(reason, size, "no %s in the kernel's BTF", name);
	return -ENOENT;
}

/* The type that wraps a struct_ops is there where BPF may register one. */
static int probe_cc(char *reason, size_t size)
{
	return probe_btf_has("bpf_struct_ops_tcp_congestion_ops", BTF_KIND_STRUCT, reason, size);
}

/* Links of struct_ops, and those that can be detached at once: else the end of a link comes some time after its last pin. */
static int probe_struct_ops_link(char *reason, size_t size)
{
	return probe_btf_has("bpf_struct_ops_map_link_detach", BTF_KIND_FUNC, reason, size);
}

/* An option of sockets that programs may set: a member of an enum without a name. */
static int probe_live_callbacks(char *reason, size_t size)
{
	struct btf *btf = btf__load_vmlinux_btf();
	int n = btf ? (int)btf__type_cnt(btf) : 0;
	bool found = false;

	for (int i = 1; i < n && !found; i++) {
		const struct btf_type *t = btf__type_by_id(btf, i);

		for (int k = 0; btf_is_enum(t) && k < btf_vlen(t) && !found; k++)
			found = !strcmp(btf__name_by_offset(btf, btf_enum(t)[k].name_off), "TCP_BPF_SOCK_OPS_CB_FLAGS");
	}
	btf__free(btf);
	if (found)
		return 0;
	snprintf(reason, size, "no TCP_BPF_SOCK_OPS_CB_FLAGS in the kernel's BTF");
	return -ENOENT;
}

static int probe_native_sched(char *reason, size_t size)
{
	return probe_btf_has("bpf_struct_ops_mptcp_sched_ops", BTF_KIND_STRUCT, reason, size);
}

static const struct bpf_insn return_zero[] = {
	{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0 },
	{ .code = BPF_JMP | BPF_EXIT },
};

static int probe_fentry(char *reason, size_t size)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = BPF_TRACE_FENTRY);
	int id = libbpf_find_vmlinux_btf_id("tcp_v4_rcv", BPF_TRACE_FENTRY), prog, link, err;

	if (id < 0)
		return no(id, reason, size);
	opts.attach_btf_id = id;
	prog = bpf_prog_load(BPF_PROG_TYPE_TRACING, "probe", "GPL", return_zero, 2, &opts);
	if (prog < 0)
		return no(errno, reason, size);
	link = bpf_raw_tracepoint_open(NULL, prog);
	err = link < 0 ? errno : 0;
	close(prog);
	if (link >= 0)
		close(link);
	return err ? no(err, reason, size) : 0;
}

const struct feature features[] = {
	{ "btf", "CO-RE: policies read kernel structures by name", probe_btf, "a kernel with CONFIG_DEBUG_INFO_BTF" },
	{ "mptcp", "Multipath TCP sockets", probe_mptcp, "a kernel with CONFIG_MPTCP" },
	{ "mptcp_diag", "stat: state and fallback of connections", probe_mptcp_diag, "CONFIG_INET_MPTCP_DIAG (module mptcp_diag)" },
	{ "mptcp_fastopen", "converters: requests in the SYNs of MPTCP sockets", probe_mptcp_fastopen, "a kernel from 6.2; else 'converter serve tcp'" },
	{ "bpffs", "policies that stay loaded", probe_bpffs, "mount -t bpf bpf " PIN_ROOT },
	{ "bpf_loop", "option walks", probe_bpf_loop, "a kernel from 5.17" },
	{ "sock_ops", "subflows recorded from birth to end", probe_sock_ops, "a kernel with CONFIG_CGROUP_BPF" },
	{ "iter_tcp", "stat, and taking over connections that exist", probe_iter_tcp, "a kernel with CONFIG_BPF_SYSCALL and BTF, from 5.15" },
	{ "live_callbacks", "connections from before the load: their ends, terms of their paths", probe_live_callbacks,
	  "a kernel from 6.12; else what ended goes with the next change" },
	{ "tcx", "option policies at tc, as links", probe_tcx, "a kernel from 6.6; else clsact serves" },
	{ "clsact", "option policies at tc where there is no tcx", probe_clsact, "CONFIG_NET_SCH_INGRESS and CONFIG_NET_CLS_BPF" },
	{ "xdp", "option policies before the stack", probe_xdp, "a kernel with CONFIG_BPF_SYSCALL" },
	{ "xdp_dispatcher", "several XDP programs on a device", dispatcher_trial, "a kernel that allows freplace (no lockdown); else one serves, by a plain link" },
	{ "fentry", "nothing here needs it", probe_fentry, "a kernel with CONFIG_FUNCTION_TRACER and no lockdown" },
	{ "struct_ops_cc", "congestion controls", probe_cc, "a kernel from 5.6 with BTF" },
	{ "struct_ops_link", "congestion controls that end with their pins", probe_struct_ops_link, "a kernel from 6.11; else they stay until the next call" },
	{ "native_sched", "schedulers that decide for each packet", probe_native_sched, "the MPTCP developers' export tree; on stock kernels steering serves" },
	{ "netem", "the lab's paths; else its own relay serves", probe_netem, "CONFIG_NET_SCH_NETEM (module sch_netem)" },
};
const size_t nfeatures = sizeof(features) / sizeof(features[0]);

static bool hidden(const char *name)
{
	const char *list = getenv("MPTCP_BPF_HIDE"), *at = list;
	size_t n = strlen(name);

	while (at && (at = strstr(at, name))) {
		if ((at == list || at[-1] == ',') && (!at[n] || at[n] == ','))
			return true;
		at += n;
	}
	return false;
}

bool feature_probe(const struct feature *f, char *reason, size_t size)
{
	reason[0] = 0;
	if (hidden(f->name)) {
		snprintf(reason, size, "hidden by MPTCP_BPF_HIDE");
		return false;
	}
	return !f->probe(reason, size);
}

static struct {
	bool probed, there;
	char reason[256];
} known[sizeof(features) / sizeof(features[0])];

/* Probed once. Returns its place in known[]. */
static size_t know(const char *name)
{
	size_t i = 0;

	while (strcmp(features[i].name, name))
		i++;
	if (!known[i].probed) {
		known[i].there = feature_probe(&features[i], known[i].reason, sizeof(known[i].reason));
		known[i].probed = true;
	}
	return i;
}

bool feature_has(const char *name)
{
	return known[know(name)].there;
}

void feature_why(const char *name, char *reason, size_t size)
{
	size_t i = know(name);

	snprintf(reason, size, "%s", known[i].there ? "" : known[i].reason);
}
