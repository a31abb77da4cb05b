/* SPDX-License-Identifier: GPL-2.0-only */
/* Cookies of the Cookie TLV (RFC 8803 sections 6.2.6 and 7.3): a keyed hash of the client's address and the hour, so that nothing is kept. */
#ifndef MPB_CONVERT_COOKIE_H
#define MPB_CONVERT_COOKIE_H

#include <stdbool.h>
#include <stdint.h>
#include <linux/types.h>

#define COOKIE_LEN 8

struct cookie_key {
	uint64_t k[2];
};

/* A random key, or, with a path, the file's first 16 bytes: for converters that share an address, and across restarts. */
int cookie_key(struct cookie_key *key, const char *path);

void cookie_make(const struct cookie_key *key, const __be32 addr[4], uint8_t cookie[COOKIE_LEN]);

/* Made in this hour or in the one before. */
bool cookie_holds(const struct cookie_key *key, const __be32 addr[4], const uint8_t *cookie, uint32_t len);

/* SipHash-2-4 (Aumasson, Bernstein 2012) of n words. */
uint64_t siphash(const struct cookie_key *key, const uint64_t *words, int n);

#endif
