// SPDX-License-Identifier: GPL-2.0-only
/* types - what objects ask of a kernel's types (CO-RE).
 *   types needs OBJECT...        a line each: "field TYPE.MEMBER..." or "kfunc NAME", with "if-there" behind it where the object can do without
 *   types check BTF              those lines on stdin, with what BTF says of each: "there" or "missing"; exits 1 where one is missing that is needed
 *   types rename TYPE.MEMBER... BTF OUT    a copy of BTF in which the last member has another name */
#include <elf.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#define PATH_LEN 256

/* The head of .BTF.ext (Documentation/bpf/btf.rst). */
struct ext_header {
	__u16 magic;
	__u8 version, flags;
	__u32 hdr_len, func_info_off, func_info_len, line_info_off, line_info_len, core_relo_off, core_relo_len;
};

static char *read_file(const char *path, size_t *size)
{
	FILE *f = fopen(path, "re");
	char *bytes = malloc(64 << 20);

	*size = f && bytes ? fread(bytes, 1, 64 << 20, f) : 0;
	if (!*size) {
		perror(path);
		exit(2);
	}
	fclose(f);
	return bytes;
}

static const char *section(const char *image, const char *name)
{
	const Elf64_Ehdr *eh = (const void *)image;
	const Elf64_Shdr *sh = (const void *)(image + eh->e_shoff);

	for (int i = 1; i < eh->e_shnum; i++)
		if (!strcmp(image + sh[eh->e_shstrndx].sh_offset + sh[i].sh_name, name))
			return image + sh[i].sh_offset;
	return NULL;
}

/* A type without modifiers, typedefs and array dimensions. */
static const struct btf_type *plain(const struct btf *btf, __u32 id)
{
	const struct btf_type *t = btf__type_by_id(btf, id);

	while (btf_is_mod(t) || btf_is_typedef(t) || btf_is_array(t))
		t = btf__type_by_id(btf, btf_is_array(t) ? btf_array(t)->type : t->type);
	return t;
}

/* "sock.__sk_common.skc_num" of a relocation "0:0:3". A number behind an array is an index. */
static bool path_of(const struct btf *btf, const struct bpf_core_relo *r, char *path)
{
	const struct btf_type *t = plain(btf, r->type_id), *raw = NULL;
	const char *spec = strchr(btf__str_by_offset(btf, r->access_str_off), ':'), *name;
	size_t n = snprintf(path, PATH_LEN, "%s", btf__name_by_offset(btf, t->name_off));

	for (; spec && btf_is_composite(t); spec = strchr(spec + 1, ':')) {
		const struct btf_member *m = btf_members(t) + atoi(spec + 1);

		name = btf__name_by_offset(btf, m->name_off);
		if (*name)
			n += snprintf(path + n, PATH_LEN - n, ".%s", name);
		for (raw = btf__type_by_id(btf, m->type); btf_is_mod(raw) || btf_is_typedef(raw); raw = btf__type_by_id(btf, raw->type))
			;
		for (; spec && btf_is_array(raw); raw = btf__type_by_id(btf, btf_array(raw)->type))
			spec = strchr(spec + 1, ':');
		t = plain(btf, m->type);
		if (!spec)
			break;
	}
	return strchr(path, '.');
}

/* Is it asked for with bpf_core_field_exists() somewhere, or a flavour of a type that changed? */
static bool is_optional(const struct btf *btf, const char *ext, const char *path)
{
	const struct ext_header *h = (const void *)ext;
	const char *at = ext + h->hdr_len + h->core_relo_off, *end = at + h->core_relo_len;
	char other[PATH_LEN];

	if (strstr(path, "___"))
		return true;
	for (at += 4; at < end;) {
		const struct btf_ext_info_sec { __u32 name, n; } *sec = (const void *)at;
		const struct bpf_core_relo *r = (const void *)(sec + 1);

		for (__u32 i = 0; i < sec->n; i++, r++)
			if (r->kind == BPF_CORE_FIELD_EXISTS && path_of(btf, r, other) && !strcmp(path, other))
				return true;
		at = (const void *)r;
	}
	return false;
}

/* Is that function bound weakly: does the object look whether there is one? */
static bool is_weak(const char *image, const char *name)
{
	const Elf64_Ehdr *eh = (const void *)image;
	const Elf64_Shdr *sh = (const void *)(image + eh->e_shoff);

	for (int i = 1; i < eh->e_shnum; i++) {
		const Elf64_Sym *sym = (const void *)(image + sh[i].sh_offset);

		if (sh[i].sh_type != SHT_SYMTAB)
			continue;
		for (size_t k = 0; k < sh[i].sh_size / sizeof(*sym); k++)
			if (!strcmp(image + sh[sh[i].sh_link].sh_offset + sym[k].st_name, name))
				return ELF64_ST_BIND(sym[k].st_info) == STB_WEAK;
	}
	return false;
}

static void needs(const char *object)
{
	size_t size;
	char *image = read_file(object, &size), path[PATH_LEN];
	const char *ext = section(image, ".BTF.ext"), *at, *end, *name;
	const struct ext_header *h = (const void *)ext;
	struct btf *btf = btf__parse_elf(object, NULL);

	if (!btf || !ext)
		exit(2);
	at = ext + h->hdr_len + h->core_relo_off;
	end = at + h->core_relo_len;
	for (at += 4; at < end;) {
		const __u32 *sec = (const void *)at; /* name, number of relocations */
		const struct bpf_core_relo *r = (const void *)(sec + 2);

		for (__u32 i = 0; i < sec[1]; i++, r++)
			if (r->kind <= BPF_CORE_FIELD_EXISTS && path_of(btf, r, path))
				printf("field %s%s\n", path, is_optional(btf, ext, path) ? " if-there" : "");
		at = (const void *)r;
	}
	for (__u32 i = 1; i < btf__type_cnt(btf); i++) {
		const struct btf_type *t = btf__type_by_id(btf, i), *f;

		if (!btf_is_datasec(t) || strcmp(btf__name_by_offset(btf, t->name_off), ".ksyms"))
			continue;
		for (int k = 0; k < btf_vlen(t); k++) {
			f = btf__type_by_id(btf, btf_var_secinfos(t)[k].type);
			name = btf__name_by_offset(btf, f->name_off);
			printf("kfunc %s%s\n", name, is_weak(image, name) ? " if-there" : "");
		}
	}
	btf__free(btf);
	free(image);
}

/* The member of that name, in t or in a struct without name within it. */
static const struct btf_member *member(const struct btf *btf, const struct btf_type *t, const char *name)
{
	const struct btf_member *m = btf_members(t), *found;

	for (int i = 0; btf_is_composite(t) && i < btf_vlen(t); i++, m++) {
		if (!strcmp(btf__name_by_offset(btf, m->name_off), name))
			return m;
		if (!m->name_off && btf_is_composite(plain(btf, m->type))) {
			found = member(btf, plain(btf, m->type), name);
			if (found)
				return found;
		}
	}
	return NULL;
}

/* The last member of a path, whatever its flavour. */
static const struct btf_member *find(const struct btf *btf, const char *path)
{
	char copy[PATH_LEN], *name, *rest, *flavour;
	const struct btf_member *m = NULL;
	int id;

	snprintf(copy, sizeof(copy), "%s", path);
	name = strtok_r(copy, ".", &rest);
	flavour = strstr(name, "___");
	if (flavour)
		*flavour = 0;
	id = btf__find_by_name_kind(btf, name, BTF_KIND_STRUCT);
	if (id < 0)
		return NULL;
	for (const struct btf_type *t = btf__type_by_id(btf, id); (name = strtok_r(NULL, ".", &rest)); t = plain(btf, m->type)) {
		m = member(btf, t, name);
		if (!m)
			return NULL;
	}
	return m;
}

static int check(const char *file)
{
	struct btf *btf = btf__parse(file, NULL);
	char line[PATH_LEN + 32], kind[8], name[PATH_LEN], option[16];
	int missing = 0;

	if (!btf)
		return 2;
	while (fgets(line, sizeof(line), stdin)) {
		int words = sscanf(line, "%7s %255s %15s", kind, name, option);
		bool there = !strcmp(kind, "kfunc") ? btf__find_by_name_kind(btf, name, BTF_KIND_FUNC) > 0 : find(btf, name) != NULL;

		printf("%.*s %s\n", (int)strcspn(line, "\n"), line, there ? "there" : "missing");
		missing += !there && words < 3;
	}
	btf__free(btf);
	return missing != 0;
}

static int rename_member(const char *path, const char *from, const char *to)
{
	struct btf *btf = btf__parse(from, NULL);
	int name = btf ? btf__add_str(btf, "renamed_by_a_test") : -1;
	struct btf_member *m = name > 0 ? (struct btf_member *)find(btf, path) : NULL;
	const void *bytes;
	__u32 size;
	FILE *f;

	if (!m)
		return 2;
	m->name_off = name;
	bytes = btf__raw_data(btf, &size);
	f = fopen(to, "we");
	if (!f || fwrite(bytes, 1, size, f) != size || fclose(f))
		return 2;
	btf__free(btf);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc > 2 && !strcmp(argv[1], "needs")) {
		for (int i = 2; i < argc; i++)
			needs(argv[i]);
		return 0;
	}
	if (argc == 3 && !strcmp(argv[1], "check"))
		return check(argv[2]);
	if (argc == 5 && !strcmp(argv[1], "rename"))
		return rename_member(argv[2], argv[3], argv[4]);
	fprintf(stderr, "usage: types needs OBJECT... | check BTF | rename TYPE.MEMBER BTF OUT\n");
	return 2;
}
