/* SPDX-License-Identifier: GPL-2.0-only */
#include <ctype.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <mptcp_bpf/state.h>
#include "args.h"
#include "err.h"

int number_parse(const char *what, const char *word, uint64_t min, uint64_t max, uint64_t *out)
{
	char *end;

	errno = 0;
	*out = strtoull(word, &end, word[0] == '0' && (word[1] | 0x20) == 'x' ? 16 : 10); /* 010 is ten */
	if (!isdigit((unsigned char)*word) || *end || errno || *out < min || *out > max)
		return err_usage(what, "'%s' is not a number in %llu..%llu", word, (unsigned long long)min, (unsigned long long)max);
	return 0;
}

static int flag_short(const char *word, int argc, char **argv, int *i, struct args *a)
{
	for (const char *c = word + 1; *c; c++) {
		if (*c == 'j') {
			a->json = true;
		} else if (*c == 'v') {
			a->verbose++;
		} else if (*c == 'h') {
			a->help = true;
		} else if (*c == 'n') {
			if (c[1])
				a->netns = c + 1;
			else if (*i + 1 < argc)
				a->netns = argv[++*i];
			else
				return err_usage("-n", "needs the name or the path of a network namespace");
			return 0;
		} else if (*c == 'o') {
			if (c[1])
				a->output = c + 1;
			else if (*i + 1 < argc)
				a->output = argv[++*i];
			else
				return err_usage("-o", "needs the path of the object file to write");
			return 0;
		} else {
			return err_usage(word, "unknown flag '-%c'", *c);
		}
	}
	return 0;
}

static int flag_long(const char *word, int argc, char **argv, int *i, struct args *a)
{
	uint64_t n;

	if (!strcmp(word, "--json")) {
		a->json = true;
	} else if (!strcmp(word, "--help")) {
		a->help = true;
	} else if (!strcmp(word, "--version")) {
		a->version = true;
	} else if (!strcmp(word, "--all")) {
		a->all = true;
	} else if (!strcmp(word, "--config")) {
		a->config = true;
	} else if (!strcmp(word, "--no-verify")) {
		a->no_verify = true;
	} else if (!strcmp(word, "--default")) {
		a->is_default = true;
	} else if (!strcmp(word, "--max-subflows")) {
		if (*i + 1 >= argc)
			return err_usage(word, "needs a number in 1..%d", MPB_SUBFLOWS_MAX);
		if (number_parse(word, argv[++*i], 1, MPB_SUBFLOWS_MAX, &n))
			return -EINVAL;
		a->max_subflows = n;
	} else {
		return err_usage(word, "unknown flag");
	}
	return 0;
}

int args_parse(int argc, char **argv, struct args *a)
{
	bool flags = true;

	memset(a, 0, sizeof(*a));
	for (int i = 1; i < argc; i++) {
		const char *word = argv[i];
		int err = 0;

		if (flags && !strcmp(word, "--"))
			flags = false;
		else if (flags && !strncmp(word, "--", 2))
			err = flag_long(word, argc, argv, &i, a);
		else if (flags && word[0] == '-' && word[1])
			err = flag_short(word, argc, argv, &i, a);
		else if (a->nwords == ARGS_MAX)
			err = err_usage("arguments", "more than %d", ARGS_MAX);
		else
			a->words[a->nwords++] = word;
		if (err)
			return err;
	}
	return 0;
}

bool policy_is_path(const char *word)
{
	size_t n = strlen(word);

	return strchr(word, '/') || (n > 2 && !strcmp(word + n - 2, ".o"));
}

static int copy_word(const char *what, const char *from, size_t n, char *to, size_t size)
{
	if (!n || n >= size)
		return err_usage(what, "'%.*s' must have 1..%zu characters", (int)(n < 80 ? n : 80), from, size - 1);
	memcpy(to, from, n);
	to[n] = 0;
	return 0;
}

int setting_parse(const char *word, struct setting *s)
{
	const char *eq = strchr(word, '='), *at;

	memset(s, 0, sizeof(*s));
	if (!eq)
		return err_usage(word, "expected KEY=VALUE or KEY@DEV=VALUE");
	at = memchr(word, '@', eq - word);
	if (at && copy_word("device", at + 1, eq - at - 1, s->dev, sizeof(s->dev)))
		return -EINVAL;
	if (copy_word("tunable", word, (at ? at : eq) - word, s->key, sizeof(s->key)))
		return -EINVAL;
	return copy_word("value", eq + 1, strlen(eq + 1), s->value, sizeof(s->value));
}

static int devs_parse(const char *list, struct load_args *l)
{
	while (*list) {
		size_t n = strcspn(list, ",");

		if (l->ndevs == (int)(sizeof(l->devs) / sizeof(l->devs[0])))
			return err_usage("dev", "more than %zu devices", sizeof(l->devs) / sizeof(l->devs[0]));
		if (copy_word("dev", list, n, l->devs[l->ndevs], IFNAMSIZ))
			return -EINVAL;
		for (int i = 0; i < l->ndevs; i++)
			if (!strcmp(l->devs[i], l->devs[l->ndevs]))
				return err_usage("dev", "'%s' is named twice", l->devs[i]);
		l->ndevs++;
		list += n;
		if (*list == ',' && !*++list)
			return err_usage("dev", "the list ends in a comma");
	}
	return 0;
}

static int word_parse(const char *key, const char *value, struct load_args *l)
{
	if (!strcmp(key, "hook")) {
		if (strcmp(value, "tcx") && strcmp(value, "xdp"))
			return err_usage("hook", "'%s' is not tcx or xdp", value);
		l->hook = !strcmp(value, "tcx") ? HOOK_TCX : HOOK_XDP;
	} else if (!strcmp(key, "dir")) {
		if (strcmp(value, "in") && strcmp(value, "out") && strcmp(value, "both"))
			return err_usage("dir", "'%s' is not in, out or both", value);
		l->in = strcmp(value, "out");
		l->out = strcmp(value, "in");
	} else {
		if (!*value)
			return err_usage("dev", "needs a device, or several with commas");
		return devs_parse(value, l);
	}
	return 0;
}

int load_args_parse(const struct args *a, struct load_args *l)
{
	memset(l, 0, sizeof(*l));
	if (a->nwords < 2)
		return err_usage("load", "needs the name of a policy (see 'mptcp-bpf list') or the path of an object file");
	l->policy = a->words[1];
	l->is_default = a->is_default;
	for (int i = 2; i < a->nwords; i++) {
		const char *word = a->words[i];

		if (!strcmp(word, "hook") || !strcmp(word, "dir") || !strcmp(word, "dev")) {
			if (i + 1 == a->nwords)
				return err_usage(word, "needs a value");
			if (word_parse(word, a->words[++i], l))
				return -EINVAL;
		} else if (l->nsettings == (int)(sizeof(l->settings) / sizeof(l->settings[0]))) {
			return err_usage("load", "more than %zu settings", sizeof(l->settings) / sizeof(l->settings[0]));
		} else if (setting_parse(word, &l->settings[l->nsettings++])) {
			return -EINVAL;
		}
	}
	if (l->hook == HOOK_XDP && l->out)
		return err_usage("dir", "XDP sees incoming packets only: hook xdp goes with dir in");
	if (!l->in && !l->out) {
		l->in = true;
		l->out = l->hook != HOOK_XDP;
	}
	return 0;
}
