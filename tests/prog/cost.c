/* SPDX-License-Identifier: GPL-2.0-only */
/* What every object of the build costs: verified instructions of each program, bytes of the object. Both are compared with tests/prog/cost.baseline, where
 * kernel and compiler are those that its second line names; no program may go over INSNS_MAX anywhere. `cost --update` writes the baseline anew. */
#include <errno.h>
#include <glob.h>
#include <linux/bpf.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include "../lib/tap.h"

#define INSNS_MAX 100000
#define GROWTH_PERCENT 10
#define ENTRIES_MAX 512
#define BASELINE "tests/prog/cost.baseline"
#define LICENSE_LINE "# SPDX-License-Identifier: GPL-2.0-only"
#define BUILD "build/bpf/"
#define OBJECTS_GLOB BUILD "*/*.bpf.o"

struct cost {
	char name[96]; /* "opt/prio_pin": the object; "opt/prio_pin:prio_pin_in": a program of it */
	char unit[8];  /* "bytes" or "insns" */
	unsigned long n;
};

struct costs {
	struct cost of[ENTRIES_MAX];
	int n;
	char made_with[256]; /* kernel and compiler */
};

static void add(struct costs *c, const char *name, const char *unit, unsigned long n)
{
	if (c->n == ENTRIES_MAX)
		tap_bail("more than %d programs and objects", ENTRIES_MAX);
	snprintf(c->of[c->n].name, sizeof(c->of[0].name), "%s", name);
	snprintf(c->of[c->n].unit, sizeof(c->of[0].unit), "%s", unit);
	c->of[c->n++].n = n;
}

static const struct cost *find(const struct costs *c, const struct cost *like)
{
	for (int i = 0; i < c->n; i++)
		if (!strcmp(c->of[i].name, like->name) && !strcmp(c->of[i].unit, like->unit))
			return &c->of[i];
	return NULL;
}

static void read_made_with(struct costs *c)
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
	snprintf(c->made_with, sizeof(c->made_with), "# kernel %s, clang %s", u.release, version);
}

/* Warnings only: the verifier's log is one, where it refuses. */
static int voice(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	return level == LIBBPF_WARN ? vfprintf(stderr, fmt, ap) : 0;
}

/* Loads one object and adds what it costs. */
static void measure(const char *path, struct costs *c)
{
	const char *kind = path + strlen(BUILD);
	int base = strlen(kind) - strlen(".bpf.o");
	struct bpf_object *obj = bpf_object__open_file(path, NULL);
	struct bpf_program *prog;
	char name[96];
	struct stat st;
	int err = obj ? 0 : errno;

	if (!err && bpf_object__load(obj))
		err = errno;
	if (!tap_ok(!err && !stat(path, &st), "%.*s loads%s%s", base, kind, err ? ": " : "", err ? strerror(err) : ""))
		goto out;
	snprintf(name, sizeof(name), "%.*s", base, kind);
	add(c, name, "bytes", st.st_size);
	bpf_object__for_each_program(prog, obj) {
		struct bpf_prog_info info = { 0 };
		__u32 len = sizeof(info);

		if (!bpf_program__autoload(prog))
			continue;
		if (bpf_prog_get_info_by_fd(bpf_program__fd(prog), &info, &len))
			tap_bail("%s: no information: %s", bpf_program__name(prog), strerror(errno));
		snprintf(name, sizeof(name), "%.*s:%s", base, kind, bpf_program__name(prog));
		add(c, name, "insns", info.verified_insns);
	}
out:
	bpf_object__close(obj);
}

static void measure_all(struct costs *c)
{
	glob_t found;

	read_made_with(c);
	if (glob(OBJECTS_GLOB, 0, NULL, &found) || !found.gl_pathc)
		tap_bail("no objects at %s", OBJECTS_GLOB);
	for (size_t i = 0; i < found.gl_pathc; i++)
		measure(found.gl_pathv[i], c);
	globfree(&found);
}

static bool read_baseline(struct costs *c)
{
	char name[96], unit[8];
	unsigned long n;
	FILE *f = fopen(BASELINE, "re");

	if (!f || !fgets(c->made_with, sizeof(c->made_with), f) || !fgets(c->made_with, sizeof(c->made_with), f)) {
		if (f)
			fclose(f);
		return false;
	}
	c->made_with[strcspn(c->made_with, "\n")] = 0;
	while (fscanf(f, "%95s %lu %7s", name, &n, unit) == 3)
		add(c, name, unit, n);
	fclose(f);
	return true;
}

static int write_baseline(const struct costs *c)
{
	FILE *f = fopen(BASELINE, "we");
	int err;

	if (!f)
		tap_bail("%s: %s", BASELINE, strerror(errno));
	fprintf(f, "%s\n%s\n", LICENSE_LINE, c->made_with);
	for (int i = 0; i < c->n; i++)
		fprintf(f, "%s %lu %s\n", c->of[i].name, c->of[i].n, c->of[i].unit);
	err = fclose(f);
	tap_ok(!err, "%s written: %d entries", BASELINE, c->n);
	return tap_done();
}

static void check_limit(const struct costs *c)
{
	for (int i = 0; i < c->n; i++)
		if (!strcmp(c->of[i].unit, "insns"))
			tap_ok(c->of[i].n && c->of[i].n <= INSNS_MAX, "%s: %lu verified instructions, at most %d",
			       c->of[i].name, c->of[i].n, INSNS_MAX);
}

static void compare(const struct costs *now, const struct costs *base)
{
	for (int i = 0; i < now->n; i++) {
		const struct cost *c = &now->of[i], *was = find(base, c);

		if (was)
			tap_ok(100 * c->n <= (100 + GROWTH_PERCENT) * was->n, "%s: %lu %s, baseline %lu, %+.1f %%",
			       c->name, c->n, c->unit, was->n, 100.0 * c->n / was->n - 100);
		else
			tap_diag("%s: %lu %s, not in the baseline yet: cost --update", c->name, c->n, c->unit);
	}
	for (int i = 0; i < base->n; i++)
		if (!find(now, &base->of[i]))
			tap_diag("%s (%s) is in the baseline only: cost --update", base->of[i].name, base->of[i].unit);
}

int main(int argc, char **argv)
{
	static struct costs now, base;
	char reason[600];

	if (argc > 2 || (argc == 2 && strcmp(argv[1], "--update"))) {
		fprintf(stderr, "usage: cost [--update]\n");
		return 2;
	}
	libbpf_set_print(voice);
	measure_all(&now);
	if (argc == 2 && !tap.failed)
		return write_baseline(&now);
	check_limit(&now);
	if (!read_baseline(&base)) {
		tap_ok(false, "%s can be read (cost --update makes it)", BASELINE);
	} else if (strcmp(now.made_with, base.made_with)) {
		snprintf(reason, sizeof(reason), "the baseline is of %s; this is %s", base.made_with + 2,
			 now.made_with + 2);
		tap_skip_known(reason, "growth against the baseline");
	} else {
		compare(&now, &base);
	}
	return tap_done();
}
