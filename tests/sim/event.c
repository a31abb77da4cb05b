/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdlib.h>
#include "sim.h"

struct event {
	uint64_t when, order;
	void (*run)(void *who, uint64_t a, uint64_t b);
	void *who;
	uint64_t a, b;
};

uint64_t now;
static struct event *heap;
static size_t nheap, size;
static uint64_t order, state = 1;

static bool before(const struct event *a, const struct event *b)
{
	return a->when != b->when ? a->when < b->when : a->order < b->order;
}

void at(uint64_t when, void (*run)(void *who, uint64_t a, uint64_t b), void *who, uint64_t a, uint64_t b)
{
	struct event e = { when > now ? when : now, order++, run, who, a, b };
	size_t i = nheap++;

	if (nheap > size) {
		size = size ? 2 * size : 1024;
		heap = realloc(heap, size * sizeof(*heap));
		if (!heap)
			abort();
	}
	for (; i && before(&e, &heap[(i - 1) / 2]); i = (i - 1) / 2)
		heap[i] = heap[(i - 1) / 2];
	heap[i] = e;
}

static struct event take_first(void)
{
	struct event first = heap[0], last = heap[--nheap];
	size_t i = 0, child;

	for (; (child = 2 * i + 1) < nheap; i = child) {
		if (child + 1 < nheap && before(&heap[child + 1], &heap[child]))
			child++;
		if (!before(&heap[child], &last))
			break;
		heap[i] = heap[child];
	}
	heap[i] = last;
	return first;
}

void run_until(uint64_t end)
{
	while (nheap && heap[0].when < end) {
		struct event e = take_first();

		now = e.when;
		e.run(e.who, e.a, e.b);
	}
	now = end;
	free(heap);
	heap = NULL;
	nheap = size = 0;
}

void random_seed(uint64_t seed)
{
	state = seed;
}

/* splitmix64 (Steele, Lea, Flood, OOPSLA 2014) */
double random_unit(void)
{
	uint64_t z = state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ z >> 27) * 0x94d049bb133111ebULL;
	return (double)((z ^ z >> 31) >> 11) / (1ULL << 53);
}
