/* SPDX-License-Identifier: GPL-2.0-only */
/* Kernel interface that Debian 12's headers are too old to have. Each with the kernel that brought it; drop it when the floor has it. */
#ifndef MPB_UAPI_H
#define MPB_UAPI_H

#include <linux/types.h>

#define MPB_BPF_TCX_INGRESS 46 /* enum bpf_attach_type, 6.6 */
#define MPB_BPF_TCX_EGRESS 47
#define MPB_BPF_F_BEFORE (1U << 3) /* 6.6 */
#define MPB_BPF_F_LINK (1U << 13) /* of a struct_ops map, 6.4 */
#define MPB_BPF_LINK_TYPE_TCX 11 /* enum bpf_link_type, 6.6 */

#define MPB_IPPROTO_MPTCP 262        /* 5.6 */
#define MPB_INET_DIAG_REQ_PROTOCOL 3 /* attribute of a diag request, 5.9 */
#define MPB_MPTCP_INFO_FALLBACK 0x01
#define MPB_MPTCP_INFO_REMOTE_KEY 0x02
#define MPB_SOL_MPTCP 284            /* 5.16 */
#define MPB_MPTCP_INFO 1
#define MPB_TCPI_OPT_SYN_DATA 32     /* data in the SYN was acknowledged, 3.7 */

/* struct mptcp_info of linux/mptcp.h as of 6.5; older kernels answer with fewer bytes. */
struct mpb_mptcp_info {
	__u8 subflows;
	__u8 add_addr_signal;
	__u8 add_addr_accepted;
	__u8 subflows_max;
	__u8 add_addr_signal_max;
	__u8 add_addr_accepted_max;
	__u32 flags;
	__u32 token;
	__u64 write_seq;
	__u64 snd_una;
	__u64 rcv_nxt;
	__u8 local_addr_used;
	__u8 local_addr_max;
	__u8 csum_enabled;
	__u32 retransmits;
	__u64 bytes_retrans;
	__u64 bytes_sent;
	__u64 bytes_received;
	__u64 bytes_acked;
};

#endif
