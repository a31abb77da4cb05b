/* SPDX-License-Identifier: GPL-2.0-only */
/* The command line, parsed. Nothing here touches the system, so the fuzzer drives it. */
#ifndef MPB_ARGS_H
#define MPB_ARGS_H

#include <stdbool.h>
#include <stdint.h>

#define ARGS_MAX 1024

struct args {
	bool json;
	bool help;
	bool version;
	bool all;               /* --all */
	bool config;            /* --config */
	bool no_verify;         /* --no-verify */
	bool is_default;        /* --default */
	int verbose;            /* -v libbpf's messages, -vv the verifier's log */
	const char *netns;      /* -n: name or path */
	const char *output;     /* -o: path */
	const char *file;       /* -c: path */
	uint32_t max_subflows;  /* --max-subflows; 0: not given */
	uint32_t interval_ms;   /* -i: seconds on the command line; 0: not given */
	bool openmetrics;       /* --openmetrics */
	bool connections;       /* --connections */
	const char *record;     /* --record: path */
	const char *listen;     /* --listen: address:port */
	int nwords;
	const char *words[ARGS_MAX]; /* the verb and what follows it, flags removed */
};

/* Returns 0, or -EINVAL after err_usage(). Flags stand anywhere; "--" ends them. */
int args_parse(int argc, char **argv, struct args *a);

enum hook { HOOK_DEFAULT, HOOK_TCX, HOOK_XDP };

/* KEY=VALUE or KEY@DEV=VALUE. */
struct setting {
	char key[32];
	char dev[16]; /* "": everywhere */
	char value[64];
};

struct load_args {
	const char *policy; /* a name, or a path: it has a '/' or ends in .o */
	enum hook hook;
	bool is_default; /* of the namespace, for all TCP */
	bool in, out;
	bool no_rule; /* whoever loads it writes the rules himself */
	int ndevs;
	char devs[256][16];
	int nsettings;
	struct setting settings[64];
};

int load_args_parse(const struct args *a, struct load_args *l);
int setting_parse(const char *word, struct setting *s);
bool policy_is_path(const char *word);

/* A decimal or 0x number in min..max; the error names the word and the range. */
int number_parse(const char *what, const char *word, uint64_t min, uint64_t max, uint64_t *out);

#endif
