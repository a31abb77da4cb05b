/* SPDX-License-Identifier: GPL-2.0-only */
/* A policy's description out of BTF. */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <bpf/btf.h>
#include "err.h"
#include "policy.h"

const char *kind_word(uint32_t kind)
{
	static const char *const words[] = {
#define X(id, word) word,
		MPB_KINDS(X)
#undef X
	};

	return kind < MPB_KIND_MAX ? words[kind] : "?";
}

/* The variable `name` of a data section: its BTF type (modifiers skipped) and place. */
static const struct btf_type *section_var(const struct btf *btf, const char *section, const char *name, uint32_t *off, uint32_t *size)
{
	int id = btf__find_by_name_kind(btf, section, BTF_KIND_DATASEC);
	const struct btf_type *sec = id > 0 ? btf__type_by_id(btf, id) : NULL;
	const struct btf_var_secinfo *v = sec ? btf_var_secinfos(sec) : NULL;

	for (int i = 0; sec && i < btf_vlen(sec); i++, v++) {
		const struct btf_type *var = btf__type_by_id(btf, v->type);
		const char *vname = var ? btf__name_by_offset(btf, var->name_off) : NULL;

		if (!vname || strcmp(vname, name))
			continue;
		*off = v->offset;
		*size = v->size;
		id = btf__resolve_type(btf, v->type);
		return id > 0 ? btf__type_by_id(btf, id) : NULL;
	}
	return NULL;
}

/* The declaration tag of a variable that begins with `prefix`, behind it; NULL if there is none. */
static const char *var_tag(const struct btf *btf, uint32_t var_id, const char *prefix)
{
	uint32_t n = btf__type_cnt(btf);

	for (uint32_t i = 1; i < n; i++) {
		const struct btf_type *t = btf__type_by_id(btf, i);
		const char *tag;

		if (!t || !btf_is_decl_tag(t) || t->type != var_id)
			continue;
		tag = btf__name_by_offset(btf, t->name_off);
		if (tag && !strncmp(tag, prefix, strlen(prefix)))
			return tag + strlen(prefix);
	}
	return NULL;
}

/* Takes "N:" off the front of a tag; integer suffixes (10U, 5ULL) are the compiler's business. */
static bool tag_number(const char **tag, uint64_t *out)
{
	char *end;

	errno = 0;
	*out = strtoull(*tag, &end, 0);
	if (!isdigit((unsigned char)**tag) || errno)
		return false;
	while (*end == 'U' || *end == 'u' || *end == 'L' || *end == 'l')
		end++;
	if (*end != ':')
		return false;
	*tag = end + 1;
	return true;
}

static bool is_text(const char *s, size_t size)
{
	size_t n = strnlen(s, size);

	if (n == size)
		return false;
	for (size_t i = 0; i < n; i++)
		if (!isprint((unsigned char)s[i]))
			return false;
	return true;
}

static int read_tunable(const char *what, const struct btf *btf, const struct btf_var_secinfo *v, struct desc *d)
{
	const struct btf_type *var = btf__type_by_id(btf, v->type), *type;
	const char *name = var ? btf__name_by_offset(btf, var->name_off) : NULL, *tag;
	struct tunable *t = &d->tunables[d->ntunables];
	uint64_t slot = 0;
	int id;

	if (!name || !*name || !is_text(name, sizeof(t->name)))
		return err_fail(EINVAL, what, "a tunable's name must have 1..%zu printable characters", sizeof(t->name) - 1);
	if (d->ntunables == TUNABLES_MAX)
		return err_fail(EINVAL, what, "more than %d tunables", TUNABLES_MAX);
	memset(t, 0, sizeof(*t));
	strcpy(t->name, name);
	t->slot = -1;
	t->off = v->offset;
	t->size = v->size;
	id = btf__resolve_type(btf, v->type);
	type = id > 0 ? btf__type_by_id(btf, id) : NULL;
	if (!type || !btf_is_int(type) || btf_int_encoding(type) & BTF_INT_SIGNED || (v->size != 1 && v->size != 2 && v->size != 4 && v->size != 8) ||
	    type->size != v->size)
		return err_fail(EINVAL, what, "tunable %s: must be an unsigned integer of 1, 2, 4 or 8 bytes", name);
	tag = var_tag(btf, v->type, MPB_TUNE_DEV_TAG);
	if (tag) {
		if (!tag_number(&tag, &slot) || slot > INT32_MAX)
			return err_fail(EINVAL, what, "tunable %s: its tag is malformed", name);
		t->slot = slot;
	} else {
		tag = var_tag(btf, v->type, MPB_TUNE_TAG);
	}
	if (!tag || !tag_number(&tag, &t->dfl) || !tag_number(&tag, &t->min) || !tag_number(&tag, &t->max))
		return err_fail(EINVAL, what, "tunable %s: declare it with MPB_TUNE(type, name, default, min, max, help), in plain numbers", name);
	if (t->min > t->max || t->dfl < t->min || t->dfl > t->max || (t->size < 8 && t->max >> (8 * t->size)))
		return err_fail(EINVAL, what, "tunable %s: default %llu, range %llu..%llu and %u bytes do not go together", name,
				(unsigned long long)t->dfl, (unsigned long long)t->min, (unsigned long long)t->max, t->size);
	if (!is_text(tag, sizeof(t->help)))
		return err_fail(EINVAL, what, "tunable %s: its help must be printable text of at most %zu characters", name, sizeof(t->help) - 1);
	strcpy(t->help, tag);
	d->ntunables++;
	return 0;
}

static int read_counters(const char *what, const struct btf *btf, struct desc *d)
{
	uint32_t off, size;
	const struct btf_type *type = section_var(btf, MPB_POLICY_SEC, "mpb_ncounters", &off, &size);
	const struct btf_enum *e;

	if (!type)
		return 0;
	if (!btf_is_enum(type) || btf_vlen(type) > MPB_COUNTERS_MAX + 1)
		return err_fail(EINVAL, what, "its counters must be declared with MPB_COUNTERS, at most %d", MPB_COUNTERS_MAX);
	e = btf_enum(type);
	for (int i = 0; i < btf_vlen(type) - 1; i++, e++) {
		const char *name = btf__name_by_offset(btf, e->name_off);

		if (e->val != i)
			return err_fail(EINVAL, what, "its counters must be numbered from 0 without gaps");
		if (!name || !*name || !is_text(name, sizeof(d->counters[0])))
			return err_fail(EINVAL, what, "a counter's name must have 1..%zu printable characters", sizeof(d->counters[0]) - 1);
		strcpy(d->counters[d->ncounters++], name);
	}
	return 0;
}

static bool name_is_plain(const char *name)
{
	size_t n = strnlen(name, MPB_NAME_LEN);

	if (!n || n == MPB_NAME_LEN || !islower((unsigned char)name[0]))
		return false;
	for (size_t i = 0; i < n; i++)
		if (!islower((unsigned char)name[i]) && !isdigit((unsigned char)name[i]) && name[i] != '_')
			return false;
	return true;
}

int desc_read(const char *what, const struct btf *btf, const void *rodata, size_t size, struct desc *d)
{
	uint32_t off = 0, len = 0;
	const struct btf_type *sec;
	const struct btf_var_secinfo *v;
	int id, err;

	memset(d, 0, sizeof(*d));
	if (!section_var(btf, MPB_POLICY_SEC, "mpb_policy", &off, &len) || len < sizeof(__u32) || off > size || len > size - off) {
		err_hint("include <mptcp_bpf/opt.bpf.h> and end the file with MPB_OPT(name, \"summary\", .option = function)");
		return err_fail(EINVAL, what, "not a policy: it has no description (mpb_policy in section " MPB_POLICY_SEC ")");
	}
	memcpy(&d->policy, (const char *)rodata + off, len < sizeof(d->policy) ? len : sizeof(d->policy));
	if (d->policy.abi != MPB_ABI || len != sizeof(d->policy)) {
		err_hint("build it again with the headers of this version");
		return err_fail(EINVAL, what, "built for policy ABI %u, this is ABI %u", d->policy.abi, MPB_ABI);
	}
	if (d->policy.kind >= MPB_KIND_MAX)
		return err_fail(EINVAL, what, "unknown kind %u", d->policy.kind);
	if (!name_is_plain(d->policy.name))
		return err_fail(EINVAL, what, "its name must have 1..%d characters of a-z 0-9 _, a letter first", MPB_NAME_LEN - 1);
	if (!is_text(d->policy.summary, sizeof(d->policy.summary)))
		return err_fail(EINVAL, what, "its summary is not printable text");
	id = btf__find_by_name_kind(btf, MPB_TUNE_SEC, BTF_KIND_DATASEC);
	sec = id > 0 ? btf__type_by_id(btf, id) : NULL;
	v = sec ? btf_var_secinfos(sec) : NULL;
	for (int i = 0; sec && i < btf_vlen(sec); i++, v++) {
		err = read_tunable(what, btf, v, d);
		if (err)
			return err;
	}
	return read_counters(what, btf, d);
}
