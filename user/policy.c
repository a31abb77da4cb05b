/* SPDX-License-Identifier: GPL-2.0-only */
/* Policies as objects: opened and checked. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include "args.h"
#include "elf_check.h"
#include "err.h"
#include "policy.h"

/* Every program of an option policy is one of MPB_OPT's entry points, and all of them are there. */
static int check_opt_programs(const char *what, const struct policy *p)
{
	static const char *const suffixes[] = { "in", "out", "xdp", "in3", "out3", "xdp3" };
	struct bpf_program *prog;
	unsigned int seen = 0;
	char name[64];

	bpf_object__for_each_program(prog, p->obj) {
		unsigned int found = 0;

		for (unsigned int i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
			bool xdp = suffixes[i][0] == 'x';

			snprintf(name, sizeof(name), "%s_%s", p->desc.policy.name, suffixes[i]);
			if (!strcmp(bpf_program__name(prog), name) && !strcmp(bpf_program__section_name(prog), xdp ? "xdp.frags" : "tc"))
				found = 1U << i;
		}
		if (!found) {
			err_hint("an option policy has no programs but those that MPB_OPT() makes");
			return err_fail(EINVAL, what, "program '%s' in section '%s' has no place in an option policy", bpf_program__name(prog),
					bpf_program__section_name(prog));
		}
		seen |= found;
	}
	if (seen != (1U << (sizeof(suffixes) / sizeof(suffixes[0]))) - 1) {
		err_hint("end the file with MPB_OPT()");
		return err_fail(EINVAL, what, "it lacks entry points of an option policy");
	}
	return 0;
}

/* A scheduler is one program of its name, and nothing else. */
static int check_sched_program(const char *what, const struct policy *p)
{
	struct bpf_program *prog = bpf_object__next_program(p->obj, NULL);

	if (!prog || bpf_object__next_program(p->obj, prog) || strcmp(bpf_program__name(prog), p->desc.policy.name) ||
	    strcmp(bpf_program__section_name(prog), "tc")) {
		err_hint("a scheduler has no program but the one that MPB_SCHED() makes");
		return err_fail(EINVAL, what, "it must be one program '%s' in section 'tc'", p->desc.policy.name);
	}
	return 0;
}

/* A congestion control is one struct tcp_congestion_ops, which has the policy's name as a variable and to the kernel, and its functions. */
static int check_cc(const char *what, const struct policy *p)
{
	const char *name = p->desc.policy.name;
	const struct btf *btf = bpf_object__btf(p->obj);
	const struct btf_type *type = btf__type_by_id(btf, btf__find_by_name_kind(btf, "tcp_congestion_ops", BTF_KIND_STRUCT));
	const char *bytes = NULL;
	struct bpf_program *prog;
	struct bpf_map *map;
	uint32_t at = 0;
	size_t len = 0;
	int n = 0;

	bpf_object__for_each_map(map, p->obj) {
		if (bpf_map__type(map) != BPF_MAP_TYPE_STRUCT_OPS)
			continue;
		n++;
		if (!strcmp(bpf_map__name(map), name))
			bytes = bpf_map__initial_value(map, &len);
	}
	for (int i = 0; type && i < btf_vlen(type); i++)
		if (!strcmp(btf__name_by_offset(btf, btf_members(type)[i].name_off), "name"))
			at = btf_member_bit_offset(type, i) / 8;
	if (n != 1 || !bytes || !type || type->size != len || !at || at + MPB_NAME_LEN > len || strncmp(bytes + at, name, MPB_NAME_LEN)) {
		err_hint("end the file with MPB_CC()");
		return err_fail(EINVAL, what, "it must have one struct tcp_congestion_ops, called '%s'", name);
	}
	bpf_object__for_each_program(prog, p->obj) {
		if (!strcmp(bpf_program__section_name(prog), "struct_ops"))
			continue;
		err_hint("a congestion control has no programs but those that MPB_CC() makes");
		return err_fail(EINVAL, what, "program '%s' in section '%s' has no place in a congestion control", bpf_program__name(prog),
				bpf_program__section_name(prog));
	}
	return 0;
}

/* The tunables are where their section has room for them, each in one aligned store. */
static int check_tunables(const char *what, const struct policy *p)
{
	struct bpf_map *map = bpf_object__find_map_by_name(p->obj, MPB_TUNE_SEC);
	size_t len = 0;

	if (!map || !bpf_map__initial_value(map, &len))
		len = 0;
	for (int i = 0; i < p->desc.ntunables; i++) {
		const struct tunable *t = &p->desc.tunables[i];

		if (t->off > len || t->size > len - t->off || t->off % t->size)
			return err_fail(EINVAL, what, "tunable %s: has no place in section " MPB_TUNE_SEC, t->name);
	}
	return 0;
}

int policy_open_mem(const char *what, const void *image, size_t size, struct policy *p)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = "policy", .btf_custom_path = getenv("MPTCP_BPF_BTF"));
	struct bpf_map *map;
	const void *rodata;
	size_t len = 0;
	int err;

	memset(p, 0, sizeof(*p));
	p->bytes = image;
	p->size = size;
	err = elf_check(what, image, size);
	if (err)
		return err;
	policy_hush();
	p->obj = bpf_object__open_mem(image, size, &opts);
	if (!p->obj && errno == ENOENT)
		err_hint("a section has no BTF: clang merges constant tables of 4 to 32 bytes into such; declare the table 'static const volatile'");
	if (!p->obj)
		return err_fail(errno, what, "not a usable BPF object: %s", policy_last_warning()[0] ? policy_last_warning() : strerror(errno));
	map = bpf_object__find_map_by_name(p->obj, MPB_POLICY_SEC);
	rodata = map ? bpf_map__initial_value(map, &len) : NULL;
	if (!bpf_object__btf(p->obj))
		err = err_fail(EINVAL, what, "it has no BTF");
	else
		err = desc_read(what, bpf_object__btf(p->obj), rodata, rodata ? len : 0, &p->desc);
	if (!err)
		err = check_tunables(what, p);
	if (!err && p->desc.policy.kind == MPB_OPT_POLICY)
		err = check_opt_programs(what, p);
	if (!err && p->desc.policy.kind == MPB_SCHED)
		err = check_sched_program(what, p);
	if (!err && p->desc.policy.kind == MPB_CC)
		err = check_cc(what, p);
	if (err)
		policy_close(p);
	return err;
}

static int read_file(const char *path, void **image, size_t *size)
{
	FILE *f = fopen(path, "re");
	char *buf = NULL;
	int err = 0;

	if (!f)
		return err_fail(errno, path, "cannot open: %s", strerror(errno));
	buf = malloc(OBJECT_MAX + 1);
	*size = buf ? fread(buf, 1, OBJECT_MAX + 1, f) : 0;
	if (!buf)
		err = err_fail(ENOMEM, path, "out of memory");
	else if (ferror(f))
		err = err_fail(EIO, path, "cannot read: %s", strerror(errno));
	else if (*size > OBJECT_MAX)
		err = err_fail(EFBIG, path, "larger than %d MiB: not a policy", OBJECT_MAX >> 20);
	fclose(f);
	if (err)
		free(buf);
	else
		*image = buf;
	return err;
}

static int open_embedded(const char *name, struct policy *p)
{
	char what[32];

	for (const struct catalog_entry *e = mpb_catalog; e->start; e++) {
		int err = policy_open_mem("catalog", e->start, e->end - e->start, p);

		if (err)
			return err;
		if (!strcmp(p->desc.policy.name, name))
			return 0;
		policy_close(p);
	}
	snprintf(what, sizeof(what), "%s", name);
	err_hint("'mptcp-bpf list' shows the policies; a file of your own is named by its path, ./%s.bpf.o", what);
	return err_fail(ENOENT, what, "no such policy");
}

int policy_open_file(const char *what, const char *path, struct policy *p)
{
	void *image = NULL;
	size_t size = 0;
	int err = read_file(path, &image, &size);

	if (err)
		return err;
	err = policy_open_mem(what, image, size, p);
	if (err)
		free(image);
	else
		p->image = image;
	return err;
}

int policy_open(const char *word, struct policy *p)
{
	return policy_is_path(word) ? policy_open_file(word, word, p) : open_embedded(word, p);
}

void policy_close(struct policy *p)
{
	bpf_object__close(p->obj);
	free(p->image);
	memset(p, 0, sizeof(*p));
}

int policy_each_embedded(int (*each)(const struct policy *p, void *arg), void *arg)
{
	struct policy p;
	int ret = 0;

	for (const struct catalog_entry *e = mpb_catalog; !ret && e->start; e++) {
		ret = policy_open_mem("catalog", e->start, e->end - e->start, &p);
		if (!ret) {
			ret = each(&p, arg);
			policy_close(&p);
		}
	}
	return ret;
}
