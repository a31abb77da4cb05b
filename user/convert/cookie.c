/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>
#include "cookie.h"
#include "err.h"

static uint64_t rotl(uint64_t x, int n)
{
	return x << n | x >> (64 - n);
}

static void rounds(uint64_t v[4], int n)
{
	while (n--) {
		v[0] += v[1];
		v[2] += v[3];
		v[1] = rotl(v[1], 13) ^ v[0];
		v[3] = rotl(v[3], 16) ^ v[2];
		v[0] = rotl(v[0], 32);
		v[2] += v[1];
		v[0] += v[3];
		v[1] = rotl(v[1], 17) ^ v[2];
		v[3] = rotl(v[3], 21) ^ v[0];
		v[2] = rotl(v[2], 32);
	}
}

uint64_t siphash(const struct cookie_key *key, const uint64_t *words, int n)
{
	uint64_t v[4] = { key->k[0] ^ 0x736f6d6570736575, key->k[1] ^ 0x646f72616e646f6d, key->k[0] ^ 0x6c7967656e657261, key->k[1] ^ 0x7465646279746573 };

	for (int i = 0; i <= n; i++) {
		uint64_t m = i < n ? words[i] : (uint64_t)(n * 8) << 56; /* the last holds the length */

		v[3] ^= m;
		rounds(v, 2);
		v[0] ^= m;
	}
	v[2] ^= 0xff;
	rounds(v, 4);
	return v[0] ^ v[1] ^ v[2] ^ v[3];
}

int cookie_key(struct cookie_key *key, const char *path)
{
	int fd;

	if (!path)
		return getrandom(key, sizeof(*key), 0) == sizeof(*key) ? 0 : err_fail(errno, "cookie", "no random key: %s", strerror(errno));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_fail(errno, path, "cannot open: %s", strerror(errno));
	if (read(fd, key, sizeof(*key)) != sizeof(*key)) {
		close(fd);
		return err_fail(EINVAL, path, "a key has at least %zu bytes", sizeof(*key));
	}
	close(fd);
	return 0;
}

static uint64_t hash(const struct cookie_key *key, const __be32 addr[4], uint64_t hour)
{
	uint64_t words[3] = { (uint64_t)addr[0] << 32 | addr[1], (uint64_t)addr[2] << 32 | addr[3], hour };

	return siphash(key, words, 3);
}

void cookie_make(const struct cookie_key *key, const __be32 addr[4], uint8_t cookie[COOKIE_LEN])
{
	uint64_t h = hash(key, addr, time(NULL) / 3600);

	memcpy(cookie, &h, COOKIE_LEN);
}

bool cookie_holds(const struct cookie_key *key, const __be32 addr[4], const uint8_t *cookie, uint32_t len)
{
	uint64_t hour = time(NULL) / 3600, got;

	if (len != COOKIE_LEN)
		return false;
	memcpy(&got, cookie, COOKIE_LEN);
	return !(got ^ hash(key, addr, hour)) | !(got ^ hash(key, addr, hour - 1));
}
