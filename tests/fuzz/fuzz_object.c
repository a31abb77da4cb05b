/* SPDX-License-Identifier: GPL-2.0-only */
/* Bytes -> policy_open_mem(): whatever stands in a file named on the command line, opening it ends in a policy whose description keeps its promises or
 * in an error that says why. libbpf and libelf are the system's; the mutator knows ELF enough to reach them behind the checks of user/policy.c. */
#include <elf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "err.h"
#include "policy.h"
#include "fuzz.h"

const struct catalog_entry mpb_catalog[] = { { NULL, NULL } }; /* none embedded */

static void check_text(const char *s, size_t size)
{
	FUZZ_ASSERT(strnlen(s, size) < size);
	for (; *s; s++)
		FUZZ_ASSERT(*s >= ' ' && *s <= '~');
}

static void check_desc(const struct desc *d)
{
	FUZZ_ASSERT(d->policy.abi == MPB_ABI);
	FUZZ_ASSERT(d->policy.kind < MPB_KIND_MAX);
	FUZZ_ASSERT(d->policy.name[0]);
	check_text(d->policy.name, sizeof(d->policy.name));
	check_text(d->policy.summary, sizeof(d->policy.summary));
	FUZZ_ASSERT(d->ntunables >= 0 && d->ntunables <= TUNABLES_MAX);
	for (int i = 0; i < d->ntunables; i++) {
		const struct tunable *t = &d->tunables[i];

		check_text(t->name, sizeof(t->name));
		check_text(t->help, sizeof(t->help));
		FUZZ_ASSERT(t->size == 1 || t->size == 2 || t->size == 4 || t->size == 8);
		FUZZ_ASSERT(t->min <= t->dfl && t->dfl <= t->max);
		FUZZ_ASSERT(t->size == 8 || !(t->max >> (8 * t->size)));
		FUZZ_ASSERT(t->slot >= -1);
	}
	FUZZ_ASSERT(d->ncounters >= 0 && d->ncounters <= MPB_COUNTERS_MAX);
	for (int i = 0; i < d->ncounters; i++)
		check_text(d->counters[i], sizeof(d->counters[i]));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct policy p;
	uint8_t *copy;

	copy = malloc(size); /* may be empty: its end is the image's end, for ASan */
	if (!copy && size)
		return 0;
	memcpy(copy, data, size);
	policy_verbosity(0);
	err_clear();
	if (!policy_open_mem("fuzz", copy, size, &p)) {
		check_desc(&p.desc);
		policy_close(&p);
	} else {
		FUZZ_ASSERT(!p.obj && !p.image);
	}
	free(copy);
	return 0;
}

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed);

static uint32_t next(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

/* Change one aligned field of 1, 2, 4 or 8 bytes to what is interesting in an object: a number nearby or small, another field's, a limit. */
static void mutate_field(uint8_t *data, size_t size, uint32_t *rnd)
{
	static const uint64_t limits[] = { 0, 1, 2, 0x7f, 0x80, 0xff, 0x7fff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff, ~0ULL >> 1, ~0ULL };
	size_t width = (size_t)1 << (next(rnd) % 8 < 5 ? 2 : next(rnd) % 4);
	uint64_t value = 0;
	uint8_t *at;

	if (size < width)
		return;
	at = data + next(rnd) % (size / width) * width;
	memcpy(&value, at, width);
	switch (next(rnd) % 7) {
	case 0:
		value = limits[next(rnd) % (sizeof(limits) / sizeof(limits[0]))];
		break;
	case 1:
		value = next(rnd) % 64;
		break;
	case 2:
		memcpy(&value, data + next(rnd) % (size / width) * width, width);
		break;
	case 3: /* so that a sum of two wraps */
		memcpy(&value, data + next(rnd) % (size / width) * width, width);
		value = -value;
		break;
	case 4:
		value ^= 1ULL << next(rnd) % (8 * width);
		break;
	case 5:
		value += next(rnd) % 33 - 16;
		break;
	default:
		value = (uint64_t)next(rnd) << 32 | next(rnd);
	}
	memcpy(at, &value, width);
}

/* The part of an object to work on: the ELF header, the section headers, or a section. */
static void choose_part(const uint8_t *data, size_t size, uint32_t *rnd, size_t *off, size_t *len)
{
	Elf64_Ehdr eh;
	Elf64_Shdr sh;
	uint32_t pick;

	*off = 0;
	*len = size;
	if (size < sizeof(eh))
		return;
	memcpy(&eh, data, sizeof(eh));
	if (eh.e_shoff >= size || !eh.e_shnum || eh.e_shnum > (size - eh.e_shoff) / sizeof(sh))
		return;
	pick = next(rnd) % (eh.e_shnum + 2U);
	if (pick == 0) {
		*len = sizeof(eh);
	} else if (pick == 1) {
		*off = eh.e_shoff;
		*len = eh.e_shnum * sizeof(sh);
	} else {
		memcpy(&sh, data + eh.e_shoff + (pick - 2) * sizeof(sh), sizeof(sh));
		if (sh.sh_offset >= size || sh.sh_size > size - sh.sh_offset || sh.sh_type == SHT_NOBITS || !sh.sh_size)
			return;
		*off = sh.sh_offset;
		*len = sh.sh_size;
	}
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned int seed)
{
	uint32_t rnd = seed * 2654435761U | 1;
	size_t off, len;

	if (next(&rnd) % 8 == 0)
		return LLVMFuzzerMutate(data, size, max);
	choose_part(data, size, &rnd, &off, &len);
	for (uint32_t i = 1 + next(&rnd) % 4; i; i--)
		mutate_field(data + off, len, &rnd);
	return size;
}
