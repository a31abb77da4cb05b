/* SPDX-License-Identifier: GPL-2.0-only */
/* What a policy knows besides the frame: address IDs, and the values of a device. */
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <string.h>
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include "../lib/tap.h"
#include "packet.h"
#include "prog_run.h"

/* Layout of a subflow's record (struct mpb_subflow): born 8, token 4, flips 4, then local ID, remote ID, side, backup, 4 unused. */
#define RECORD_BYTES 24
#define RECORD_LOCAL 16
#define RECORD_REMOTE 17

static void put_addr(const struct pkt_spec *p, const uint8_t *addr, uint8_t *at)
{
	memset(at, 0, 16);
	if (p->family == 4)
		memset(at + 10, 0xff, 2);
	memcpy(p->family == 4 ? at + 12 : at, addr, p->family == 4 ? 4 : 16);
}

void subject_key(const struct pkt_spec *p, bool turned, uint8_t key[36])
{
	uint16_t from = turned ? p->dport : p->sport, to = turned ? p->sport : p->dport;

	put_addr(p, turned ? p->dst : p->src, key);
	put_addr(p, turned ? p->src : p->dst, key + 16);
	key[32] = from >> 8;
	key[33] = from;
	key[34] = to >> 8;
	key[35] = to;
}

static void put(int fd, const void *key, const void *value, const char *what)
{
	if (bpf_map_update_elem(fd, key, value, BPF_ANY))
		tap_bail("cannot fill %s: %s", what, strerror(errno));
}

void subject_know(const struct subject *s, const struct pkt_spec *p, bool turned, uint8_t local_id, uint8_t remote_id)
{
	uint8_t key[36], record[RECORD_BYTES] = { 0 };

	subject_key(p, turned, key);
	record[RECORD_LOCAL] = local_id;
	record[RECORD_REMOTE] = remote_id;
	put(s->subflows, key, record, "mpb_subflows");
}

void subject_learn(const struct subject *s, const struct pkt_spec *p, bool turned, uint8_t id)
{
	uint8_t key[36];

	subject_key(p, turned, key);
	put(s->ids, key, &id, "mpb_ids");
}

int subject_learned(const struct subject *s, const struct pkt_spec *p, bool turned)
{
	uint8_t key[36], id;

	subject_key(p, turned, key);
	return bpf_map_lookup_elem(s->ids, key, &id) ? -1 : id;
}

void subject_forget(const struct subject *s, const struct pkt_spec *p)
{
	uint8_t key[36];

	for (int turned = 0; turned < 2; turned++) {
		subject_key(p, turned, key);
		bpf_map_delete_elem(s->subflows, key);
		bpf_map_delete_elem(s->ids, key);
	}
}

/* The slot of a tunable's per-device values, from its declaration tag "tune-dev:SLOT:...". */
static uint32_t slot_of(const struct subject *s, const char *tunable)
{
	struct btf *btf = bpf_object__btf(s->obj);

	for (uint32_t i = 1; i < btf__type_cnt(btf); i++) {
		const struct btf_type *t = btf__type_by_id(btf, i),
				      *var = btf_is_decl_tag(t) ? btf__type_by_id(btf, t->type) : NULL;
		unsigned int slot;

		if (var && btf_is_var(var) && !strcmp(btf__name_by_offset(btf, var->name_off), tunable) &&
		    sscanf(btf__name_by_offset(btf, t->name_off), "tune-dev:%u:", &slot) == 1)
			return slot;
	}
	tap_bail("%s has no tunable %s for each device", s->name, tunable);
}

void subject_tune_dev(const struct subject *s, uint32_t ifindex, const char *tunable, uint64_t value)
{
	uint32_t key[2] = { ifindex, slot_of(s, tunable) };

	put(s->devtune, key, &value, "mpb_dev_tune");
}
