/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include "cmd.h"
#include "compile.h"
#include "err.h"
#include "out.h"
#include "policy.h"
#include "verifier.h"

static bool ends_in(const char *word, const char *end)
{
	size_t n = strlen(word), k = strlen(end);

	return n > k && !strcmp(word + n - k, end);
}

/* FILE.bpf.c -> FILE.bpf.o beside it, unless -o names another; and a name beside that for the work in progress. */
static int name_files(const struct args *a, char out[PATH_MAX], char part[PATH_MAX])
{
	const char *source = a->nwords == 2 ? a->words[1] : "";
	int n;

	if (a->nwords != 2)
		return err_usage("build", "needs one source file, NAME.bpf.c");
	if (!ends_in(source, ".c"))
		return err_usage(source, "is not a source file: its name does not end in .c");
	if (a->output && (!*a->output || ends_in(a->output, ".c")))
		return err_usage("-o", "'%s' is not a name for an object file", a->output);
	if (a->output)
		n = snprintf(out, PATH_MAX, "%s", a->output);
	else
		n = snprintf(out, PATH_MAX, "%.*so", (int)strlen(source) - 1, source);
	if (n >= PATH_MAX - 8)
		return err_usage(source, "its name is too long");
	if (access(source, R_OK))
		return err_fail(errno, source, "cannot open: %s", strerror(errno));
	snprintf(part, PATH_MAX, "%.*s.XXXXXX", PATH_MAX - 8, out);
	return 0;
}

/* Asks the kernel. What it lets nobody ask is not an error: the object is then as good as clang can say. */
static int verify(const struct args *a, const char *source, struct policy *p, bool *verified)
{
	int err;

	*verified = false;
	if (a->no_verify)
		return 0;
	err = verifier_ask(source, p, a->verbose > 1);
	if (err == -EPERM) {
		note("mptcp-bpf: %s: not verified: only root may ask the kernel", source);
		return 0;
	}
	*verified = !err;
	return err;
}

static unsigned int verified_insns(const struct bpf_program *prog)
{
	struct bpf_prog_info info = {};
	__u32 len = sizeof(info);

	return bpf_prog_get_info_by_fd(bpf_program__fd(prog), &info, &len) ? 0 : info.verified_insns;
}

static void report_json(const char *out, const struct policy *p, bool verified)
{
	json_t *o = json_pack("{s:s,s:s,s:s,s:s,s:b}", "file", out, "name", p->desc.policy.name, "kind", kind_word(p->desc.policy.kind), "summary",
			      p->desc.policy.summary, "verified", verified);
	json_t *programs = json_array();
	struct bpf_program *prog;

	if (verified)
		bpf_object__for_each_program(prog, p->obj)
			json_array_append_new(programs, json_pack("{s:s,s:i}", "name", bpf_program__name(prog), "insns", verified_insns(prog)));
	json_object_set_new(o, "programs", programs);
	out_json(o);
	json_decref(o);
}

static void report_text(const char *out, const struct policy *p, bool verified)
{
	struct bpf_program *prog;
	unsigned int most = 0, n = 0;

	if (!verified) {
		printf("%s: %s policy %s, not verified\n", out, kind_word(p->desc.policy.kind), p->desc.policy.name);
		return;
	}
	bpf_object__for_each_program(prog, p->obj) {
		unsigned int insns = verified_insns(prog);

		most = insns > most ? insns : most;
		n++;
	}
	printf("%s: %s policy %s, %u program%s verified, the largest in %u instructions\n", out, kind_word(p->desc.policy.kind), p->desc.policy.name, n,
	       n == 1 ? "" : "s", most);
}

/* As compilers do: what the umask leaves of rw-rw-rw-. */
static int publish(const char *part, const char *out)
{
	mode_t mask = umask(0);

	umask(mask);
	if (chmod(part, 0666 & ~mask) || rename(part, out))
		return err_fail(errno, out, "cannot write: %s", strerror(errno));
	return 0;
}

int cmd_build(const struct args *a)
{
	char out[PATH_MAX], part[PATH_MAX];
	struct policy p = {};
	bool verified;
	sigset_t all;
	int fd, err;

	err = name_files(a, out, part);
	if (err)
		return err;
	/* A ^C ends the compiler, and then this in good order. */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	fd = mkostemp(part, O_CLOEXEC);
	if (fd < 0)
		return err_fail(errno, out, "cannot write: %s", strerror(errno));
	close(fd);
	err = compile(a->words[1], part, a->verbose);
	if (!err)
		err = policy_open_file(a->words[1], part, &p);
	if (!err)
		err = verify(a, a->words[1], &p, &verified);
	if (!err)
		err = publish(part, out);
	if (err)
		unlink(part);
	else if (a->json)
		report_json(out, &p, verified);
	else
		report_text(out, &p, verified);
	policy_close(&p);
	return err;
}
