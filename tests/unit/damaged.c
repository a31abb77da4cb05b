/* SPDX-License-Identifier: GPL-2.0-only */
/* Objects damaged in one place each: refused, in words, before libbpf sees them. What libbpf 1.4 does with some of them is to crash or to hang. Run in
 * the tree, after make. */
#include <elf.h>
#include <linux/btf.h>
#include "said.h"
#include "policy.h"

static uint8_t *image; /* an object of ours, fresh for each case */
static size_t size;
static Elf64_Ehdr *eh;
static Elf64_Shdr *sh;
static Elf64_Sym *syms;
static Elf64_Rel *rels;

static Elf64_Shdr *section(const char *name)
{
	for (int i = 1; i < eh->e_shnum; i++)
		if (!strcmp((char *)image + sh[eh->e_shstrndx].sh_offset + sh[i].sh_name, name))
			return &sh[i];
	fail_msg("no section %s", name);
	return NULL;
}

static void *inside(const char *name)
{
	return image + section(name)->sh_offset;
}

static Elf64_Sym *symbol(const char *name)
{
	const char *strings = (char *)image + sh[section(".symtab")->sh_link].sh_offset;

	for (Elf64_Sym *s = syms; s < syms + section(".symtab")->sh_size / sizeof(*s); s++)
		if (!strcmp(strings + s->st_name, name))
			return s;
	fail_msg("no symbol %s", name);
	return NULL;
}

/* The first type of a kind; it has no other types than these before it. */
static struct btf_type *type(uint32_t kind)
{
	static const uint8_t extra[][2] = { /* bytes behind the type: once, and for each of vlen */
		[BTF_KIND_INT] = { 4, 0 },	   [BTF_KIND_ARRAY] = { 12, 0 }, [BTF_KIND_STRUCT] = { 0, 12 },	 [BTF_KIND_UNION] = { 0, 12 },
		[BTF_KIND_ENUM] = { 0, 8 },	   [BTF_KIND_FUNC_PROTO] = { 0, 8 }, [BTF_KIND_VAR] = { 4, 0 }, [BTF_KIND_DATASEC] = { 0, 12 },
		[BTF_KIND_DECL_TAG] = { 4, 0 }, [BTF_KIND_ENUM64] = { 0, 12 },
	};
	struct btf_header *head = inside(".BTF");
	uint8_t *p = (uint8_t *)head + head->hdr_len + head->type_off;

	for (uint8_t *end = p + head->type_len; p < end;) {
		struct btf_type *t = (void *)p;

		if (BTF_INFO_KIND(t->info) == kind)
			return t;
		p += sizeof(*t) + extra[BTF_INFO_KIND(t->info)][0] + extra[BTF_INFO_KIND(t->info)][1] * BTF_INFO_VLEN(t->info);
	}
	fail_msg("no type of kind %u", kind);
	return NULL;
}

/* More room at the end of the image: a table of n entries, the old one's first. Returns its offset. */
static uint64_t longer(uint64_t old, uint64_t old_size, uint64_t n, size_t entry)
{
	uint64_t at = (size + 7) / 8 * 8;
	uint8_t *grown = calloc(1, at + n * entry);

	assert_non_null(grown);
	memcpy(grown, image, size);
	memcpy(grown + at, image + old, old_size);
	free(image);
	image = grown;
	size = at + n * entry;
	eh = (void *)image;
	sh = (void *)(image + eh->e_shoff);
	return at;
}

static void more_sections(uint16_t n)
{
	uint64_t at = longer(eh->e_shoff, eh->e_shnum * sizeof(*sh), n, sizeof(*sh));

	eh->e_shoff = at;
	eh->e_shnum = n;
}

static void more_symbols(uint64_t n)
{
	Elf64_Shdr *table = section(".symtab");
	uint64_t at = longer(table->sh_offset, table->sh_size, n, sizeof(Elf64_Sym));

	table = section(".symtab");
	table->sh_offset = at;
	table->sh_size = n * sizeof(Elf64_Sym);
}

/* A header of 25 bytes: the same BTF, one byte on. */
static void odd_header(void)
{
	struct btf_header *head = inside(".BTF");
	uint8_t *p = (uint8_t *)head;
	size_t len = section(".BTF")->sh_size;

	memmove(p + head->hdr_len + 1, p + head->hdr_len, len - head->hdr_len - 1);
	p[len - 1] = 0;
	head->hdr_len++;
	head->str_len--;
}

static void fresh(void)
{
	FILE *f = fopen("build/bpf/opt/addr_hide.bpf.o", "r");

	assert_non_null(f);
	fseek(f, 0, SEEK_END);
	size = ftell(f);
	rewind(f);
	free(image);
	image = malloc(size);
	assert_non_null(image);
	assert_int_equal(fread(image, 1, size, f), size);
	fclose(f);
	eh = (void *)image;
	sh = (void *)(image + eh->e_shoff);
	syms = inside(".symtab");
	rels = inside(".rel.text");
}

static int open_image(void)
{
	struct policy p;
	int err = policy_open_mem("x", image, size, &p);

	if (!err)
		policy_close(&p);
	return err;
}

#define DAMAGED(_words, _damage)                                                            \
	do {                                                                                \
		fresh();                                                                    \
		_damage;                                                                    \
		assert_refused(open_image(), _words);                                       \
	} while (0)
#define MADE(_wrong) "x: damaged, or not made by a compiler: " _wrong

static void undamaged(void **unused)
{
	(void)unused;
	fresh();
	assert_int_equal(open_image(), 0);
}

static void headers(void **unused)
{
	(void)unused;
	DAMAGED("x: not an object file", image[0] = 'E');
	DAMAGED("an object file, but not of BPF", eh->e_type = ET_EXEC);
	DAMAGED("an object file, but not of BPF", eh->e_machine = EM_X86_64);
	DAMAGED("an object file, but not of BPF", eh->e_ident[EI_CLASS] = ELFCLASS32);
	DAMAGED(MADE("its section headers"), eh->e_shoff = size + 1);
	DAMAGED(MADE("its section headers"), eh->e_shoff = UINT64_MAX - 7);
	DAMAGED(MADE("its section headers"), eh->e_shoff -= 4);
	DAMAGED(MADE("its section headers"), eh->e_shnum++);
	DAMAGED(MADE("its section headers"), eh->e_shnum = 0xffff);
	DAMAGED(MADE("its section headers"), eh->e_shentsize = 32);
	DAMAGED("x: ", eh->e_shnum = 0);
	DAMAGED(MADE("its section headers"), more_sections(1025));
	DAMAGED(MADE("the name of a section"), eh->e_shstrndx = eh->e_shnum);
	DAMAGED(MADE("the name of a section"), eh->e_shstrndx = 0);
}

static void sections(void **unused)
{
	(void)unused;
	DAMAGED(MADE("the place of a section"), section(".text")->sh_offset = size + 8);
	DAMAGED(MADE("the place of a section"), section(".text")->sh_size = size);
	DAMAGED(MADE("the place of a section"), section(".maps")->sh_size = UINT64_MAX);
	DAMAGED(MADE("the place of a section"), section(".maps")->sh_offset = UINT64_MAX);
	DAMAGED(MADE("the place of a section"), Elf64_Shdr *s = section(".data.tune"); s->sh_type = SHT_NOBITS; s->sh_size = 1ULL << 40);
	DAMAGED(MADE("the alignment of a section"), section(".text")->sh_offset++);
	DAMAGED(MADE("the alignment of a section"), section(".symtab")->sh_offset++);
	DAMAGED(MADE("the name of a section"), section(".maps")->sh_name = 0x7fffffff);
	DAMAGED(MADE("the name of a section"), Elf64_Shdr *s = &sh[eh->e_shstrndx]; image[s->sh_offset + s->sh_size - 1] = 'x');
	DAMAGED(MADE("two sections of the same name"), section(".maps")->sh_name = section("license")->sh_name);
	DAMAGED("its license (section license) must be compatible", strcpy(inside("license"), "MIT"));
	DAMAGED("its license (section license) must be compatible", memset(inside("license"), 'G', 4));
	DAMAGED("its license (section license) must be compatible", section("license")->sh_size = 3; symbol("_license")->st_size = 3);
	DAMAGED("its license (section license) must be compatible", section("license")->sh_type = SHT_NOBITS);
	DAMAGED("it has no BTF", section(".BTF")->sh_type = SHT_NOBITS);
}

static void symbols(void **unused)
{
	(void)unused;
	DAMAGED(MADE("its symbol table"), section(".symtab")->sh_entsize = 16);
	DAMAGED(MADE("its symbol table"), section(".symtab")->sh_size--);
	DAMAGED(MADE("its symbol table"), section(".symtab")->sh_link = eh->e_shnum);
	DAMAGED(MADE("its symbol table"), section(".symtab")->sh_link = 2);
	DAMAGED(MADE("its symbol table"), more_symbols(16385));
	DAMAGED(MADE("the name of a symbol"), symbol("addr_hide_in")->st_name = 1 << 20);
	DAMAGED(MADE("the place of a symbol"), symbol("addr_hide_in")->st_shndx = eh->e_shnum);
	DAMAGED(MADE("the place of a symbol"), symbol("addr_hide_in")->st_value = 1 << 20);
	DAMAGED(MADE("the place of a symbol"), symbol("addr_hide_in")->st_size = section("tc")->sh_size + 8);
	DAMAGED(MADE("the place of a symbol"), Elf64_Sym *s = symbol("addr_hide_in"); s->st_value = -32768ULL; s->st_size = 32768);
	DAMAGED(MADE("a table of relocations"), section(".rel.text")->sh_entsize = 24);
	DAMAGED(MADE("a table of relocations"), section(".rel.text")->sh_size--);
	DAMAGED(MADE("a table of relocations"), section(".rel.text")->sh_info = eh->e_shnum);
	DAMAGED(MADE("a table of relocations"), section(".rel.text")->sh_link = 2);
	DAMAGED(MADE("a relocation"), rels[1].r_offset = section(".text")->sh_size);
	DAMAGED(MADE("a relocation"), rels[1].r_offset = UINT64_MAX - 7);
	DAMAGED(MADE("a relocation"), rels[1].r_info |= 0xffffULL << 32);
}

static void btf(void **unused)
{
	(void)unused;
	DAMAGED(MADE("its BTF"), memcpy(inside(".BTF"), "\xeb\x9f", 2)); /* the other byte order's */
	DAMAGED(MADE("its BTF"), memset(inside(".BTF"), 0, 8));
	DAMAGED(MADE("its BTF"), section(".BTF")->sh_size = 12);
	DAMAGED(MADE("its BTF"), section(".BTF")->sh_size -= 4);
	DAMAGED(MADE("its BTF"), odd_header());
	DAMAGED(MADE("a member of a struct in its BTF"), type(BTF_KIND_STRUCT)->size--);
	DAMAGED(MADE("a type in its BTF, made of itself"), struct btf_type *t = type(BTF_KIND_PTR); t->info = BTF_KIND_CONST << 24;
		t->type = 1); /* the first: type 1 */
	DAMAGED(MADE("a variable in its BTF"), struct btf_var_secinfo *v = (void *)(type(BTF_KIND_DATASEC) + 1); v->size = 1 << 20);
	DAMAGED(MADE("a variable in its BTF"), struct btf_var_secinfo *v = (void *)(type(BTF_KIND_DATASEC) + 1); v->offset = -8);
	DAMAGED(MADE("a variable in its BTF"), struct btf_var_secinfo *v = (void *)(type(BTF_KIND_DATASEC) + 1); v->type = 1);
	DAMAGED("tunable ipv4: has no place in section .data.tune", Elf64_Sym *s = symbol("ipv4"); s->st_value = section(".data.tune")->sh_size;
		s->st_size = 0);
}

/* What once crashed or hung libbpf, kept for the fuzzer. */
static void once_deadly(void **unused)
{
	static const struct {
		const char *file, *words;
	} kept[] = {
		{ "kconfig-huge", MADE("a variable in its BTF") },
		{ "member-outside", MADE("a member of a struct in its BTF") },
		{ "reloc-wraps", MADE("a relocation") },
		{ "struct-of-itself", MADE("a type in its BTF, made of itself") },
		{ "symbol-size", MADE("the place of a symbol") },
		{ "symbol-wraps", MADE("the place of a symbol") },
		{ "type-of-itself", MADE("a type in its BTF, made of itself") },
		{ "var-wraps", MADE("a variable in its BTF") },
	};

	(void)unused;
	for (unsigned int i = 0; i < COUNT(kept); i++) {
		char path[80];
		FILE *f;

		snprintf(path, sizeof(path), "tests/fuzz/corpus/fuzz_object/%s", kept[i].file);
		f = fopen(path, "r");
		assert_non_null(f);
		free(image);
		image = malloc(1 << 16);
		assert_non_null(image);
		size = fread(image, 1, 1 << 16, f);
		fclose(f);
		assert_refused(open_image(), kept[i].words);
	}
	free(image);
	image = NULL;
}

UNIT_MAIN(cmocka_unit_test(undamaged), cmocka_unit_test(headers), cmocka_unit_test(sections), cmocka_unit_test(symbols), cmocka_unit_test(btf),
	  cmocka_unit_test(once_deadly))
