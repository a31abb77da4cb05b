/* SPDX-License-Identifier: GPL-2.0-only */
/* The command line: flags anywhere, errors that name the bad word and what would be good, every limit. */
#include <errno.h>
#include "said.h"
#include "args.h"

static struct args a;
static struct load_args l;

/* args_parse() of words that end in NULL; argv[0] is the program. */
static int parse(const char *first, ...)
{
	static char *argv[ARGS_MAX + 16];
	int argc = 1;
	va_list ap;

	argv[0] = (char *)"mptcp-bpf";
	va_start(ap, first);
	for (const char *w = first; w; w = va_arg(ap, const char *))
		argv[argc++] = (char *)w;
	va_end(ap);
	argv[argc] = NULL;
	return args_parse(argc, argv, &a);
}

#define PARSE(...) parse(__VA_ARGS__, NULL)
#define LOAD(...) (PARSE("load", __VA_ARGS__) ? 1 : load_args_parse(&a, &l))

static void flags_anywhere(void **unused)
{
	(void)unused;
	assert_int_equal(PARSE("list", "-j", "opt", "-v", "--all"), 0);
	assert_int_equal(a.nwords, 2);
	assert_string_equal(a.words[0], "list");
	assert_string_equal(a.words[1], "opt");
	assert_true(a.json && a.all && a.verbose == 1 && !a.help && !a.version && !a.netns && !a.max_subflows);

	assert_int_equal(PARSE("--json", "--help", "--version", "--all", "stat"), 0);
	assert_true(a.json && a.help && a.version && a.all && a.nwords == 1);

	assert_int_equal(PARSE("-"), 0); /* a word */
	assert_string_equal(a.words[0], "-");

	assert_int_equal(PARSE(""), 0); /* too */
	assert_int_equal(a.nwords, 1);

	assert_int_equal(parse(NULL), 0);
	assert_int_equal(a.nwords, 0);
}

static void combined_flags(void **unused)
{
	(void)unused;
	assert_int_equal(PARSE("-jvvh", "stat"), 0);
	assert_true(a.json && a.help && a.verbose == 2);
	assert_int_equal(PARSE("-jnlab", "stat"), 0);
	assert_true(a.json && !strcmp(a.netns, "lab"));
	assert_int_equal(PARSE("-vn", "lab", "stat"), 0);
	assert_true(a.verbose == 1 && !strcmp(a.netns, "lab") && a.nwords == 1);
}

static void netns(void **unused)
{
	(void)unused;
	assert_int_equal(PARSE("stat", "-nlab"), 0);
	assert_string_equal(a.netns, "lab");
	assert_int_equal(PARSE("stat", "-n", "lab"), 0);
	assert_string_equal(a.netns, "lab");
	assert_int_equal(PARSE("-n", "/run/netns/lab", "stat"), 0);
	assert_string_equal(a.netns, "/run/netns/lab");
	assert_int_equal(PARSE("-n", "-j", "stat"), 0); /* the word behind -n is a name, whatever it looks like */
	assert_string_equal(a.netns, "-j");
	assert_false(a.json);
	assert_usage(PARSE("stat", "-n"), "mptcp-bpf: -n: needs the name or the path of a network namespace");
	assert_usage(PARSE("stat", "-jn"), "-n: needs");
}

static void observing(void **unused)
{
	(void)unused;
	assert_int_equal(PARSE("stat", "-i", "0.5", "--openmetrics", "--connections", "--record", "f"), 0);
	assert_true(a.interval_ms == 500 && a.openmetrics && a.connections && !strcmp(a.record, "f") && a.nwords == 1);
	assert_int_equal(PARSE("stat", "-ji2"), 0);
	assert_true(a.json && a.interval_ms == 2000);
	assert_int_equal(PARSE("run", "--listen", "127.0.0.1:9464"), 0);
	assert_string_equal(a.listen, "127.0.0.1:9464");
	assert_usage(PARSE("stat", "-i", "0"), "0.1..86400");
	assert_usage(PARSE("stat", "-i", "nan"), "'nan' is not a number");
	assert_usage(PARSE("stat", "-i", "1s"), "'1s' is not a number");
	assert_usage(PARSE("stat", "-i"), "-i: needs a number of seconds");
	assert_usage(PARSE("run", "--listen"), "--listen: needs ADDRESS:PORT");
	assert_usage(PARSE("stat", "--record"), "--record: needs the path");
}

static void double_dash(void **unused)
{
	(void)unused;
	assert_int_equal(PARSE("-j", "load", "--", "-v", "--all", "--"), 0);
	assert_int_equal(a.nwords, 4);
	assert_string_equal(a.words[1], "-v");
	assert_string_equal(a.words[2], "--all");
	assert_string_equal(a.words[3], "--");
	assert_true(a.json && !a.verbose && !a.all);
}

static void unknown_flags(void **unused)
{
	(void)unused;
	assert_usage(PARSE("list", "-x"), "unknown flag '-x'");
	assert_usage(PARSE("list", "-jx"), "-jx: unknown flag '-x'");
	assert_usage(PARSE("list", "--jason"), "--jason: unknown flag");
	assert_usage(PARSE("list", "---"), "---: unknown flag");
	assert_usage(PARSE("list", "--json=1"), "--json=1: unknown flag");
}

static void build(void **unused)
{
	(void)unused;
	assert_int_equal(PARSE("build", "x.bpf.c", "-o", "-j", "--no-verify"), 0);
	assert_true(a.no_verify && !a.json && a.nwords == 2 && !strcmp(a.output, "-j"));
	assert_int_equal(PARSE("build", "-jox.o", "x.bpf.c"), 0);
	assert_true(a.json && !a.no_verify && !strcmp(a.output, "x.o"));
	assert_int_equal(PARSE("build", "x.bpf.c", "-o"), -EINVAL);
}

static void max_subflows(void **unused)
{
	(void)unused;
	assert_int_equal(PARSE("load", "--max-subflows", "1"), 0);
	assert_int_equal(a.max_subflows, 1);
	assert_int_equal(PARSE("--max-subflows", "16777216", "load"), 0);
	assert_int_equal(a.max_subflows, 16777216);
	assert_int_equal(PARSE("--max-subflows", "0x100", "load"), 0);
	assert_int_equal(a.max_subflows, 256);
	assert_usage(PARSE("load", "--max-subflows"), "--max-subflows: needs a number in 1..16777216");
	assert_usage(PARSE("load", "--max-subflows", "0"), "--max-subflows: '0' is not a number in 1..16777216");
	assert_usage(PARSE("load", "--max-subflows", "16777217"), "'16777217' is not a number in 1..16777216");
	assert_usage(PARSE("load", "--max-subflows", "many"), "'many' is not a number");
}

static void too_many_words(void **unused)
{
	static char *argv[ARGS_MAX + 3];

	(void)unused;
	for (int i = 0; i < ARGS_MAX + 2; i++)
		argv[i] = (char *)"word";
	assert_int_equal(args_parse(ARGS_MAX + 1, argv, &a), 0);
	assert_int_equal(a.nwords, ARGS_MAX);
	assert_usage(args_parse(ARGS_MAX + 2, argv, &a), "more than 1024");
}

static void numbers(void **unused)
{
	static const struct {
		const char *word;
		uint64_t min, max, want;
	} good[] = {
		{ "0", 0, 0, 0 },
		{ "5", 5, 5, 5 },
		{ "010", 0, 100, 10 }, /* decimal: no octal */
		{ "08", 0, 100, 8 },
		{ "0x10", 0, 100, 16 },
		{ "0XfF", 0, 1000, 255 },
		{ "18446744073709551615", 0, UINT64_MAX, UINT64_MAX },
		{ "0xffffffffffffffff", 0, UINT64_MAX, UINT64_MAX },
	};
	static const char *const bad[] = { "", "-1", "+1", " 1", "1 ", "1k", "0x", "x", "1.5", "18446744073709551616", "0x10000000000000000", "-0",
					   "99999999999999999999999999999999" };
	uint64_t n;

	(void)unused;
	for (unsigned int i = 0; i < COUNT(good); i++) {
		n = 77;
		if (number_parse("n", good[i].word, good[i].min, good[i].max, &n) || n != good[i].want)
			fail_msg("'%s' is %llu, want %llu", good[i].word, (unsigned long long)n, (unsigned long long)good[i].want);
	}
	for (unsigned int i = 0; i < COUNT(bad); i++)
		assert_usage(number_parse("n", bad[i], 0, UINT64_MAX, &n), "is not a number in 0..18446744073709551615");
	assert_usage(number_parse("hyst", "4", 5, 6, &n), "mptcp-bpf: hyst: '4' is not a number in 5..6");
	assert_usage(number_parse("hyst", "7", 5, 6, &n), "mptcp-bpf: hyst: '7' is not a number in 5..6");
}

static void settings(void **unused)
{
	struct setting s;

	(void)unused;
	assert_int_equal(setting_parse("action=2", &s), 0);
	assert_true(!strcmp(s.key, "action") && !strcmp(s.value, "2") && !s.dev[0]);
	assert_int_equal(setting_parse("action@wlan0=3", &s), 0);
	assert_true(!strcmp(s.key, "action") && !strcmp(s.dev, "wlan0") && !strcmp(s.value, "3"));
	assert_int_equal(setting_parse("a=b@c=d", &s), 0); /* the first = ends the key */
	assert_true(!strcmp(s.key, "a") && !s.dev[0] && !strcmp(s.value, "b@c=d"));

	assert_int_equal(setting_parse("k23456789012345678901234567890k=v", &s), 0); /* 31 characters */
	assert_usage(setting_parse("k234567890123456789012345678901k=v", &s), "tunable: 'k234567890123456789012345678901k' must have 1..31 characters");
	assert_int_equal(setting_parse("k@d23456789012345=v", &s), 0); /* 15 */
	assert_usage(setting_parse("k@d234567890123456=v", &s), "device: 'd234567890123456' must have 1..15 characters");
	assert_int_equal(setting_parse("k=v23456789012345678901234567890123456789012345678901234567890123", &s), 0); /* 63 */
	assert_usage(setting_parse("k=v234567890123456789012345678901234567890123456789012345678901234", &s), "must have 1..63 characters");

	assert_usage(setting_parse("action", &s), "action: expected KEY=VALUE or KEY@DEV=VALUE");
	assert_usage(setting_parse("", &s), "expected KEY=VALUE");
	assert_usage(setting_parse("=2", &s), "tunable: '' must have");
	assert_usage(setting_parse("action=", &s), "value: '' must have");
	assert_usage(setting_parse("action@=2", &s), "device: '' must have");
	assert_usage(setting_parse("@eth0=2", &s), "tunable: '' must have");
}

static void load_words(void **unused)
{
	(void)unused;
	assert_int_equal(LOAD("prio_strip"), 0);
	assert_string_equal(l.policy, "prio_strip");
	assert_true(l.hook == HOOK_DEFAULT && l.in && l.out && !l.ndevs && !l.nsettings);

	assert_int_equal(LOAD("p", "dir", "in", "dev", "eth0,wlan0", "x=1", "hook", "tcx", "y@eth0=2"), 0);
	assert_true(l.hook == HOOK_TCX && l.in && !l.out && l.ndevs == 2 && l.nsettings == 2);
	assert_string_equal(l.devs[0], "eth0");
	assert_string_equal(l.devs[1], "wlan0");
	assert_string_equal(l.settings[1].dev, "eth0");

	assert_false(l.is_default);
	assert_int_equal(LOAD("--default", "p"), 0);
	assert_true(l.is_default);
	assert_int_equal(LOAD("p", "dir", "out"), 0);
	assert_true(!l.in && l.out);
	assert_int_equal(LOAD("p", "dir", "both"), 0);
	assert_true(l.in && l.out);

	assert_int_equal(LOAD("p", "hook", "xdp"), 0); /* incoming only, by itself */
	assert_true(l.hook == HOOK_XDP && l.in && !l.out);
	assert_int_equal(LOAD("p", "dir", "in", "hook", "xdp"), 0);
	assert_usage(LOAD("p", "hook", "xdp", "dir", "out"), "dir: XDP sees incoming packets only");
	assert_usage(LOAD("p", "dir", "both", "hook", "xdp"), "dir: XDP sees incoming packets only");

	assert_usage((PARSE("load"), load_args_parse(&a, &l)), "load: needs the name of a policy");
	assert_usage(LOAD("p", "hook", "tc"), "hook: 'tc' is not tcx or xdp");
	assert_usage(LOAD("p", "dir", "up"), "dir: 'up' is not in, out or both");
	assert_usage(LOAD("p", "hook"), "hook: needs a value");
	assert_usage(LOAD("p", "dir"), "dir: needs a value");
	assert_usage(LOAD("p", "dev"), "dev: needs a value");
	assert_usage(LOAD("p", "eth0"), "eth0: expected KEY=VALUE");
}

static void devices(void **unused)
{
	char list[257 * 5], *at = list;

	(void)unused;
	assert_int_equal(LOAD("p", "dev", "a23456789012345"), 0);
	assert_usage(LOAD("p", "dev", "a234567890123456"), "dev: 'a234567890123456' must have 1..15 characters");
	assert_usage(LOAD("p", "dev", ""), "dev: needs a device");
	assert_usage(LOAD("p", "dev", "a,"), "dev: the list ends in a comma");
	assert_usage(LOAD("p", "dev", ",a"), "dev: '' must have");
	assert_usage(LOAD("p", "dev", "a,,b"), "dev: '' must have");
	assert_usage(LOAD("p", "dev", "a,b,a"), "dev: 'a' is named twice");
	assert_usage(LOAD("p", "dev", "a", "dev", "b,a"), "dev: 'a' is named twice");

	for (int i = 0; i < 257; i++)
		at += snprintf(at, list + sizeof(list) - at, "%s%03x", i ? "," : "", i);
	assert_usage(LOAD("p", "dev", list), "dev: more than 256 devices");
	*strrchr(list, ',') = 0;
	assert_int_equal(LOAD("p", "dev", list), 0);
	assert_int_equal(l.ndevs, 256);
	assert_string_equal(l.devs[255], "0ff");
}

static void many_settings(void **unused)
{
	static char *argv[3 + 65];
	static char words[65][32];

	(void)unused;
	argv[1] = (char *)"load";
	argv[2] = (char *)"p";
	for (int i = 0; i < 65; i++) {
		snprintf(words[i], sizeof(words[i]), "k%d=%d", i, i);
		argv[3 + i] = words[i];
	}
	assert_int_equal(args_parse(3 + 64, argv, &a), 0);
	assert_int_equal(load_args_parse(&a, &l), 0);
	assert_int_equal(l.nsettings, 64);
	assert_string_equal(l.settings[63].key, "k63");
	assert_int_equal(args_parse(3 + 65, argv, &a), 0);
	assert_usage(load_args_parse(&a, &l), "load: more than 64 settings");
}

static void paths(void **unused)
{
	(void)unused;
	assert_true(policy_is_path("./x") && policy_is_path("/x") && policy_is_path("x.bpf.o") && policy_is_path("x.o"));
	assert_false(policy_is_path("prio_strip") || policy_is_path(".o") || policy_is_path("") || policy_is_path("x.oo"));
}

UNIT_MAIN(cmocka_unit_test(flags_anywhere), cmocka_unit_test(combined_flags), cmocka_unit_test(netns), cmocka_unit_test(build), cmocka_unit_test(observing), cmocka_unit_test(double_dash),
	  cmocka_unit_test(unknown_flags), cmocka_unit_test(max_subflows), cmocka_unit_test(too_many_words), cmocka_unit_test(numbers),
	  cmocka_unit_test(settings), cmocka_unit_test(load_words), cmocka_unit_test(devices), cmocka_unit_test(many_settings), cmocka_unit_test(paths))
