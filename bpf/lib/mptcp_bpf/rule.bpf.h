/* SPDX-License-Identifier: GPL-2.0-only */
/* Which rule holds for a connection: asked at its birth, and again for live ones when rules change. */
#ifndef MPTCP_BPF_RULE_BPF_H
#define MPTCP_BPF_RULE_BPF_H

#include <mptcp_bpf/kernel.bpf.h>
#include <mptcp_bpf/rule.h>
#include <mptcp_bpf/state.h>

/* A connection as rules see it, and their verdict. */
struct mpb_matching {
	const struct mpb_rules *rules;
	struct mpb_tuple tuple; /* local end first */
	__u32 mark;
	struct cgroup *cgroup;
	__u32 sched;   /* slot; 0: none says */
	__u32 cc_rule; /* 1 + number of the rule that names the congestion control; 0: none says */
	__u32 demand;  /* enum mpb_demand */
};

static __always_inline int mpb_below_cgroup(struct cgroup *cgroup, const struct mpb_rule *r)
{
	struct cgroup *ancestor = NULL;

	if (!cgroup || BPF_CORE_READ(cgroup, level) < (int)r->cgroup_level)
		return 0;
	bpf_probe_read_kernel(&ancestor, sizeof(ancestor), (void *)cgroup + bpf_core_field_offset(cgroup->ancestors) + r->cgroup_level * sizeof(ancestor));
	return BPF_CORE_READ(ancestor, kn, id) == r->cgroup;
}

static long mpb_rule_step(__u32 i, struct mpb_matching *m)
{
	const struct mpb_rule *r;

	if (i >= MPB_RULES_MAX || i >= m->rules->n)
		return 1;
	r = &m->rules->rule[i];
	if ((m->sched || !r->sched) && (m->cc_rule || !r->cc[0]) && (m->demand || !r->demand))
		return 0;
	if ((r->by & MPB_BY_PEER && !mpb_prefix_match(m->tuple.daddr, r->peer, r->peer_bits)) ||
	    (r->by & MPB_BY_PEER_PORT && bpf_ntohs(m->tuple.dport) != r->peer_port) ||
	    (r->by & MPB_BY_LOCAL_PORT && bpf_ntohs(m->tuple.sport) != r->local_port) || (r->by & MPB_BY_MARK && m->mark != r->mark) ||
	    (r->by & MPB_BY_CGROUP && !mpb_below_cgroup(m->cgroup, r)))
		return 0;
	if (!m->sched)
		m->sched = r->sched;
	if (!m->cc_rule && r->cc[0])
		m->cc_rule = i + 1;
	if (!m->demand)
		m->demand = r->demand;
	return 0;
}

/* Ask the rules about the connection whose first subflow is sk; m->rules and m->tuple are set. */
static __always_inline void mpb_rules_ask(struct mpb_matching *m, struct sock *sk)
{
	m->mark = BPF_CORE_READ(sk, sk_mark);
	m->cgroup = BPF_CORE_READ(sk, sk_cgrp_data.cgroup);
	bpf_loop(MPB_RULES_MAX, mpb_rule_step, m, 0);
}

#endif
