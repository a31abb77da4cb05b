/* SPDX-License-Identifier: GPL-2.0-only */
/* Probes of a path: a segment of one of its subflows that carries again the last byte which the peer has acknowledged (a keep-alive, RFC 9293 3.8.4). A
 * peer that has the subflow acknowledges at once, one that has closed it resets: either shows that the path works. */
#ifndef MPB_PROBE_H
#define MPB_PROBE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <mptcp_bpf/state.h>

struct probe {
	struct mpb_tuple tuple; /* local end first */
	uint32_t seq, ack;
	uint32_t ifindex;       /* to send it by; 0: as the routes say */
	uint16_t window;
};

int probe_open(int sk[2]); /* raw sockets for IPv4 and IPv6, which receive nothing; the second is -1 where there is no IPv6 */
int probe_send(const int sk[2], const struct probe *p);

/* An acknowledgement that withdraws an address of this end from the connection: RM_ADDR (RFC 8684 3.4.2), which needs no key. */
int probe_withdraw(const int sk[2], const struct probe *p, uint8_t address_id);

/* A socket that gets what TCP sends from one address to the other. */
int probe_listen(const struct mpb_tuple *t);
bool probe_heard(int sk);

#endif
