/* SPDX-License-Identifier: GPL-2.0-only */
/* How many connections each client has, over all threads. IPv6 counts by /64: a client has as many addresses there as it likes. */
#ifndef MPB_CONVERT_CLIENTS_H
#define MPB_CONVERT_CLIENTS_H

#include <stdbool.h>
#include <stdint.h>
#include <netinet/in.h>

struct clients;

struct clients *clients_new(uint32_t max_each);
void clients_free(struct clients *c);

/* One more from this address; false: it has its share. */
bool clients_enter(struct clients *c, const struct in6_addr *addr);
void clients_leave(struct clients *c, const struct in6_addr *addr);

#endif
