/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <linux/bpf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include "../lib/tap.h"
#include "packet.h"
#include "prog_run.h"

#define TCX_NEXT_VERDICT (-1)
#define CHECKSUM_COMPLETE_FLAG (1U << 2) /* BPF_F_TEST_SKB_CHECKSUM_COMPLETE, younger than Debian 12's headers */
#define DIRECTIONS 2                     /* a port is the ifindex times 2, plus 1 for outgoing */

const struct entry_kind entries[NENTRIES] = {
#define X(id, word, comes_in, is_xdp, is_bare) \
	[id] = { .suffix = word, .in = comes_in, .xdp = is_xdp, .bare = is_bare },
	ENTRIES(X)
#undef X
};

static int ncpus;

static struct bpf_map *map_named(const struct subject *s, const char *name)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, s->obj)
		if (!strcmp(bpf_map__name(map), name))
			return map;
	return NULL;
}

static int map_fd(const struct subject *s, const char *name)
{
	struct bpf_map *map = map_named(s, name);

	return map ? bpf_map__fd(map) : -1;
}

/* A variable of section .data.tune: its bytes before the load. */
static void *tunable(const struct subject *s, const char *name, uint32_t *size)
{
	struct btf *btf = bpf_object__btf(s->obj);
	int id = btf__find_by_name_kind(btf, ".data.tune", BTF_KIND_DATASEC);
	const struct btf_type *sec = id > 0 ? btf__type_by_id(btf, id) : NULL;
	const struct btf_var_secinfo *v = sec ? btf_var_secinfos(sec) : NULL;
	struct bpf_map *map = map_named(s, ".data.tune");
	size_t room = 0;
	char *data = map ? bpf_map__initial_value(map, &room) : NULL;

	for (int i = 0; data && sec && i < btf_vlen(sec); i++, v++) {
		const struct btf_type *var = btf__type_by_id(btf, v->type);

		if (strcmp(btf__name_by_offset(btf, var->name_off), name) || v->offset + v->size > room)
			continue;
		*size = v->size;
		return data + v->offset;
	}
	tap_bail("%s has no tunable %s", s->name, name);
}

/* Calls each(name, value) for every "name=value" of the text. */
static void each_pair(const char *text, void (*each)(void *arg, const char *name, uint64_t value), void *arg)
{
	char name[32], *end;

	while (*text) {
		size_t n = strcspn(text, "=");

		if (!text[n] || n >= sizeof(name))
			tap_bail("a test names '%s', which is no NAME=VALUE", text);
		memcpy(name, text, n);
		name[n] = 0;
		each(arg, name, strtoull(text + n + 1, &end, 0));
		text = end + strspn(end, " ");
	}
}

static void set_tunable(void *arg, const char *name, uint64_t value)
{
	uint32_t size;
	void *at = tunable(arg, name, &size);

	memcpy(at, &value, size); /* little-endian, as every machine of ours */
}

static void read_names(struct subject *s)
{
	struct btf *btf = bpf_object__btf(s->obj);
	int id = btf__find_by_name_kind(btf, "mpb_counter", BTF_KIND_ENUM);
	const struct btf_type *t = id > 0 ? btf__type_by_id(btf, id) : NULL;
	const struct btf_enum *e = t ? btf_enum(t) : NULL;

	if (!e)
		tap_bail("%s has no enum mpb_counter", s->name);
	for (int i = 0; i < btf_vlen(t) - 1 && i < COUNTERS_ROOM; i++, e++)
		snprintf(s->names[s->ncounters++], sizeof(s->names[0]), "%s", btf__name_by_offset(btf, e->name_off));
}

static int quiet(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	return level == LIBBPF_WARN ? vfprintf(stderr, fmt, ap) : 0;
}

void subject_open(struct subject *s, const char *name, const char *tunables)
{
	const char *dir = getenv("OBJECTS");
	char path[4096], prog[64];

	memset(s, 0, sizeof(*s));
	s->name = name;
	libbpf_set_print(quiet);
	ncpus = libbpf_num_possible_cpus();
	snprintf(path, sizeof(path), "%s/%s.bpf.o", dir ? dir : "build/bpf/opt", name);
	s->obj = bpf_object__open_file(path, NULL);
	if (!s->obj || ncpus < 1)
		tap_bail("cannot open %s: %s", path, strerror(errno));
	read_names(s);
	each_pair(tunables, set_tunable, s);
	if (bpf_object__load(s->obj))
		tap_bail("cannot load %s: %s", path, strerror(errno));
	for (int i = 0; i < NENTRIES; i++) {
		struct bpf_program *p;

		snprintf(prog, sizeof(prog), "%s_%s", name, entries[i].suffix);
		p = bpf_object__find_program_by_name(s->obj, prog);
		if (!p)
			tap_bail("%s has no program %s", path, prog);
		s->progs[i] = bpf_program__fd(p);
	}
	s->counts = map_fd(s, "mpb_counts");
	s->ids = map_fd(s, "mpb_ids");
	s->subflows = map_fd(s, "mpb_subflows");
	s->devtune = map_fd(s, "mpb_dev_tune");
	subject_zero(s);
}

void subject_close(struct subject *s)
{
	bpf_object__close(s->obj);
	memset(s, 0, sizeof(*s));
}

static int run_xdp(int fd, size_t linear, struct bpf_test_run_opts *o)
{
	struct xdp_md ctx = { .data_end = linear };

	if (linear) {
		o->ctx_in = &ctx;
		o->ctx_size_in = sizeof(ctx);
	}
	return bpf_prog_test_run_opts(fd, o);
}

static int run_tc(int fd, size_t linear, struct bpf_test_run_opts *o)
{
	struct __sk_buff ctx = { .data_end = linear };

	if (linear) {
		o->ctx_in = &ctx;
		o->ctx_size_in = sizeof(ctx);
	}
	return bpf_prog_test_run_opts(fd, o);
}

int subject_run(const struct subject *s, enum entry e, const uint8_t *in, size_t len, size_t linear, uint8_t *out,
		size_t *outlen)
{
	LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = in, .data_size_in = len, .data_out = out,
		    .data_size_out = RUN_ROOM, .repeat = 1);
	int err;

	if (s->complete && !entries[e].xdp)
		o.flags = CHECKSUM_COMPLETE_FLAG;
	err = entries[e].xdp ? run_xdp(s->progs[e], linear, &o) : run_tc(s->progs[e], linear, &o);

	*outlen = o.data_size_out;
	return err ? -errno : (int)o.retval;
}

bool subject_complete(struct subject *s)
{
	static uint8_t frame[200], out[RUN_ROOM];
	size_t outlen;

	s->complete = true;
	s->complete = entry_passes(ENTRY_IN, subject_run(s, ENTRY_IN, frame, sizeof(frame), 0, out, &outlen));
	return s->complete;
}

bool subject_can_split(const struct subject *s, enum entry e)
{
	static uint8_t frame[200], out[RUN_ROOM];
	size_t outlen;

	frame[0] = 0x40; /* no multicast, no IP */
	return entry_passes(e, subject_run(s, e, frame, sizeof(frame), 60, out, &outlen));
}

bool entry_passes(enum entry e, int verdict)
{
	return verdict == (entries[e].xdp ? XDP_PASS : TCX_NEXT_VERDICT);
}

static uint32_t port(bool in)
{
	return RUN_IFINDEX * DIRECTIONS + !in;
}

void subject_counters(const struct subject *s, bool in, struct counters *c)
{
	struct counters per_cpu[ncpus];
	uint32_t key = port(in);

	memset(c, 0, sizeof(*c));
	if (bpf_map_lookup_elem(s->counts, &key, per_cpu))
		tap_bail("no counters: %s", strerror(errno));
	for (int cpu = 0; cpu < ncpus; cpu++)
		for (int i = 0; i < COUNTERS_ROOM; i++)
			c->n[i] += per_cpu[cpu].n[i];
}

void subject_zero(const struct subject *s)
{
	struct counters per_cpu[ncpus];

	memset(per_cpu, 0, sizeof(per_cpu));
	for (int in = 0; in < DIRECTIONS; in++) {
		uint32_t key = port(in);

		if (bpf_map_update_elem(s->counts, &key, per_cpu, BPF_ANY))
			tap_bail("cannot set counters: %s", strerror(errno));
	}
}

struct parse {
	const struct subject *s;
	struct counters *c;
};

static void add_counter(void *arg, const char *name, uint64_t value)
{
	struct parse *p = arg;

	for (int i = 0; i < p->s->ncounters; i++) {
		if (!strcmp(p->s->names[i], name)) {
			p->c->n[i] += value;
			return;
		}
	}
	tap_bail("%s has no counter %s", p->s->name, name);
}

void counters_parse(const struct subject *s, const char *text, struct counters *c)
{
	memset(c, 0, sizeof(*c));
	each_pair(text, add_counter, &(struct parse){ .s = s, .c = c });
}

void counters_diag(const struct subject *s, const char *what, const struct counters *c)
{
	char line[1024] = "";

	for (int i = 0; i < COUNTERS_ROOM; i++) {
		size_t n = strlen(line);

		if (c->n[i])
			snprintf(line + n, sizeof(line) - n, " %s=%llu", i < s->ncounters ? s->names[i] : "beyond",
				 (unsigned long long)c->n[i]);
	}
	tap_diag("%s:%s", what, line);
}
