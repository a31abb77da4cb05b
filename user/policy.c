/* SPDX-License-Identifier: GPL-2.0-only */
/* Policies as objects: opened and checked. */
#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include "args.h"
#include "err.h"
#include "policy.h"

#define IMAGE_MAX (16 << 20)

static int verbosity;

/* libbpf speaks only when asked; its last warning explains a failure better than an errno does. */
static char last_warning[512];

static int libbpf_voice(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	char line[4096];
	size_t n;

	if (verbosity < (level == LIBBPF_DEBUG ? 2 : 1) && level != LIBBPF_WARN)
		return 0;
	vsnprintf(line, sizeof(line), fmt, ap);
	if (verbosity)
		fputs(line, stderr);
	if (level == LIBBPF_WARN && !strstr(line, "BEGIN PROG LOAD LOG")) {
		n = strcspn(line, "\n");
		snprintf(last_warning, sizeof(last_warning), "%.*s", (int)(n < sizeof(last_warning) ? n : sizeof(last_warning) - 1), line);
	}
	return 0;
}

void policy_verbosity(int level)
{
	verbosity = level;
	libbpf_set_print(libbpf_voice);
}

/* The bytes of an ELF section, or NULL. Only what lies within the image is ever touched. */
static const void *elf_section(const void *image, size_t size, const char *name, size_t *len)
{
	const Elf64_Ehdr *eh = image;
	const Elf64_Shdr *sh, *strings;

	if (size < sizeof(*eh) || memcmp(eh->e_ident, ELFMAG, SELFMAG) || eh->e_ident[EI_CLASS] != ELFCLASS64 || eh->e_shentsize != sizeof(*sh) ||
	    eh->e_shoff > size || eh->e_shnum > (size - eh->e_shoff) / sizeof(*sh) || eh->e_shstrndx >= eh->e_shnum)
		return NULL;
	sh = (const void *)((const char *)image + eh->e_shoff);
	strings = &sh[eh->e_shstrndx];
	if (strings->sh_offset > size || strings->sh_size > size - strings->sh_offset)
		return NULL;
	for (int i = 0; i < eh->e_shnum; i++) {
		size_t room = sh[i].sh_name < strings->sh_size ? strings->sh_size - sh[i].sh_name : 0;
		const char *own = (const char *)image + strings->sh_offset + sh[i].sh_name;

		if (strnlen(own, room) == room || strcmp(own, name) || sh[i].sh_type == SHT_NOBITS)
			continue;
		if (sh[i].sh_offset > size || sh[i].sh_size > size - sh[i].sh_offset)
			return NULL;
		*len = sh[i].sh_size;
		return (const char *)image + sh[i].sh_offset;
	}
	return NULL;
}

static int check_elf(const char *what, const void *image, size_t size)
{
	const Elf64_Ehdr *eh = image;
	const char *license;
	size_t len = 0;

	if (size < sizeof(*eh) || memcmp(eh->e_ident, ELFMAG, SELFMAG))
		return err_fail(EINVAL, what, "not an object file");
	if (eh->e_ident[EI_CLASS] != ELFCLASS64 || eh->e_machine != EM_BPF || eh->e_type != ET_REL) {
		err_hint("clang -target bpf, or 'make' in the project's tree");
		return err_fail(EINVAL, what, "an object file, but not of BPF");
	}
	license = elf_section(image, size, "license", &len);
	if (!license || strnlen(license, len) == len || (strcmp(license, "GPL") && strcmp(license, "GPL v2") && strcmp(license, "Dual BSD/GPL") &&
							 strcmp(license, "Dual MIT/GPL") && strcmp(license, "GPL and additional rights")))
		return err_fail(EINVAL, what, "its license (section license) must be compatible with the GPL, which the kernel's helpers ask for");
	if (!elf_section(image, size, ".BTF", &len)) {
		err_hint("compile with -g");
		return err_fail(EINVAL, what, "it has no BTF");
	}
	return 0;
}

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

static struct bpf_map *find_map(struct bpf_object *obj, const char *name)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, obj)
		if (!strcmp(bpf_map__name(map), name))
			return map;
	return NULL;
}

int policy_open_mem(const char *what, const void *image, size_t size, struct policy *p)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .object_name = "policy");
	struct bpf_map *map;
	const void *rodata;
	size_t len = 0;
	int err;

	memset(p, 0, sizeof(*p));
	err = check_elf(what, image, size);
	if (err)
		return err;
	last_warning[0] = 0;
	p->obj = bpf_object__open_mem(image, size, &opts);
	if (!p->obj)
		return err_fail(errno, what, "not a usable BPF object: %s", last_warning[0] ? last_warning : strerror(errno));
	map = find_map(p->obj, MPB_POLICY_SEC);
	rodata = map ? bpf_map__initial_value(map, &len) : NULL;
	if (!bpf_object__btf(p->obj))
		err = err_fail(EINVAL, what, "it has no BTF");
	else
		err = desc_read(what, bpf_object__btf(p->obj), rodata, rodata ? len : 0, &p->desc);
	if (!err && p->desc.policy.kind == MPB_OPT_POLICY)
		err = check_opt_programs(what, p);
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
	buf = malloc(IMAGE_MAX + 1);
	*size = buf ? fread(buf, 1, IMAGE_MAX + 1, f) : 0;
	if (!buf)
		err = err_fail(ENOMEM, path, "out of memory");
	else if (ferror(f))
		err = err_fail(EIO, path, "cannot read: %s", strerror(errno));
	else if (*size > IMAGE_MAX)
		err = err_fail(EFBIG, path, "larger than %d MiB: not a policy", IMAGE_MAX >> 20);
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

int policy_open(const char *word, struct policy *p)
{
	void *image = NULL;
	size_t size = 0;
	int err;

	if (!policy_is_path(word))
		return open_embedded(word, p);
	err = read_file(word, &image, &size);
	if (err)
		return err;
	err = policy_open_mem(word, image, size, p);
	if (err)
		free(image);
	else
		p->image = image;
	return err;
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
