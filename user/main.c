/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdio.h>
#include <string.h>
#include "args.h"
#include "cmd.h"
#include "dispatcher.h"
#include "err.h"
#include "policy.h"
#include "preset.h"

#ifndef MPB_VERSION
#define MPB_VERSION "0"
#endif

static const struct {
	const char *name;
	int (*run)(const struct args *a);
	const char *usage;
	const char *help;
} verbs[] = {
	{ "features", cmd_features, "", "what this kernel can do, with the reason for each no" },
	{ "list", cmd_list, "[sched|cc|opt|guard] [--config]", "policies embedded and loaded, where attached, tunables, counters; --config: the present state as a file for 'apply'" },
	{ "load", cmd_load, "NAME|PRESET|FILE.o [hook tcx|xdp] [dir in|out|both] [dev IF,...] [KEY[@DEV]=VALUE ...] [--default]", "verify, pin and attach a policy: all or nothing" },
	{ "unload", cmd_unload, "NAME | --all", "take a policy, or all of this namespace, down again" },
	{ "swap", cmd_swap, "OLD NEW|FILE.o [KEY=VALUE ...]", "put another policy in the place of a loaded one, under traffic" },
	{ "rule", cmd_rule, "add|del|list [peer PREFIX] [peer-port N] [local-port N] [mark N] [cgroup PATH] [prio N] [sched NAME] [cc NAME] [convert NAME]",
	  "which connections get which scheduler and congestion control; 'del' takes a number of the list, or the rule" },
	{ "path", cmd_path, "add|del|list dev IF | from PREFIX | id N  [weight N] [cost N] [rate RATE] [ask-rate RATE] [ask-idle TIME] [obey RATE]",
	  "what is known of a path: what schedulers go by, and what peers are asked for on it" },
	{ "tune", cmd_tune, "NAME [KEY[@DEV]=VALUE ...]", "show or change the tunables of a loaded policy, live" },
	{ "check", cmd_check, "FILE", "what 'apply' would change, and whether the kernel takes it; changes nothing" },
	{ "apply", cmd_apply, "FILE", "make this namespace what the file says, as one transaction; what it does not say is not so" },
	{ "stat", cmd_stat, "[TOKEN] [dev IF] [peer PREFIX] [state STATE] [sched NAME] [sort token|age|bytes|rate|rtt] [-i SEC] [--all] [--openmetrics [--connections]] [--record FILE]",
	  "connections and their subflows, with those that ended in the last minute (--all: as far as is remembered)" },
	{ "top", cmd_top, "[-i SEC]", "the same, live, full screen; h shows the keys" },
	{ "monitor", cmd_monitor, "[TOKEN] [peer PREFIX] [event KIND,...]", "a line for each event, with its cause, until interrupted" },
	{ "explain", cmd_explain, "TOKEN", "why a connection uses its paths as it does" },
	{ "plot", cmd_plot, "FILE [-o FILE.svg|FILE.png]", "a time line of what 'stat --record' recorded, by gnuplot" },
	{ "run", cmd_run, "[KEY=VALUE ... | -c FILE] [--listen ADDRESS:PORT [--connections]]",
	  "the agent: takes connections off a path that has died, and back to it when it works again; -c: keeps to a configuration; --listen: serves /metrics" },
	{ "converter", cmd_converter,
	  "add NAME ADDR:PORT [cookie HEX] [bypass S] | del NAME | list | serve client PREFIX ... [listen ADDR:PORT] [dest PREFIX ...] [tcp] [mptcp-out] [proxy-protocol] [cookies] [cookie-key FILE] [threads N] [max N] "
	  "[max-each N] [handshake S] [idle S] [grace S] [user NAME] | client to ADDR:PORT [listen ADDR:PORT] [cookie HEX] [tcp|fastopen] [threads N] [max N] [user NAME] | stat [client] [port N] [openmetrics]",
	  "RFC 8803: send connections through a transport converter ('rule ... convert NAME'); run one; what it has counted" },
	{ "build", cmd_build, "FILE.bpf.c [-o FILE.bpf.o] [--no-verify]", "compile a policy of one's own, and have the kernel verify it" },
};

#define NVERBS (sizeof(verbs) / sizeof(verbs[0]))

static void usage(FILE *to)
{
	fputs("usage: mptcp-bpf [-j] [-n NETNS] [-v] VERB ...\n\n", to);
	for (size_t i = 0; i < NVERBS; i++)
		fprintf(to, "  %s %s\n        %s\n", verbs[i].name, verbs[i].usage, verbs[i].help);
	fputs("\n  -j, --json        data and errors as JSON\n"
	      "  -n NETNS          in this network namespace: a name (ip netns) or a path\n"
	      "  -v                show libbpf's messages; -vv the verifier's log too\n"
	      "  -i SEC            every SEC seconds, what they brought\n"
	      "  --max-subflows N  with a namespace's first load: size of its tables (default 65536)\n"
	      "\nexit: 0 done, 1 failed, 2 usage, 4 the kernel lacks it\n",
	      to);
}

static int run(const struct args *a)
{
	for (size_t i = 0; a->nwords && i < NVERBS; i++) {
		if (strcmp(verbs[i].name, a->words[0]))
			continue;
		if (a->help) {
			printf("usage: mptcp-bpf %s %s\n%s\n", verbs[i].name, verbs[i].usage, verbs[i].help);
			for (size_t k = 0; verbs[i].run == cmd_load && k < npresets; k++)
				printf("%s  %-15s %s%s%s: %s\n", k ? "" : "presets:\n", presets[k].name, presets[k].policy,
				       presets[k].settings[0] ? " " : "", presets[k].settings, presets[k].gives);
			return 0;
		}
		return verbs[i].run(a);
	}
	if (a->version) {
		puts("mptcp-bpf " MPB_VERSION);
		return 0;
	}
	if (a->help) {
		usage(stdout);
		return 0;
	}
	if (!a->nwords) {
		if (!a->json)
			usage(stderr);
		return err_usage("verb", "none given");
	}
	err_hint("'mptcp-bpf --help' lists the verbs");
	return err_usage(a->words[0], "unknown verb");
}

int main(int argc, char **argv)
{
	struct args a;
	int err = args_parse(argc, argv, &a);

	policy_verbosity(a.verbose);
	dispatcher_verbosity(a.verbose);
	if (!err)
		err = run(&a);
	if (!err && (fflush(stdout) || ferror(stdout)))
		err = err_fail(5, "stdout", "cannot write");
	return err ? err_print(a.json) : EXIT_DONE;
}
