/* SPDX-License-Identifier: GPL-2.0-only */
/* Places of subflows in a connection's record; whoever changes them holds its `busy`. */
#ifndef MPTCP_BPF_PLACE_BPF_H
#define MPTCP_BPF_PLACE_BPF_H

#include <mptcp_bpf/kernel.bpf.h>
#include <mptcp_bpf/steer.h>

static __always_inline int mpb_same_tuple(const struct mpb_tuple *a, const struct mpb_tuple *b)
{
	const __u32 *x = (const __u32 *)a, *y = (const __u32 *)b;
	__u32 differ = 0;

	for (__u32 i = 0; i < sizeof(*a) / sizeof(*x); i++)
		differ |= x[i] ^ y[i];
	return !differ;
}

static __always_inline void mpb_forget(struct mpb_steer *c, __u32 i)
{
	i &= MPB_SUBFLOWS - 1;
	c->used &= ~mpb_bit(i);
	c->view.alive &= ~mpb_bit(i);
	c->backup &= ~mpb_bit(i);
	c->wish &= ~mpb_bit(i);
	c->woken &= ~mpb_bit(i);
	c->sk[i] = c->paced[i] = c->flipped_ns[i] = c->read_ns[i] = 0;
	__builtin_memset(&c->view.sf[i], 0, sizeof(c->view.sf[i]));
}

/* The number of the subflow in the view; a place is found for a new one. -1: all are taken. */
static __noinline int mpb_place(struct mpb_steer *c, struct mpb_subflow *sf, const struct mpb_tuple *key)
{
	__u32 i = (sf->index - 1) & (MPB_SUBFLOWS - 1), k;

	if (sf->index && c->used & mpb_bit(i) && c->sk[i] == sf->sk && mpb_same_tuple(&c->tuple[i], key))
		return i;
	for (k = 0; k < MPB_SUBFLOWS; k++)
		if (!(c->used & mpb_bit(k)))
			break;
	if (k == MPB_SUBFLOWS)
		return -1;
	mpb_forget(c, k);
	c->tuple[k] = *key;
	c->sk[k] = sf->sk;
	c->used |= mpb_bit(k);
	if (sf->peer_backup)
		c->wish |= mpb_bit(k);
	c->view.sf[k].local_id = sf->local_id;
	c->view.sf[k].remote_id = sf->remote_id;
	c->paths = 0;
	sf->index = k + 1;
	return k;
}

#endif
