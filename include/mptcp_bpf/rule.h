/* SPDX-License-Identifier: GPL-2.0-only */
/* Rules: which connection gets which packet scheduler and congestion control. A namespace's rules are one value of one map, so a change is atomic. */
#ifndef MPTCP_BPF_RULE_H
#define MPTCP_BPF_RULE_H

#include <linux/types.h>

#define MPB_RULES_MAX 64
#define MPB_PATHS_MAX 32
#define MPB_CC_LEN 16 /* TCP_CA_NAME_MAX */

/* What a rule looks at; bits of mpb_rule.by. A rule without any is a default. */
enum {
	MPB_BY_PEER = 1 << 0,
	MPB_BY_PEER_PORT = 1 << 1,
	MPB_BY_LOCAL_PORT = 1 << 2,
	MPB_BY_MARK = 1 << 3,
	MPB_BY_CGROUP = 1 << 4,
};

struct mpb_rule {
	__be32 peer[4];      /* IPv4 as IPv4-mapped IPv6 */
	__u64 cgroup;        /* ID of a cgroup; those below it match too */
	__u32 cgroup_level;  /* its depth; the root's is 0 */
	__u32 mark;
	__u32 prio;          /* lower is looked at first */
	__u16 peer_port;     /* host order */
	__u16 local_port;
	__u8 peer_bits;      /* of peer that count: 0..128 */
	__u8 by;
	__u8 sched;          /* slot of a scheduler; 0: says nothing of it */
	__u8 convert;        /* slot of a converter; 0: says nothing of it */
	__u8 demand;         /* enum mpb_demand */
	__u8 pad[3];
	char cc[MPB_CC_LEN]; /* name of a congestion control; "": says nothing of it */
};
_Static_assert(sizeof(struct mpb_rule) == 64, "struct mpb_rule crosses a boundary");

/* In the order in which they are looked at. The first that says something of a matter decides it. */
struct mpb_rules {
	__u32 n;
	__u32 pad;
	__u64 paced; /* slots whose policy asks for rates, a bit each */
	struct mpb_rule rule[MPB_RULES_MAX];
};
_Static_assert(sizeof(struct mpb_rules) == 4112, "struct mpb_rules crosses a boundary");

enum mpb_path_by { MPB_PATH_DEV, MPB_PATH_FROM, MPB_PATH_ID };

/* What an operator says of a path. */
struct mpb_path {
	__u64 rate;     /* bytes per second; 0: not said */
	__be32 from[4]; /* source prefix */
	__u32 ifindex;
	__u32 weight;   /* 0..1000 */
	__u32 cost;     /* 0..1000 */
	__u8 by;        /* enum mpb_path_by */
	__u8 from_bits;
	__u8 id;        /* local address ID */
	__u8 pad;
	__u64 obey;     /* bytes per second, from which on a peer's rate is obeyed; 0: no terms of peers are */
	__u16 ask_rate; /* what peers are asked for: words of struct mpb_terms; 0: nothing */
	__u16 ask_idle;
	__u8 pad2[4];
};
_Static_assert(sizeof(struct mpb_path) == 56, "struct mpb_path crosses a boundary");

/* The last that matches a subflow holds for it: devices stand first, then prefixes from short to long, then IDs. */
struct mpb_paths {
	__u32 n;
	__u32 generation; /* changes with every change */
	struct mpb_path path[MPB_PATHS_MAX];
};
_Static_assert(sizeof(struct mpb_paths) == 1800, "struct mpb_paths crosses a boundary");

static inline __u32 mpb_prefix_word(__u32 bits, __u32 word)
{
	bits = bits > word * 32 ? bits - word * 32 : 0;
	return bits >= 32 ? ~0U : ~(~0U >> bits);
}

/* Does the address begin with the first `bits` bits of the prefix? Both in network order. */
static inline int mpb_prefix_match(const __be32 addr[4], const __be32 prefix[4], __u32 bits)
{
	for (__u32 w = 0; w < 4; w++)
		if ((__builtin_bswap32(addr[w]) ^ __builtin_bswap32(prefix[w])) & mpb_prefix_word(bits, w))
			return 0;
	return 1;
}

/* Does the path mean what leaves by this device, with this source address and this local address ID? */
static inline int mpb_path_match(const struct mpb_path *p, __u32 ifindex, const __be32 from[4], __u8 id)
{
	return p->by == MPB_PATH_DEV ? p->ifindex == ifindex : p->by == MPB_PATH_ID ? p->id == id : mpb_prefix_match(from, p->from, p->from_bits);
}

#endif
