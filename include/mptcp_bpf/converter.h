/* SPDX-License-Identifier: GPL-2.0-only */
/* A namespace's converters, and the connections that go through them: what data path and controller share. */
#ifndef MPTCP_BPF_CONVERTER_H
#define MPTCP_BPF_CONVERTER_H

#include <mptcp_bpf/convert.h>
#include <mptcp_bpf/state.h>

#define MPB_CONVERTERS 16       /* slot 0 is none */
#define MPB_CONVERT_REQUEST 64  /* bytes of a request at most: 24, and a cookie of 36 */
#define MPB_CONVERT_HEAD 8      /* bytes of a reply that decide: its header, and whether an Error TLV comes first */
#define MPB_CONVERT_REPLY 64    /* bytes of a reply at most that can be taken out from in front of data */

#define MPB_CONVERT_BARE 8      /* segments without a DATA_ACK that are not taken for a fallback to TCP */

/* X(name, help). */
#define MPB_CONVERTER_COUNTERS(X)                                                          \
	X(redirected, "connections sent to the converter")                                 \
	X(joined, "further subflows of these")                                             \
	X(replied, "connections that the converter completed")                             \
	X(errors, "connections that the converter refused")                                \
	X(unacked, "connections refused here: it did not take the request from the SYN")   \
	X(silent, "times it was given up: no answer")                                      \
	X(bypassed, "connections that went direct, since it had been given up")            \
	X(unfit, "connections that went direct: an IPv4 socket cannot reach it")           \
	X(full, "connections that could not be recorded, and failed")                      \
	X(dropped, "segments dropped: reply in pieces, or lost, or no DATA_ACK yet")

/* Of `used`. */
#define MPB_CONVERTER_GIVEN 1
#define MPB_CONVERTER_BROUGHT 2 /* and its cookie was brought by an error */

#define MPB_CONVERT_WAIT 30     /* seconds, where an error that asks for patience says none (section 6.2.8) */

/* How far a connection has ended: a FIN of the host's, one of the converter's, a RST. */
#define MPB_CLOSING_HOST 1
#define MPB_CLOSING_PEER 2
#define MPB_CLOSING_RST 4

struct mpb_converter {
	char name[16];
	__be32 addr[4];
	__be16 port;
	__u8 used;                         /* 0: not */
	__u8 last_error;                   /* code of the last Error TLV */
	__u32 request_len;                 /* a multiple of 4 */
	__u8 request[MPB_CONVERT_REQUEST]; /* but for destination and port */
	__u64 bypass_ns;                   /* how long it is bypassed when it does not answer */
	__u64 down_until_ns;               /* CLOCK_MONOTONIC */
#define X(name, help) __u64 name;
	MPB_CONVERTER_COUNTERS(X)
#undef X
};

/* A subflow to a converter, or a TCP connection; keyed by its tuple, local end first. */
struct mpb_converted {
	__u64 timer[2];  /* struct bpf_timer */
	__u64 seen_ns;
	__u32 token;     /* of the MPTCP connection; 0: TCP */
	__u32 isn, irs;
	__u32 sent;      /* bytes of the request in the SYN; 0 on a joined subflow */
	__u32 reply;     /* bytes of the reply; 0: not known yet */
	__u32 got;       /* of these, arrived */
	__u8 slot;
	__u8 join;
	__u8 acked;      /* the request, by the SYN+ACK; 2: and that by the host */
	__u8 closing;    /* MPB_CLOSING_* */
	__u8 syns;       /* retransmitted */
	__u8 past;       /* far beyond the reply: its numbers will come again */
	__u8 refused;
	__u8 bare;       /* segments held back for want of a DATA_ACK, at most MPB_CONVERT_BARE: one has come, or is not waited for */
	__u8 head[MPB_CONVERT_HEAD]; /* of the reply, as far as it has come */
	__u8 timed;      /* the timer runs */
	__u8 pad[7];
};

/* An MPTCP connection through a converter, keyed by its local token. */
struct mpb_converted_conn {
	__u64 key;       /* the local one: for MP_FASTCLOSE */
	__be32 dest[4];
	__be16 port;
	__u16 sum;       /* of the reply's bytes, in ones' complement, host order */
	__u32 reply;     /* bytes in front of the peer's stream; 0: not known yet */
	__u32 subflows;
	__u32 pad;
};

#endif
