/* SPDX-License-Identifier: GPL-2.0-only */
/* A policy as the controller sees it: everything it says of itself, read from an object (embedded or on disk) or from a loaded policy's pins. */
#ifndef MPB_POLICY_H
#define MPB_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <mptcp_bpf/policy.h>

struct btf;
struct bpf_object;

#define TUNABLES_MAX 32

struct tunable {
	char name[32];
	char help[160];
	uint32_t off;  /* in section .data.tune */
	uint32_t size; /* 1, 2, 4 or 8 bytes */
	int slot;      /* key of its per-device values; -1: it has none */
	uint64_t dfl, min, max;
};

struct desc {
	struct mpb_policy policy;
	int ntunables;
	struct tunable tunables[TUNABLES_MAX];
	int ncounters;
	char counters[MPB_COUNTERS_MAX][32];
};

/* Read the description from BTF and the bytes of .rodata.policy. Everything is checked; what is wrong goes to err under the name `what`. */
int desc_read(const char *what, const struct btf *btf, const void *rodata, size_t size, struct desc *d);

const char *kind_word(uint32_t kind);

/* The catalog of embedded objects, made by the build; ends with a null start. */
struct catalog_entry {
	const unsigned char *start, *end;
};
extern const struct catalog_entry mpb_catalog[];

struct policy {
	struct desc desc;
	struct bpf_object *obj;
	const void *bytes; /* of the object: its image, or in the catalog */
	size_t size;
	void *image; /* a file's bytes, else NULL */
};

/* Open an embedded policy by its name, or an object file by its path. Checks all that can be known before the kernel sees it: ABI, kind, license,
 * sections, entry points, tunables. */
int policy_open(const char *word, struct policy *p);
int policy_open_file(const char *what, const char *path, struct policy *p);
int policy_open_mem(const char *what, const void *image, size_t size, struct policy *p);
void policy_close(struct policy *p);

/* Hand it to the kernel. A refusal goes to err under the name `what`; a field that the kernel has not is named. */
int policy_load(const char *what, const struct policy *p);

/* Calls each() for every embedded policy, in order of name within its kind, until it returns non-zero. */
int policy_each_embedded(int (*each)(const struct policy *p, void *arg), void *arg);

/* libbpf's and the verifier's voice: 0 silent (what matters is kept for the error), 1 libbpf, 2 with verifier logs. */
void policy_verbosity(int level);

/* Forget what libbpf complained of. */
void policy_hush(void);

/* What libbpf complained of last, without its line end; "": nothing since the last open. */
const char *policy_last_warning(void);

#endif
