/* SPDX-License-Identifier: GPL-2.0-only */
/* One option policy in the kernel, and single frames through its programs (BPF_PROG_TEST_RUN). Whatever the tests cannot do without ends the test. */
#ifndef MPB_TESTS_PROG_RUN_H
#define MPB_TESTS_PROG_RUN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The entry points of an option policy: X(enumerator, suffix, comes in, is XDP, no Ethernet header). */
#define ENTRIES(X)                                \
	X(ENTRY_IN, "in", true, false, false)     \
	X(ENTRY_OUT, "out", false, false, false)  \
	X(ENTRY_XDP, "xdp", true, true, false)    \
	X(ENTRY_IN3, "in3", true, false, true)    \
	X(ENTRY_OUT3, "out3", false, false, true) \
	X(ENTRY_XDP3, "xdp3", true, true, true)

/* clang-format off */
enum entry {
#define X(id, ...) id,
	ENTRIES(X)
#undef X
	NENTRIES
};
/* clang-format on */

struct entry_kind {
	const char *suffix;
	bool in, xdp, bare;
};
extern const struct entry_kind entries[NENTRIES];

#define COUNTERS_ROOM 48 /* of a value of mpb_counts, whatever the policy uses of it */
#define RUN_IFINDEX 1    /* lo: the device of test runs */
#define RUN_ROOM 84000   /* bytes of an output frame */

struct counters {
	uint64_t n[COUNTERS_ROOM];
};

/* Maps are -1 where the policy has none of the name. */
struct subject {
	const char *name;
	struct bpf_object *obj;
	int progs[NENTRIES];
	int counts, ids, subflows, devtune;
	bool complete; /* tc: as if the device had summed the frame (CHECKSUM_COMPLETE); -EBADMSG where that sum is no longer right */
	int ncounters;
	char names[COUNTERS_ROOM][32];
};

/* Loads build/bpf/opt/NAME.bpf.o (or from the directory that OBJECTS names), with tunables set: "ipv4=0 echo=1". */
void subject_open(struct subject *s, const char *name, const char *tunables);
void subject_close(struct subject *s);

/* One frame through one program. `linear` is how much of it lies in the linear part; 0: as the kernel likes. Returns what the program did, out and
 * outlen the frame afterwards; -errno if the kernel does not run it. out has room for RUN_ROOM bytes. */
int subject_run(const struct subject *s, enum entry e, const uint8_t *in, size_t len, size_t linear, uint8_t *out,
		size_t *outlen);

/* Does this kernel take `linear` for the entry point? */
bool subject_can_split(const struct subject *s, enum entry e);

/* Turns `complete` on, if this kernel's test runs have it (6.11). */
bool subject_complete(struct subject *s);

bool entry_passes(enum entry e, int verdict);

/* Counters of one direction of RUN_IFINDEX, summed over CPUs; and set them all to zero. */
void subject_counters(const struct subject *s, bool in, struct counters *c);
void subject_zero(const struct subject *s);

/* "stripped=1 rewritten=1" by the policy's own names. */
void counters_parse(const struct subject *s, const char *text, struct counters *c);
void counters_diag(const struct subject *s, const char *what, const struct counters *c);

struct pkt_spec;

/* The tuple of a frame as it is sent, or turned around. In the maps' layout, which is written down here once more: addresses (IPv4 mapped) and ports. */
void subject_key(const struct pkt_spec *p, bool turned, uint8_t key[36]);
void subject_know(const struct subject *s, const struct pkt_spec *p, bool turned, uint8_t local_id, uint8_t remote_id);
void subject_forget(const struct subject *s, const struct pkt_spec *p);
void subject_learn(const struct subject *s, const struct pkt_spec *p, bool turned, uint8_t id);
int subject_learned(const struct subject *s, const struct pkt_spec *p, bool turned); /* -1: nothing */
void subject_tune_dev(const struct subject *s, uint32_t ifindex, const char *tunable, uint64_t value);

#endif
