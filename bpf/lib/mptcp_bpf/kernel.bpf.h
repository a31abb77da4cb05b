/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel types that are read, with just the fields that are read. CO-RE finds each field by name in the running kernel's BTF, so order and
 * neighbours do not matter here, and an object does not depend on the builder's kernel. */
#ifndef MPTCP_BPF_KERNEL_BPF_H
#define MPTCP_BPF_KERNEL_BPF_H

#include <linux/bpf.h>
#include <linux/in6.h>
#include <stdbool.h>
#include <bpf/bpf_helpers.h>
#include <mptcp_bpf/map.bpf.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>

#define AF_INET 2
#define AF_INET6 10

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

struct net {
	__u64 net_cookie;
};

typedef struct {
	struct net *net;
} possible_net_t;

struct sock_common {
	__be32 skc_daddr;
	__be32 skc_rcv_saddr;
	__be16 skc_dport;
	__u16 skc_num;
	unsigned short skc_family;
	volatile unsigned char skc_state;
	int skc_bound_dev_if;
	possible_net_t skc_net;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
};

struct net_device {
	int ifindex;
	unsigned short type;
	const unsigned char *dev_addr;
};

struct dst_entry {
	struct net_device *dev;
};

struct kernfs_node {
	__u64 id;
};

struct cgroup {
	int level;
	struct kernfs_node *kn;
	struct cgroup *ancestors[0];
};

struct sock_cgroup_data {
	struct cgroup *cgroup;
};

struct sock {
	struct sock_common __sk_common;
	struct dst_entry *sk_dst_cache;
	unsigned long sk_pacing_rate;
	__u8 sk_pacing_shift;
	unsigned int sk_gso_max_size;
	unsigned long sk_max_pacing_rate;
	__u32 sk_pacing_status;
	__u32 sk_mark;
	int sk_wmem_queued;
	int sk_err;
	__u8 sk_userlocks : 4;
	struct sock_cgroup_data sk_cgrp_data;
};

struct inet_sock {
	struct sock sk;
};

struct ack_sample {
	__s32 rtt_us;
};

struct tcp_congestion_ops {
	__u32 (*ssthresh)(struct sock *sk);
	void (*cong_avoid)(struct sock *sk, __u32 ack, __u32 acked);
	void (*set_state)(struct sock *sk, __u8 new_state);
	void (*pkts_acked)(struct sock *sk, const struct ack_sample *sample);
	__u32 (*undo_cwnd)(struct sock *sk);
	void (*init)(struct sock *sk);
	void (*release)(struct sock *sk);
	__u32 flags;
	char name[16];
};

struct inet_connection_sock {
	struct inet_sock icsk_inet;
	const struct tcp_congestion_ops *icsk_ca_ops;
	void *icsk_ulp_data;
	__u8 icsk_ca_state : 5;
	__u8 icsk_retransmits;
	__u64 icsk_ca_priv[13];
};

struct minmax_sample {
	__u32 v;
};

struct minmax {
	struct minmax_sample s[3];
};

struct tcp_rack {
	__u32 rtt_us;
};

struct tcp_options_received {
	__u16 snd_wscale : 4;
	__u16 rcv_wscale : 4;
};

struct list_head {
	struct list_head *next;
};

struct tcp_sock {
	struct inet_connection_sock inet_conn;
	__u32 mss_cache;
	__u32 snd_cwnd;
	__u32 snd_cwnd_clamp;
	__u32 snd_ssthresh;
	__u32 max_packets_out;
	__u32 is_cwnd_limited : 1;
	__u64 tcp_mstamp;
	__u64 delivered_mstamp; /* us of CLOCK_MONOTONIC, when something was acknowledged last */
	__u32 lost_out;
	__u32 sacked_out;
	__u32 retrans_out;
	__u32 packets_out;
	__u32 lost;
	__u64 bytes_sent;
	__u64 bytes_acked;
	__u64 bytes_retrans;
	__u64 bytes_received;
	__u32 dsack_dups;
	__u32 write_seq;
	__u32 snd_nxt;
	__u32 snd_una;
	__u32 snd_wnd;
	__u32 rcv_nxt;
	__u32 rcv_wnd;
	__u32 segs_in;
	struct list_head tsorted_sent_queue; /* in flight, oldest transmission first */
	__u32 srtt_us;
	__u32 mdev_us;
	__u32 rttvar_us;
	struct minmax rtt_min;
	struct tcp_rack rack;
	struct tcp_options_received rx_opt;
	__u32 rate_delivered;
	__u32 rate_interval_us;
	bool is_mptcp;
	__u8 bpf_sock_ops_cb_flags;
};

struct mptcp_subflow_context {
	unsigned long avg_pacing_rate;
	__u64 local_key;
	__u32 token;
	__u32 request_join : 1;
	__u32 request_bkup : 1;
	__u32 mp_capable : 1;
	__u32 mp_join : 1;
	__u32 mpc_drop : 1; /* from 6.11 */
	__u32 backup : 1;
	__u32 stale : 1;
	__u32 fully_established : 1; /* a bool since 6.13; the bit-field read fits both */
	__u32 subflow_id;
	__s16 local_id; /* __u8 before 6.8: read by its size in the running kernel */
	__u8 remote_id;
	__u8 reset_seen : 1;
	__u8 reset_transient : 1;
	__u8 reset_reason : 4;
	struct sock *conn;
};

struct mptcp_sched_ops {
	char name[16];
};

struct rb_node;

struct rb_root {
	struct rb_node *rb_node;
};

struct sk_buff {
	struct list_head tcp_tsorted_anchor;
	__u64 skb_mstamp_ns;
	char cb[48];
};

struct mptcp_skb_cb {
	__u64 end_seq;
};

struct mptcp_sock {
	__u64 write_seq;
	__u64 snd_nxt;
	__u64 snd_una;
	__u64 wnd_end;
	__u64 ack_seq;
	__u64 bytes_sent; /* these four from 6.5 */
	__u64 bytes_received;
	__u64 bytes_retrans;
	__u64 bytes_acked;
	bool csum_enabled;
	struct sk_buff *ooo_last_skb;
	struct rb_root out_of_order_queue;
	__u32 token;
	struct mptcp_sched_ops *sched;
};

struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
	__u64 session_id;
	__u64 seq_num;
};

struct bpf_iter__tcp {
	struct bpf_iter_meta *meta;
	struct sock_common *sk_common;
	__u32 uid;
};

#pragma clang attribute pop

#endif
