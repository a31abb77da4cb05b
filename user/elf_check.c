/* SPDX-License-Identifier: GPL-2.0-only */
/* Object files before libbpf sees them. */
#include <elf.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <bpf/btf.h>
#include "elf_check.h"
#include "err.h"

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

		if (s->sh_type == SHT_NOBITS ? s->sh_size > OBJECT_MAX : s->sh_offset > e->size || s->sh_size > e->size - s->sh_offset)
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

int elf_check(const char *what, const void *image, size_t size)
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
