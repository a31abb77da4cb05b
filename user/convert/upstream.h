/* SPDX-License-Identifier: GPL-2.0-only */
/* The socket towards a destination: the TCP options that a client asked for in an extended Connect, and those that came back. */
#ifndef MPB_CONVERT_UPSTREAM_H
#define MPB_CONVERT_UPSTREAM_H

#include <stdbool.h>
#include <stdint.h>
#include "message.h"

/* The kinds that a socket can offer or does anyway. */
extern const uint8_t upstream_kinds[5];

/* Options that cannot be used, since no socket sets them, or not to the value that they have: their kinds to `bad`. Returns how many. */
int upstream_unsupported(const uint8_t *options, uint32_t len, uint8_t bad[16]);

/* A socket on its way there, or -errno; or, with its kind in *bad, an option that this kernel does not take. */
int upstream_connect(const __be32 addr[4], __be16 port, const uint8_t *options, uint32_t len, bool mptcp, uint8_t *bad);

/* The code of the ICMP or ICMPv6 "destination unreachable" that ended the attempt; -1: it was none. */
int upstream_icmp(int fd);

/* Connected: ICMP is told no longer. */
void upstream_settled(int fd, const __be32 addr[4]);

/* MPTCP, and not fallen back to TCP; and, unless NULL, whether the peer's key has come. */
bool socket_is_mptcp(int fd, bool *has_key);

/* The Extended TCP Header TLV: the options of the destination's SYN+ACK as the socket tells them; values that it does not tell are zero. */
void upstream_header(int fd, struct message *m);

#endif
