/* SPDX-License-Identifier: GPL-2.0-only */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include "clients.h"
#include "cookie.h"

#define BUCKETS 4096

struct client {
	struct client *next;
	uint64_t key[2];
	uint32_t n;
};

struct clients {
	pthread_mutex_t lock;
	uint32_t max;
	struct cookie_key hash; /* so that nobody chooses addresses that fall together */
	struct client *bucket[BUCKETS];
};

struct clients *clients_new(uint32_t max_each)
{
	struct clients *c = calloc(1, sizeof(*c));

	if (!c || cookie_key(&c->hash, NULL)) {
		free(c);
		return NULL;
	}
	pthread_mutex_init(&c->lock, NULL);
	c->max = max_each;
	return c;
}

void clients_free(struct clients *c)
{
	if (!c)
		return;
	for (int i = 0; i < BUCKETS; i++) {
		struct client *next;

		for (struct client *e = c->bucket[i]; e; e = next) {
			next = e->next;
			free(e);
		}
	}
	free(c);
}

static struct client **find(struct clients *c, const struct in6_addr *addr, uint64_t key[2])
{
	struct client **e;

	memcpy(key, addr, sizeof(*addr));
	if (!IN6_IS_ADDR_V4MAPPED(addr))
		key[1] = 0;
	e = &c->bucket[siphash(&c->hash, key, 2) % BUCKETS];
	while (*e && memcmp((*e)->key, key, sizeof((*e)->key)))
		e = &(*e)->next;
	return e;
}

bool clients_enter(struct clients *c, const struct in6_addr *addr)
{
	struct client **e;
	uint64_t key[2];
	bool enters;

	pthread_mutex_lock(&c->lock);
	e = find(c, addr, key);
	if (!*e) {
		*e = calloc(1, sizeof(**e));
		if (*e)
			memcpy((*e)->key, key, sizeof(key));
	}
	enters = *e && (*e)->n < c->max;
	if (enters)
		(*e)->n++;
	pthread_mutex_unlock(&c->lock);
	return enters;
}

void clients_leave(struct clients *c, const struct in6_addr *addr)
{
	struct client **e, *gone;
	uint64_t key[2];

	pthread_mutex_lock(&c->lock);
	e = find(c, addr, key);
	gone = *e;
	if (gone && !--gone->n) {
		*e = gone->next;
		free(gone);
	}
	pthread_mutex_unlock(&c->lock);
}
