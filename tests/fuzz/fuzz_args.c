/* SPDX-License-Identifier: GPL-2.0-only */
/* Bytes, split at NULs -> argv -> the command line's parsers. What they accept keeps to its limits, is made of what was given, and reads back. */
#include <string.h>
#include "args.h"
#include "err.h"
#include "fuzz.h"

#define WORDS_MAX 1200

static struct args a;
static struct load_args l;

static void check_number(const char *word, uint64_t min, uint64_t max)
{
	char text[32];
	uint64_t n, back;

	err_clear();
	if (number_parse("fuzz", word, min, max, &n))
		return;
	FUZZ_ASSERT(n >= min && n <= max);
	snprintf(text, sizeof(text), "%llu", (unsigned long long)n);
	FUZZ_ASSERT(!number_parse("fuzz", text, min, max, &back) && back == n);
	if (strlen(word) > 1 && !strchr("xX", word[1])) /* decimal: with its zeros off, the same digits */
		FUZZ_ASSERT(!strcmp(text, word + strspn(word, "0")) || (!n && !word[strspn(word, "0")]));
}

static void check_setting(const char *word, const struct setting *s)
{
	char again[sizeof(*s) + 3];

	FUZZ_ASSERT(s->key[0] && strnlen(s->key, sizeof(s->key)) < sizeof(s->key));
	FUZZ_ASSERT(strnlen(s->dev, sizeof(s->dev)) < sizeof(s->dev));
	FUZZ_ASSERT(s->value[0] && strnlen(s->value, sizeof(s->value)) < sizeof(s->value));
	snprintf(again, sizeof(again), "%s%s%s=%s", s->key, s->dev[0] ? "@" : "", s->dev, s->value);
	FUZZ_ASSERT(!strcmp(again, word));
}

static void check_load(void)
{
	int found = 1; /* of the words: the policy */

	FUZZ_ASSERT(l.policy == a.words[1]);
	FUZZ_ASSERT(l.in || l.out);
	FUZZ_ASSERT(l.hook != HOOK_XDP || !l.out);
	FUZZ_ASSERT(l.ndevs >= 0 && l.ndevs <= (int)(sizeof(l.devs) / sizeof(l.devs[0])));
	for (int i = 0; i < l.ndevs; i++) {
		FUZZ_ASSERT(l.devs[i][0] && strnlen(l.devs[i], sizeof(l.devs[i])) < sizeof(l.devs[i]) && !strchr(l.devs[i], ','));
		for (int k = 0; k < i; k++)
			FUZZ_ASSERT(strcmp(l.devs[i], l.devs[k]));
	}
	FUZZ_ASSERT(l.nsettings >= 0 && l.nsettings <= (int)(sizeof(l.settings) / sizeof(l.settings[0])));
	for (int i = 2, n = 0; i < a.nwords; i++) {
		if (!strcmp(a.words[i], "hook") || !strcmp(a.words[i], "dir") || !strcmp(a.words[i], "dev")) {
			i++;
			found += 2;
		} else {
			FUZZ_ASSERT(n < l.nsettings);
			check_setting(a.words[i], &l.settings[n++]);
			found++;
		}
	}
	FUZZ_ASSERT(found == a.nwords - 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char *argv[WORDS_MAX + 1];
	char *text = malloc(size + 1);
	struct setting s;
	int argc = 1, flags = 0;

	if (!text)
		return 0;
	if (size)
		memcpy(text, data, size);
	text[size] = 0;
	argv[0] = text + size; /* an empty name of the program */
	for (char *w = text; w < text + size && argc < WORDS_MAX; w += strlen(w) + 1)
		argv[argc++] = w;
	argv[argc] = NULL;
	for (int i = 1; i < argc; i++) {
		check_number(argv[i], 0, UINT64_MAX);
		check_number(argv[i], 1, 1000);
		flags += argv[i][0] == '-';
		err_clear();
		if (!setting_parse(argv[i], &s))
			check_setting(argv[i], &s);
		FUZZ_ASSERT(!policy_is_path(argv[i]) || strlen(argv[i]) > 0);
	}
	err_clear();
	if (!args_parse(argc, argv, &a)) {
		FUZZ_ASSERT(a.nwords >= 0 && a.nwords <= ARGS_MAX && a.nwords < argc);
		FUZZ_ASSERT(flags || a.nwords == argc - 1);
		FUZZ_ASSERT(a.max_subflows <= 1 << 24);
		for (int i = 0; i < a.nwords; i++)
			FUZZ_ASSERT(a.words[i] >= text && a.words[i] < text + size);
		if (!load_args_parse(&a, &l))
			check_load();
	}
	free(text);
	return 0;
}
