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

static int interval_parse(const char *word, uint32_t *ms)
{
	char *end;
	double seconds = strtod(word, &end);

	if (!isdigit((unsigned char)*word) || *end || !(seconds >= 0.1 && seconds <= 86400))
		return err_usage("-i", "'%s' is not a number of seconds in 0.1..86400", word);
	*ms = seconds * 1000 + 0.5;
	return 0;
}

/* The value of a flag: what follows it in the word, or the next word. NULL: there is none. */
static const char *value_of(const char *rest, int argc, char **argv, int *i)
{
	return *rest ? rest : *i + 1 < argc ? argv[++*i] : NULL;
}

static int flag_short(const char *word, int argc, char **argv, int *i, struct args *a)
{
	const char *value;

	for (const char *c = word + 1; *c; c++) {
		if (*c == 'j') {
			a->json = true;
		} else if (*c == 'v') {
			a->verbose++;
		} else if (*c == 'h') {
			a->help = true;
		} else if (*c == 'n') {
			a->netns = value_of(c + 1, argc, argv, i);
			return a->netns ? 0 : err_usage("-n", "needs the name or the path of a network namespace");
		} else if (*c == 'o') {
			a->output = value_of(c + 1, argc, argv, i);
			return a->output ? 0 : err_usage("-o", "needs the path of the file to write");
		} else if (*c == 'c') {
			a->file = value_of(c + 1, argc, argv, i);
			return a->file ? 0 : err_usage("-c", "needs the path of a configuration");
		} else if (*c == 'i') {
			value = value_of(c + 1, argc, argv, i);
			return value ? interval_parse(value, &a->interval_ms) : err_usage("-i", "needs a number of seconds");
		} else {
			return err_usage(word, "unknown flag '-%c'", *c);
		}
	}
	return 0;
}

static int flag_long(const char *word, int argc, char **argv, int *i, struct args *a)
{
	const struct {
		const char *name;
		bool *set;
	} plain[] = {
		{ "--json", &a->json }, { "--help", &a->help }, { "--version", &a->version }, { "--all", &a->all },
		{ "--config", &a->config }, { "--default", &a->is_default }, { "--no-verify", &a->no_verify }, { "--openmetrics", &a->openmetrics }, { "--connections", &a->connections },
	};
	const struct {
		const char *name, *needs;
		const char **value;
	} valued[] = {
		{ "--record", "the path of the file to write", &a->record },
		{ "--listen", "ADDRESS:PORT", &a->listen },
	};
	uint64_t n;

	for (size_t k = 0; k < sizeof(plain) / sizeof(plain[0]); k++) {
		if (!strcmp(word, plain[k].name)) {
			*plain[k].set = true;
			return 0;
		}
	}
	for (size_t k = 0; k < sizeof(valued) / sizeof(valued[0]); k++) {
		if (!strcmp(word, valued[k].name)) {
			*valued[k].value = value_of("", argc, argv, i);
			return *valued[k].value ? 0 : err_usage(word, "needs %s", valued[k].needs);
		}
	}
	if (strcmp(word, "--max-subflows"))
		return err_usage(word, "unknown flag");
	if (*i + 1 >= argc)
		return err_usage(word, "needs a number in 1..%d", MPB_SUBFLOWS_MAX);
	if (number_parse(word, argv[++*i], 1, MPB_SUBFLOWS_MAX, &n))
		return -EINVAL;
	a->max_subflows = n;
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
