/* SPDX-License-Identifier: GPL-2.0-only */
/* What every object of the build costs: bytes of the object, bytes of its code, verified instructions of each program. Each object has a baseline of its own,
 * tests/prog/cost/KIND/NAME, which names the kernel and the compiler that it holds for; there, nothing may grow by more than GROWTH_PERCENT. No program may
 * go over INSNS_MAX anywhere. `cost --table` prints all of it (make cost), `cost --update` writes the baselines anew (make cost SAVE=1). */
#include <elf.h>
#include <errno.h>
#include <glob.h>
#include <libgen.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include "../lib/tap.h"

#define INSNS_MAX 100000
#define GROWTH_PERCENT 10
#define ENTRIES_MAX 64
#define BUILD "build/bpf/"
#define OBJECTS BUILD "*/*.bpf.o"
#define BASELINES "tests/prog/cost/"
#define LICENSE_LINE "# SPDX-License-Identifier: GPL-2.0-only\n"

struct cost {
	char name[32]; /* "object", "code", or a program's name */
	char unit[8];  /* "bytes" or "insns" */
	unsigned long n;
};

struct costs {
	char object[64];     /* "opt/prio_pin" */
	char made_with[160]; /* "# kernel RELEASE, clang MAJOR": what the figures depend on */
	struct cost of[ENTRIES_MAX];
	int n;
};

static char made_with[160];

static void add(struct costs *c, const char *name, const char *unit, unsigned long n)
{
	if (c->n == ENTRIES_MAX)
		tap_bail("%s: more than %d programs", c->object, ENTRIES_MAX);
	snprintf(c->of[c->n].name, sizeof(c->of[0].name), "%s", name);
	snprintf(c->of[c->n].unit, sizeof(c->of[0].unit), "%s", unit);
	c->of[c->n++].n = n;
}

static const struct cost *find(const struct costs *c, const char *name)
{
	for (int i = 0; i < c->n; i++)
		if (!strcmp(c->of[i].name, name))
			return &c->of[i];
	return NULL;
}

static void read_made_with(void)
{
	const char *clang = getenv("CLANG");
	char command[128], version[32] = "?";
	struct utsname u;
	FILE *f;

	snprintf(command, sizeof(command), "%s -dumpversion 2>/dev/null", clang ? clang : "clang");
	f = popen(command, "re");
	if (f && fscanf(f, "%31[0-9]", version) != 1)
		strcpy(version, "?");
	if (f)
		pclose(f);
	uname(&u);
	snprintf(made_with, sizeof(made_with), "# kernel %s, clang %s", u.release, version);
}

/* Warnings only: the verifier's log is one, where it refuses. */
static int voice(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	return level == LIBBPF_WARN ? vfprintf(stderr, fmt, ap) : 0;
}

/* The bytes of an object's file, and of its sections of code. */
static bool measure_file(const char *path, struct costs *c)
{
	FILE *f = fopen(path, "re");
	unsigned long code = 0;
	Elf64_Ehdr eh;
	Elf64_Shdr sh;
	struct stat st;
	bool read = f && !fstat(fileno(f), &st) && fread(&eh, sizeof(eh), 1, f) == 1 && !fseek(f, eh.e_shoff, SEEK_SET);

	for (int i = 0; read && i < eh.e_shnum; i++) {
		read = fread(&sh, sizeof(sh), 1, f) == 1;
		if (read && sh.sh_flags & SHF_EXECINSTR)
			code += sh.sh_size;
	}
	if (f)
		fclose(f);
	if (!read)
		return false;
	add(c, "object", "bytes", st.st_size);
	add(c, "code", "bytes", code);
	return true;
}

static bool measure(const char *path, struct costs *c)
{
	struct bpf_object *obj = bpf_object__open_file(path, NULL);
	struct bpf_program *prog;
	int err = obj ? 0 : errno;

	memset(c, 0, sizeof(*c));
	snprintf(c->object, sizeof(c->object), "%.*s", (int)(strlen(path) - strlen(BUILD) - strlen(".bpf.o")), path + strlen(BUILD));
	snprintf(c->made_with, sizeof(c->made_with), "%s", made_with);
	if (!measure_file(path, c))
		err = EIO;
	else if (!err && bpf_object__load(obj))
		err = errno;
	for (prog = err ? NULL : bpf_object__next_program(obj, NULL); prog; prog = bpf_object__next_program(obj, prog)) {
		struct bpf_prog_info info = { 0 };
		__u32 len = sizeof(info);

		if (!bpf_program__autoload(prog))
			continue;
		if (bpf_prog_get_info_by_fd(bpf_program__fd(prog), &info, &len))
			err = errno;
		else
			add(c, bpf_program__name(prog), "insns", info.verified_insns);
	}
	bpf_object__close(obj);
	if (err)
		fprintf(stderr, "%s: %s\n", c->object, strerror(err));
	return !err;
}

static bool read_baseline(const char *object, struct costs *c)
{
	char path[128], name[32], unit[8], line[160];
	unsigned long n;
	FILE *f;

	memset(c, 0, sizeof(*c));
	snprintf(c->object, sizeof(c->object), "%s", object);
	snprintf(path, sizeof(path), BASELINES "%s", object);
	f = fopen(path, "re");
	if (!f)
		return false;
	snprintf(c->made_with, sizeof(c->made_with), "# nothing");
	if (fgets(line, sizeof(line), f) && fgets(line, sizeof(line), f) && !strncmp(line, "# ", 2))
		snprintf(c->made_with, sizeof(c->made_with), "%.*s", (int)strcspn(line, "\n"), line);
	while (fscanf(f, "%31s %lu %7s", name, &n, unit) == 3)
		add(c, name, unit, n);
	fclose(f);
	return true;
}

static void write_baseline(const struct costs *c)
{
	char path[128], dir[128];
	FILE *f;

	snprintf(path, sizeof(path), BASELINES "%s", c->object);
	snprintf(dir, sizeof(dir), "%s", path);
	mkdir(BASELINES, 0777);
	mkdir(dirname(dir), 0777);
	f = fopen(path, "we");
	if (!f)
		tap_bail("%s: %s", path, strerror(errno));
	fprintf(f, LICENSE_LINE "%s\n", c->made_with);
	for (int i = 0; i < c->n; i++)
		fprintf(f, "%s %lu %s\n", c->of[i].name, c->of[i].n, c->of[i].unit);
	if (fclose(f))
		tap_bail("%s: %s", path, strerror(errno));
	printf("%s: %d figures\n", path, c->n);
}

static void print_row(const struct costs *c, const struct cost *now, const struct costs *base)
{
	const struct cost *was = strcmp(base->made_with, c->made_with) ? NULL : find(base, now->name);

	printf("%-18s %-16s %8lu %s", c->object, now->name, now->n, now->unit);
	if (was && was->n)
		printf(" %8lu %+7.1f %%\n", was->n, 100.0 * now->n / was->n - 100);
	else
		printf(" %8s\n", "-");
}

static void check_growth(const struct costs *now, const struct costs *base)
{
	for (int i = 0; i < now->n; i++) {
		const struct cost *c = &now->of[i], *was = find(base, c->name);

		if (was)
			tap_ok(100 * c->n <= (100 + GROWTH_PERCENT) * was->n, "%s: %s: %lu %s, baseline %lu, %+.1f %%", now->object, c->name, c->n,
			       c->unit, was->n, was->n ? 100.0 * c->n / was->n - 100 : 0);
		else
			tap_ok(false, "%s: %s: %lu %s, not in its baseline: 'make cost SAVE=1' adds it", now->object, c->name, c->n, c->unit);
	}
	for (int i = 0; i < base->n; i++)
		if (!find(now, base->of[i].name))
			tap_diag("%s: %s is in its baseline only: 'make cost SAVE=1' removes it", now->object, base->of[i].name);
}

static void check(const struct costs *c)
{
	static struct costs base;
	char what[128], reason[512];

	for (int i = 0; i < c->n; i++)
		if (!strcmp(c->of[i].unit, "insns"))
			tap_ok(c->of[i].n && c->of[i].n <= INSNS_MAX, "%s: %s: %lu verified instructions, at most %d", c->object, c->of[i].name, c->of[i].n,
			       INSNS_MAX);
	snprintf(what, sizeof(what), "%s: growth against its baseline", c->object);
	if (!read_baseline(c->object, &base)) {
		tap_skip("it has none: 'make cost SAVE=1' makes it", what);
	} else if (strcmp(c->made_with, base.made_with)) {
		snprintf(reason, sizeof(reason), "its baseline is of %.150s; this is %.150s", base.made_with + 2, c->made_with + 2);
		tap_skip_known(reason, what);
	} else {
		check_growth(c, &base);
	}
}

/* Baselines of objects that are no more. */
static void check_orphans(bool remove_them)
{
	glob_t found;

	if (glob(BASELINES "*/*", 0, NULL, &found))
		return;
	for (size_t i = 0; i < found.gl_pathc; i++) {
		char object[128];

		snprintf(object, sizeof(object), BUILD "%s.bpf.o", found.gl_pathv[i] + strlen(BASELINES));
		if (!access(object, F_OK))
			continue;
		if (remove_them)
			unlink(found.gl_pathv[i]);
		else
			tap_diag("%s: no such object any more: 'make cost SAVE=1' removes it", found.gl_pathv[i]);
	}
	globfree(&found);
}

int main(int argc, char **argv)
{
	bool table = argc == 2 && !strcmp(argv[1], "--table"), update = argc == 2 && !strcmp(argv[1], "--update");
	static struct costs now, base;
	glob_t found;
	int failed = 0;

	if (argc > 2 || (argc == 2 && !table && !update)) {
		fprintf(stderr, "usage: cost [--table|--update]\n");
		return 2;
	}
	libbpf_set_print(voice);
	read_made_with();
	if (glob(OBJECTS, 0, NULL, &found) || !found.gl_pathc)
		tap_bail("no objects at %s", OBJECTS);
	if (table)
		printf("%s\n%-18s %-16s %14s %8s %9s\n", made_with, "OBJECT", "WHAT", "NOW", "BASELINE", "CHANGE");
	for (size_t i = 0; i < found.gl_pathc; i++) {
		bool loads = measure(found.gl_pathv[i], &now);

		failed += !loads;
		if (update && loads)
			write_baseline(&now);
		read_baseline(now.object, &base);
		for (int k = 0; table && k < now.n; k++)
			print_row(&now, &now.of[k], &base);
		if (!table && !update && tap_ok(loads, "%s loads", now.object))
			check(&now);
	}
	globfree(&found);
	if (!table)
		check_orphans(update);
	return table || update ? failed != 0 : tap_done();
}
