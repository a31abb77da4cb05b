/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include "err.h"
#include "verifier.h"

#define LOG_MAX (16 << 20) /* bytes; kernels before 6.4 keep the head of a longer log, later ones its tail */

/* Parts of the verifier's messages (kernel/bpf/verifier.c), and the rule behind each. The first that fits a line counts, so the narrower comes first. */
static const struct {
	const char *says, *rule;
} rules[] = {
	{ "_or_null'", "a pointer that may be NULL is used: compare the result of the lookup with NULL first" },
	{ "Possibly NULL pointer", "a pointer that may be NULL is passed on: compare it with NULL first" },
	{ "invalid mem access", "this is no pointer that a program may read through: read kernel memory with BPF_CORE_READ, packets with load_bytes" },
	{ "access to packet", "the packet may end before this byte: compare with data_end first, or use load_bytes" },
	{ "outside of the packet", "the packet may end before this byte: compare with data_end first, or use load_bytes" },
	{ "access to map value", "beyond the end of a map's value: check the index against the array's size" },
	{ "outside of the allowed memory range", "the index may be beyond the end: check it against the array's size, or mask it" },
	{ "unbounded memory access", "the index or the length has no upper bound: check it, or mask it" },
	{ "min value is negative", "the index or the length may be negative: make it unsigned, or mask it" },
	{ "invalid indirect read from stack", "a variable on the stack is passed on before all of it is set: initialise it, padding too" },
	{ "invalid read from stack off", "a variable on the stack is read before it is set: initialise it" },
	{ "!read_ok", "a variable is read before it is set on every way to here" },
	{ "stack size of", "more than 512 bytes of stack, calls added up: make the variables smaller, or keep them in a per-CPU map" },
	{ "from stack", "outside of the stack's variables: check the index against the array's size" },
	{ "to stack", "outside of the stack's variables: check the index against the array's size" },
	{ "stack R", "outside of the stack's variables: check the index against the array's size" },
	{ "infinite loop", "this loop does not end: give it a constant bound, or use bpf_loop()" },
	{ "back-edge", "this loop has no bound: give it a constant one, or use bpf_loop()" },
	{ "too large. Processed", "more than a million instructions to verify: a loop with less work in it, or bpf_loop()" },
	{ "jumps is too complex", "too many branches on one way: smaller functions (__noinline), or bpf_loop()" },
	{ "too many instructions", "the program is too long: smaller functions (__noinline), or less of it" },
	{ "call stack of", "calls nest too deep: at most 8 functions" },
	{ "Unreleased reference", "what was taken is not given back on every way to the end: bpf_sk_release() and the like" },
	{ "GPL", "this helper asks for a license that is compatible with the GPL: section license must say \"GPL\"" },
	{ "195896080", "a field or type of the kernel that this kernel does not have: ask with bpf_core_field_exists() first" },
	{ "cannot use helper", "this helper is not for this type of program" },
	{ "unknown func", "this helper is not for this type of program, or the kernel does not have it" },
	{ "is not allowed", "this kernel function may not be called from here" },
	{ "invalid bpf_context access", "a field of the context that this type of program may not touch" },
	{ "modified ctx ptr", "the context's pointer was changed before its use" },
	{ "pointer arithmetic", "arithmetic that the verifier cannot follow on this pointer" },
	{ "cannot write into", "memory that a program may only read" },
	{ "write into map forbidden", "a constant is written to: only volatile tunables and maps may change" },
	{ "only read is supported", "kernel memory is read-only here" },
	{ "misaligned", "an access that is not aligned to its size" },
	{ "leaks addr", "a pointer would be written where others can read it" },
	{ "At program exit", "the return value is not one that this hook knows" },
	{ "expected=", "a wrong argument: the helper takes another kind of pointer" },
};

/* Is this a line in which the verifier complains, and not one of the source, of the states or of the statistics? */
static bool is_message(const char *line)
{
	return *line && *line != ';' && (*line < '0' || *line > '9') && strncmp(line, "processed ", 10) && strncmp(line, "verification time", 17) &&
	       strncmp(line, "stack depth", 11) && strncmp(line, "mark_precise", 12) && strncmp(line, "from ", 5) && !strstr(line, " state: ");
}

static const char *rule_of(const char *line)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (strstr(line, rules[i].says))
			return rules[i].rule;
	return NULL;
}

/* "; text @ file:line", or "; text" of kernels before 6.9. */
static void source_line(const char *source, const char *line, struct complaint *c)
{
	const char *base = strrchr(source, '/'), *at = NULL;
	size_t n;

	base = base ? base + 1 : source;
	for (const char *s = line; (s = strstr(s, " @ ")); s++)
		at = s + 3;
	n = at ? (size_t)(at - 3 - line) : strlen(line);
	if (at && strstr(at, ":0"))
		return; /* code that the compiler merged: of no line */
	snprintf(c->text, sizeof(c->text), "%.*s", (int)n - 2, line + 2);
	snprintf(c->place, sizeof(c->place), "%s", at ? at : "");
	n = strlen(base);
	if (at && !strncmp(at, base, n) && at[n] == ':')
		snprintf(c->caller, sizeof(c->caller), "%s", at);
}

/* Where a reference was taken: the source line of the instruction that "alloc_insn=N" names. */
static void taken_at(const char *source, const char *log, const char *end, const char *line, struct complaint *c)
{
	const char *insn = strstr(line, "alloc_insn=");
	char head[32], text[256];
	size_t n;

	snprintf(head, sizeof(head), "%d: (", insn ? atoi(insn + strlen("alloc_insn=")) : -1);
	for (; insn && log < end && strncmp(log, head, strlen(head)); log += n + (log[n] == '\n')) {
		n = strcspn(log, "\n");
		snprintf(text, sizeof(text), "%.*s", (int)n, log);
		if (!strncmp(text, "; ", 2))
			source_line(source, text, c);
	}
}

void verifier_read(const char *source, const char *log, struct complaint *c)
{
	const char *rule = NULL, *start = log;
	char line[256];
	size_t n;

	memset(c, 0, sizeof(*c));
	for (; *log; log += n + (log[n] == '\n')) {
		n = strcspn(log, "\n");
		snprintf(line, sizeof(line), "%.*s", (int)n, log);
		if (!strncmp(line, "; ", 2)) {
			source_line(source, line, c);
		} else if (is_message(line) && (rule_of(line) || !rule)) {
			rule = rule_of(line);
			snprintf(c->rule, sizeof(c->rule), "%s%s%s%s", rule ? rule : "", rule ? " (verifier: " : "", line, rule ? ")" : "");
			taken_at(source, start, log, line, c);
		}
	}
	if (!strcmp(c->caller, c->place))
		c->caller[0] = 0;
}

static int refused(const char *source, const char *log, int err)
{
	struct complaint c;

	verifier_read(source, log, &c);
	err_hint("-vv shows the verifier's log");
	if (!c.rule[0])
		return err_fail(-err, source, "the kernel does not accept it: %s", policy_last_warning()[0] ? policy_last_warning() : strerror(-err));
	return err_fail(-err, c.place[0] ? c.place : source, "%s%s%s%s%s", c.rule, c.text[0] ? ": " : "", c.text, c.caller[0] ? "; from " : "", c.caller);
}

int verifier_ask(const char *source, struct policy *p, bool show_log)
{
	char *log = malloc(LOG_MAX);
	struct bpf_program *prog;
	int err;

	if (!log)
		return err_fail(ENOMEM, source, "out of memory");
	log[0] = 0;
	bpf_object__for_each_program(prog, p->obj)
		bpf_program__set_log_buf(prog, log, LOG_MAX);
	err = bpf_object__load(p->obj);
	if (err && err != -EPERM) {
		if (show_log)
			fputs(log, stderr);
		err = refused(source, log, err);
	}
	free(log);
	return err;
}
