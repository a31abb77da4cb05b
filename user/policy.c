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

/* libbpf takes a compiler's word for what an object holds; one that is damaged or made up crashes or hangs it (1.4: symbols and variables whose end
 * wraps, members outside their struct, types made of themselves). What it takes on trust is checked here, before it sees the object. */
enum { SECTIONS_MAX = 1024, SYMBOLS_MAX = 16384, TYPES_MAX = 32768, NEST_MAX = 32, KCONFIG_MAX = 4096 };

struct elf {
	const char *image;
	size_t size;
	const Elf64_Shdr *sh;
	uint32_t n; /* sections */
	const char *names;
};

static const Elf64_Shdr *elf_section(const struct elf *e, const char *name)
{
	for (uint32_t i = 1; i < e->n; i++)
		if (!strcmp(e->names + e->sh[i].sh_name, name))
			return &e->sh[i];
	return NULL;
}

/* The strings of section i, which end in a NUL, so that any offset below *len is a string; else NULL. */
static const char *elf_strings(const struct elf *e, uint32_t i, uint64_t *len)
{
	const char *strings;

	if (!i || i >= e->n || e->sh[i].sh_type != SHT_STRTAB || !e->sh[i].sh_size)
		return NULL;
	strings = e->image + e->sh[i].sh_offset;
	*len = e->sh[i].sh_size;
	return strings[*len - 1] ? NULL : strings;
}

/* Sections lie within the image and no two have the same name. Returns what is wrong, as the checks below do, or NULL. */
static const char *elf_sections(struct elf *e)
{
	const Elf64_Ehdr *eh = (const void *)e->image;
	uint64_t len;

	if (eh->e_shentsize != sizeof(*e->sh) || eh->e_shoff > e->size || eh->e_shoff % 8 || eh->e_shnum > SECTIONS_MAX ||
	    eh->e_shnum > (e->size - eh->e_shoff) / sizeof(*e->sh))
		return "its section headers";
	e->sh = (const void *)(e->image + eh->e_shoff);
	e->n = eh->e_shnum;
	for (uint32_t i = 1; i < e->n; i++) {
		const Elf64_Shdr *s = &e->sh[i];
		bool structured = s->sh_type == SHT_SYMTAB || s->sh_type == SHT_REL || s->sh_flags & SHF_EXECINSTR;

		if (s->sh_type == SHT_NOBITS ? s->sh_size > IMAGE_MAX : s->sh_offset > e->size || s->sh_size > e->size - s->sh_offset)
			return "the place of a section";
		if (structured && s->sh_offset % 8)
			return "the alignment of a section";
	}
	e->names = elf_strings(e, eh->e_shstrndx, &len);
	for (uint32_t i = 1; i < e->n; i++) {
		if (!e->names || e->sh[i].sh_name >= len)
			return "the name of a section";
		if (elf_section(e, e->names + e->sh[i].sh_name) != &e->sh[i])
			return "two sections of the same name";
	}
	return NULL;
}

static const char *elf_symbols(const struct elf *e, const Elf64_Shdr *table)
{
	const Elf64_Sym *sym = (const void *)(e->image + table->sh_offset);
	uint64_t n = table->sh_size / sizeof(*sym), len;

	if (table->sh_entsize != sizeof(*sym) || table->sh_size % sizeof(*sym) || n > SYMBOLS_MAX || !elf_strings(e, table->sh_link, &len))
		return "its symbol table";
	for (; n; n--, sym++) {
		if (sym->st_name >= len)
			return "the name of a symbol";
		if (sym->st_shndx == SHN_UNDEF || sym->st_shndx >= SHN_LORESERVE)
			continue;
		if (sym->st_shndx >= e->n || sym->st_value > e->sh[sym->st_shndx].sh_size ||
		    sym->st_size > e->sh[sym->st_shndx].sh_size - sym->st_value)
			return "the place of a symbol";
	}
	return NULL;
}

static const char *elf_relocations(const struct elf *e, const Elf64_Shdr *table)
{
	const Elf64_Rel *rel = (const void *)(e->image + table->sh_offset);
	const Elf64_Shdr *symbols = table->sh_link < e->n ? &e->sh[table->sh_link] : NULL;
	uint64_t n = table->sh_size / sizeof(*rel);

	if (table->sh_entsize != sizeof(*rel) || table->sh_size % sizeof(*rel) || !table->sh_info || table->sh_info >= e->n || !symbols ||
	    symbols->sh_type != SHT_SYMTAB)
		return "a table of relocations";
	for (; n; n--, rel++)
		if (rel->r_offset >= e->sh[table->sh_info].sh_size || ELF64_R_SYM(rel->r_info) >= symbols->sh_size / sizeof(Elf64_Sym))
			return "a relocation";
	return NULL;
}

/* How many layers of types this one is made of, pointers aside; -1: more than NEST_MAX, or of itself. heights[] keeps what is known. */
static int type_height(const struct btf *btf, uint32_t id, uint8_t *heights, int level)
{
	const struct btf_type *t = btf__type_by_id(btf, id);
	int most = 0, h;

	if (!id || heights[id])
		return heights[id];
	if (level == NEST_MAX)
		return -1;
	if (btf_is_mod(t) || btf_is_typedef(t) || btf_is_var(t)) {
		most = type_height(btf, t->type, heights, level + 1);
	} else if (btf_is_array(t)) {
		most = type_height(btf, btf_array(t)->type, heights, level + 1);
	} else if (btf_is_composite(t)) {
		for (int i = 0; most >= 0 && i < btf_vlen(t); i++) {
			h = type_height(btf, btf_members(t)[i].type, heights, level + 1);
			most = h < 0 || h > most ? h : most;
		}
	}
	return most < 0 || most == NEST_MAX ? -1 : (heights[id] = most + 1);
}

static bool members_fit(const struct btf *btf, const struct btf_type *t)
{
	for (int i = 0; i < btf_vlen(t); i++) {
		int64_t bits = btf_member_bitfield_size(t, i);

		if (!bits)
			bits = 8 * btf__resolve_size(btf, btf_members(t)[i].type);
		if (bits < 0 || btf_member_bit_offset(t, i) + (uint64_t)bits > 8ULL * t->size)
			return false;
	}
	return true;
}

static bool variables_fit(const struct elf *e, const struct btf *btf, const struct btf_type *t)
{
	const char *name = btf__name_by_offset(btf, t->name_off);
	const struct btf_var_secinfo *v = btf_var_secinfos(t);
	bool ksyms = !strcmp(name, ".ksyms"), kconfig = !strcmp(name, ".kconfig");
	const Elf64_Shdr *sec = elf_section(e, name);
	uint64_t room = kconfig || !sec ? KCONFIG_MAX : sec->sh_size;

	for (int i = 0; i < btf_vlen(t); i++, v++) {
		const struct btf_type *var = btf__type_by_id(btf, v->type);
		int64_t size = btf__resolve_size(btf, v->type);

		if (ksyms && (btf_is_func(var) || btf_is_var(var)))
			continue;
		if (!btf_is_var(var) || size < 0 || (uint64_t)size > room || v->size > room || v->offset > room - v->size)
			return false;
	}
	return true;
}

static const char *check_types(const struct elf *e, const struct btf *btf)
{
	uint32_t n = btf__type_cnt(btf);
	uint8_t *heights = n > TYPES_MAX ? NULL : calloc(n, 1);
	const char *wrong = heights ? NULL : "the size of its BTF";

	for (uint32_t i = 1; !wrong && i < n; i++) {
		const struct btf_type *t = btf__type_by_id(btf, i);

		if (type_height(btf, i, heights, 0) < 0)
			wrong = "a type in its BTF, made of itself";
		else if (btf_is_composite(t) && !members_fit(btf, t))
			wrong = "a member of a struct in its BTF";
		else if (btf_is_datasec(t) && !variables_fit(e, btf, t))
			wrong = "a variable in its BTF";
	}
	free(heights);
	return wrong;
}

static const char *elf_btf(const struct elf *e, const Elf64_Shdr *sec)
{
	struct btf_header head;
	const char *wrong;
	struct btf *btf;

	if (sec->sh_size < sizeof(head))
		return "its BTF";
	memcpy(&head, e->image + sec->sh_offset, sizeof(head));
	if (head.magic != BTF_MAGIC || head.hdr_len % 4)
		return "its BTF";
	btf = btf__new(e->image + sec->sh_offset, sec->sh_size);
	if (!btf)
		return "its BTF";
	btf__set_pointer_size(btf, 8);
	wrong = check_types(e, btf);
	btf__free(btf);
	return wrong;
}

static int damaged(const char *what, const char *wrong)
{
	return err_fail(EINVAL, what, "damaged, or not made by a compiler: %s", wrong);
}

static int check_elf(const char *what, const void *image, size_t size)
{
	struct elf e = { .image = image, .size = size };
	const Elf64_Ehdr *eh = image;
	const Elf64_Shdr *sec;
	const char *wrong, *license;

	if (size < sizeof(*eh) || memcmp(eh->e_ident, ELFMAG, SELFMAG))
		return err_fail(EINVAL, what, "not an object file");
	if (eh->e_ident[EI_CLASS] != ELFCLASS64 || eh->e_machine != EM_BPF || eh->e_type != ET_REL) {
		err_hint("clang -target bpf, or 'make' in the project's tree");
		return err_fail(EINVAL, what, "an object file, but not of BPF");
	}
	wrong = elf_sections(&e);
	for (uint32_t i = 1; !wrong && i < e.n; i++)
		wrong = e.sh[i].sh_type == SHT_SYMTAB ? elf_symbols(&e, &e.sh[i]) : e.sh[i].sh_type == SHT_REL ? elf_relocations(&e, &e.sh[i]) : NULL;
	if (wrong)
		return damaged(what, wrong);
	sec = elf_section(&e, "license");
	license = sec && sec->sh_type == SHT_PROGBITS ? e.image + sec->sh_offset : "";
	if (!sec || strnlen(license, sec->sh_size) == sec->sh_size ||
	    (strcmp(license, "GPL") && strcmp(license, "GPL v2") && strcmp(license, "Dual BSD/GPL") && strcmp(license, "Dual MIT/GPL") &&
	     strcmp(license, "GPL and additional rights")))
		return err_fail(EINVAL, what, "its license (section license) must be compatible with the GPL, which the kernel's helpers ask for");
	sec = elf_section(&e, ".BTF");
	if (!sec || sec->sh_type != SHT_PROGBITS) {
		err_hint("compile with -g");
		return err_fail(EINVAL, what, "it has no BTF");
	}
	wrong = elf_btf(&e, sec);
	return wrong ? damaged(what, wrong) : 0;
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
	err = check_elf(what, image, size);
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
