/* SPDX-License-Identifier: GPL-2.0-only */
/* Descriptions read back: from the objects that the build embeds, against what their sources say; and from BTF made up here, against the errors that
 * a bad one must get. Run in the tree, after make. */
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include "said.h"
#include "policy.h"

struct want_tunable {
	const char *name, *help;
	uint32_t size;
	int slot;
	uint64_t dfl, min, max;
};

#define RUNTIME "rewritten", "malformed", "unwritable", "dropped"

static const struct want {
	const char *name;
	struct want_tunable tunables[8];
	const char *counters[MPB_COUNTERS_MAX];
} wanted[] = {
	{
		"addr_hide",
		{
			{ "ipv4", "hide IPv4 addresses", 1, -1, 1, 0, 1 },
			{ "ipv6", "hide IPv6 addresses", 1, -1, 1, 0, 1 },
			{ "with_port", "hide announcements that carry a port", 1, -1, 1, 0, 1 },
			{ "without_port", "hide announcements that carry no port", 1, -1, 1, 0, 1 },
			{ "echo", "hide echoes too", 1, -1, 0, 0, 1 },
		},
		{ RUNTIME, "hidden", "echo_hidden", "passed", "unknown_length" },
	},
	{
		"opt_count",
		{ { 0 } },
		{ RUNTIME, "mp_capable", "mp_join", "dss", "add_addr", "remove_addr", "mp_prio", "mp_fail", "mp_fastclose", "mp_tcprst", "subtype_9",
		  "subtype_10", "subtype_11", "subtype_12", "subtype_13", "subtype_14", "mp_experimental", "rst_unspecified", "rst_mptcp",
		  "rst_resources", "rst_prohibited", "rst_outstanding_data", "rst_performance", "rst_middlebox", "rst_unknown" },
	},
	{
		"prio_pin",
		{ { "action", "0 pass, 1 drop MP_PRIO, 2 force its backup bit on, 3 force it off", 1, 0, 1, 0, 3 } },
		{ RUNTIME, "removed", "forced", "passed" },
	},
	{ "prio_strip", { { 0 } }, { RUNTIME, "stripped", "removed_other_id", "removed_unknown_id" } },
};

static void check(const struct want *w, const struct desc *d)
{
	int n;

	assert_string_equal(d->policy.name, w->name);
	assert_string_equal(kind_word(d->policy.kind), "opt");
	assert_int_equal(d->policy.abi, MPB_ABI);
	assert_true(strlen(d->policy.summary) > 10);
	for (n = 0; w->tunables[n].name; n++) {
		const struct want_tunable *want = &w->tunables[n];
		const struct tunable *t = NULL;

		for (int i = 0; i < d->ntunables; i++)
			if (!strcmp(d->tunables[i].name, want->name))
				t = &d->tunables[i];
		assert_non_null(t);
		assert_string_equal(t->help, want->help);
		assert_int_equal(t->size, want->size);
		assert_int_equal(t->slot, want->slot);
		assert_true(t->dfl == want->dfl && t->min == want->min && t->max == want->max);
	}
	assert_int_equal(d->ntunables, n);
	for (n = 0; w->counters[n]; n++)
		assert_string_equal(d->counters[n], w->counters[n]);
	assert_int_equal(d->ncounters, n);
}

/* The built object of a policy, in exactly its bytes, so that one read beyond is one too many. */
static uint8_t *built(const char *name, size_t *size)
{
	char path[64];
	uint8_t *image;
	FILE *f;

	snprintf(path, sizeof(path), "build/bpf/opt/%s.bpf.o", name);
	f = fopen(path, "r");
	assert_non_null(f);
	fseek(f, 0, SEEK_END);
	*size = ftell(f);
	rewind(f);
	image = malloc(*size);
	assert_non_null(image);
	assert_int_equal(fread(image, 1, *size, f), *size);
	fclose(f);
	return image;
}

static void built_objects(void **unused)
{
	(void)unused;
	for (unsigned int i = 0; i < COUNT(wanted); i++) {
		struct policy p;
		size_t size;
		uint8_t *image = built(wanted[i].name, &size);

		if (policy_open_mem(wanted[i].name, image, size, &p)) {
			int status;

			fail_msg("%s", said(&status));
		}
		check(&wanted[i], &p.desc);
		policy_close(&p);
		free(image);
	}
}

static void embedded_objects(void **unused)
{
	struct policy p;

	(void)unused;
	for (unsigned int i = 0; i < COUNT(wanted); i++) {
		assert_int_equal(policy_open(wanted[i].name, &p), 0);
		check(&wanted[i], &p.desc);
		policy_close(&p);
	}
	assert_refused(policy_open("no_such", &p), "no_such: no such policy");
}

/* Each offset of tunables in its own place, and the default of the description is the value in the object. */
static void defaults_in_place(void **unused)
{
	(void)unused;
	for (unsigned int i = 0; i < COUNT(wanted); i++) {
		struct policy p;
		struct bpf_map *map;
		uint8_t *data, taken[64] = { 0 };
		size_t len;

		assert_int_equal(policy_open(wanted[i].name, &p), 0);
		map = bpf_object__find_map_by_name(p.obj, MPB_TUNE_SEC);
		data = map ? bpf_map__initial_value(map, &len) : NULL;
		for (int j = 0; j < p.desc.ntunables; j++) {
			const struct tunable *t = &p.desc.tunables[j];

			assert_true(data && t->off + t->size <= len && len <= sizeof(taken));
			assert_memory_equal(data + t->off, &t->dfl, t->size);
			for (uint32_t k = 0; k < t->size; k++)
				assert_int_equal(taken[t->off + k]++, 0);
		}
		policy_close(&p);
	}
}

/* Every truncation is refused in words, none is opened by accident. */
static void truncated(void **unused)
{
	uint8_t *image, *cut;
	struct policy p;
	size_t size;
	int status;

	(void)unused;
	image = built("addr_hide", &size);
	for (size_t n = 0; n < size; n += n < 256 ? 1 : 97) {
		cut = malloc(n + !n);
		assert_non_null(cut);
		memcpy(cut, image, n);
		err_clear();
		if (policy_open_mem("cut", cut, n, &p) >= 0 || !strstr(said(&status), "mptcp-bpf: cut: "))
			fail_msg("%zu of %zu bytes", n, size);
		assert_int_equal(status, EXIT_FAILED);
		free(cut);
	}
	free(image);
}

static void not_objects(void **unused)
{
	static const uint8_t text[100] = "#!/bin/sh\n";
	uint8_t *image;
	struct policy p;
	size_t size;

	(void)unused;
	assert_refused(policy_open_mem("x", text, sizeof(text), &p), "x: not an object file");
	image = built("prio_pin", &size);
	image[18] = 62; /* e_machine: x86-64 */
	assert_refused(policy_open_mem("x", image, size, &p), "an object file, but not of BPF");
	free(image);
	assert_refused(policy_open("./nowhere.bpf.o", &p), "./nowhere.bpf.o: cannot open: No such file");
}

/* Made-up BTF: an object's description with one thing wrong. */
static struct {
	struct mpb_policy policy;
	uint32_t size; /* of the variable mpb_policy */
	int bytes, encoding, var_bytes;
	const char *tag, *tunable, *counter;
	int ntunables, ncounters, gap;
} odd;

static void plain(void)
{
	memset(&odd, 0, sizeof(odd));
	odd.policy = (struct mpb_policy){ MPB_ABI, MPB_OPT_POLICY, "plain", "a summary", 0 };
	odd.size = sizeof(odd.policy);
	odd.bytes = odd.var_bytes = 4;
	odd.tag = "tune:5:0:10:help: with a colon";
	odd.tunable = "knob";
	odd.counter = "c";
	odd.ntunables = odd.ncounters = 1;
}

static int describe(struct desc *d)
{
	struct btf *btf = btf__new_empty();
	int u32, type, tunes[TUNABLES_MAX + 2], policy, count, err;
	char name[64];

	assert_non_null(btf);
	u32 = btf__add_int(btf, "unsigned int", 4, 0);
	type = odd.bytes > 8 ? btf__add_float(btf, "odd", 8) : btf__add_int(btf, "knob_t", odd.bytes, odd.encoding);
	type = btf__add_volatile(btf, btf__add_typedef(btf, "alias", type));
	policy = btf__add_var(btf, "mpb_policy", BTF_VAR_GLOBAL_ALLOCATED, u32); /* its type is not looked at */
	btf__add_enum(btf, "mpb_counter", 4);
	for (int i = 0; i < odd.ncounters; i++) {
		snprintf(name, sizeof(name), "%s%d", odd.counter, i);
		btf__add_enum_value(btf, name, i + (i == odd.gap && i));
	}
	btf__add_enum_value(btf, "MPB_COUNTERS_END", odd.ncounters);
	count = btf__add_var(btf, "mpb_ncounters", BTF_VAR_GLOBAL_ALLOCATED, btf__type_cnt(btf) - 1);
	for (int i = 0; i < odd.ntunables; i++) {
		snprintf(name, sizeof(name), i ? "%s%d" : "%s", odd.tunable, i);
		tunes[i] = btf__add_var(btf, name, BTF_VAR_GLOBAL_ALLOCATED, type);
		if (odd.tag)
			btf__add_decl_tag(btf, odd.tag, tunes[i], -1);
	}
	btf__add_datasec(btf, MPB_POLICY_SEC, 0);
	btf__add_datasec_var_info(btf, policy, 0, odd.size);
	btf__add_datasec_var_info(btf, count, odd.size, 4);
	btf__add_datasec(btf, MPB_TUNE_SEC, 0);
	for (int i = 0; i < odd.ntunables; i++)
		btf__add_datasec_var_info(btf, tunes[i], 8 * i, odd.var_bytes);
	err_clear();
	err = desc_read("odd", btf, &odd.policy, sizeof(odd.policy), d);
	btf__free(btf);
	return err;
}

static void made_up(void **unused)
{
	struct desc d;

	(void)unused;
	plain();
	assert_int_equal(describe(&d), 0);
	assert_string_equal(d.tunables[0].name, "knob");
	assert_string_equal(d.tunables[0].help, "help: with a colon");
	assert_true(d.tunables[0].dfl == 5 && d.tunables[0].max == 10 && d.tunables[0].slot == -1 && d.ncounters == 1);

	plain();
	odd.tag = "tune-dev:7:5U:0x0:4294967295UL:h";
	assert_int_equal(describe(&d), 0);
	assert_true(d.tunables[0].slot == 7 && d.tunables[0].max == 4294967295);

	plain();
	odd.ntunables = TUNABLES_MAX;
	odd.ncounters = MPB_COUNTERS_MAX;
	assert_int_equal(describe(&d), 0);
	assert_true(d.ntunables == TUNABLES_MAX && d.ncounters == MPB_COUNTERS_MAX);
}

#define TEN "0123456789"
#define ODD(_words, ...)                               \
	do {                                           \
		plain();                               \
		__VA_ARGS__;                           \
		assert_refused(describe(&d), _words);  \
	} while (0)

static void refused(void **unused)
{
	struct desc d;

	(void)unused;
	ODD("built for policy ABI 2, this is ABI 1", odd.policy.abi = 2);
	ODD("built for policy ABI", odd.size = 64);
	ODD("not a policy: it has no description", odd.size = 2);
	ODD("not a policy: it has no description", odd.size = sizeof(odd.policy) + 1);
	ODD("unknown kind 5", odd.policy.kind = MPB_KIND_MAX);
	ODD("its name must have 1..15 characters", odd.policy.name[0] = 0);
	ODD("its name must have 1..15 characters", odd.policy.name[0] = '9');
	ODD("its name must have 1..15 characters", odd.policy.name[2] = '/');
	ODD("its name must have 1..15 characters", memset(odd.policy.name, 'a', sizeof(odd.policy.name)));
	ODD("its summary is not printable text", odd.policy.summary[3] = '\n');
	ODD("its summary is not printable text", memset(odd.policy.summary, 'a', sizeof(odd.policy.summary)));
	ODD("tunable knob: must be an unsigned integer", odd.encoding = BTF_INT_SIGNED);
	ODD("tunable knob: must be an unsigned integer", odd.bytes = 9);
	ODD("tunable knob: must be an unsigned integer", odd.var_bytes = 8);
	ODD("tunable knob: must be an unsigned integer", odd.bytes = 16, odd.var_bytes = 16);
	ODD("tunable knob: declare it with MPB_TUNE", odd.tag = NULL);
	ODD("tunable knob: declare it with MPB_TUNE", odd.tag = "tune:5:0:10");
	ODD("tunable knob: declare it with MPB_TUNE", odd.tag = "tune:MANY:0:10:help");
	ODD("tunable knob: declare it with MPB_TUNE", odd.tag = "tune:-5:0:10:help");
	ODD("tunable knob: declare it with MPB_TUNE", odd.tag = "tune:5:0:99999999999999999999:help");
	ODD("tunable knob: its tag is malformed", odd.tag = "tune-dev:x:5:0:10:help");
	ODD("tunable knob: its tag is malformed", odd.tag = "tune-dev:2147483648:5:0:10:help");
	ODD("tunable knob: default 11, range 0..10", odd.tag = "tune:11:0:10:help");
	ODD("tunable knob: default 1, range 2..10", odd.tag = "tune:1:2:10:help");
	ODD("tunable knob: default 5, range 9..4", odd.tag = "tune:5:9:4:help");
	ODD("4 bytes do not go together", odd.tag = "tune:5:0:4294967296:help");
	ODD("a tunable's name must have 1..31 printable characters", odd.tunable = "a_tunable_whose_name_is_too_long");
	ODD("a tunable's name must have 1..31 printable characters", odd.tunable = "bell\a");
	ODD("tunable knob: its help must be printable text", odd.tag = "tune:5:0:10:\033[31mred");
	ODD("tunable knob: its help must be printable text", odd.tag = "tune:5:0:10:" TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN);
	ODD("a counter's name must have 1..31 printable characters", odd.counter = "c\x80");
	ODD("a counter's name must have 1..31 printable characters", odd.counter = TEN TEN TEN "c");
	ODD("more than 32 tunables", odd.ntunables = TUNABLES_MAX + 1);
	ODD("counters must be declared with MPB_COUNTERS, at most 48", odd.ncounters = MPB_COUNTERS_MAX + 1);
	ODD("numbered from 0 without gaps", odd.ncounters = 3, odd.gap = 2);
}

UNIT_MAIN(cmocka_unit_test(built_objects), cmocka_unit_test(embedded_objects), cmocka_unit_test(defaults_in_place), cmocka_unit_test(truncated),
	  cmocka_unit_test(not_objects), cmocka_unit_test(made_up), cmocka_unit_test(refused))
