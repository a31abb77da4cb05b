/* SPDX-License-Identifier: GPL-2.0-only */
/* Who may use a converter, and to where. Addresses are in IPv6 form, network order. */
#ifndef MPB_CONVERT_ACL_H
#define MPB_CONVERT_ACL_H

#include <stdbool.h>
#include <linux/types.h>

#define ACL_MAX 256

struct acl {
	struct {
		__be32 addr[4];
		__u8 bits;
	} prefix[ACL_MAX];
	int n;
};

int acl_add(struct acl *a, const char *what, const char *word);
bool acl_has(const struct acl *a, const __be32 addr[4]);

/* No unicast address of another host: multicast, broadcast, loopback, unspecified. A Connect that names one is malformed (RFC 8803 section 6.2.8). */
bool addr_is_no_host(const __be32 addr[4]);

/* Private use, link-local, shared, documentation and reserved (the special-purpose registries of RFC 6890). */
bool addr_is_private(const __be32 addr[4]);

/* One of this host's own. */
bool addr_is_local(const __be32 addr[4]);

#endif
