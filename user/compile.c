/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>
#include "compile.h"
#include "err.h"

#ifndef MPB_BPF_FLAGS
#define MPB_BPF_FLAGS "-g -O2 -target bpf -mcpu=v3"
#endif

#define TALK_MAX (256 << 10) /* bytes that are kept of what a tool says */
#define WORDS_MAX 32

static const char *tool(const char *variable, const char *name)
{
	const char *own = getenv(variable);

	return own && *own ? own : name;
}

/* Everything that the tool writes to its stderr, NUL-terminated; what does not fit is read and dropped. */
static int listen_to(int fd, char *talk)
{
	size_t used = 0;
	char rest[4096];
	ssize_t n;

	do {
		n = used < TALK_MAX - 1 ? read(fd, talk + used, TALK_MAX - 1 - used) : read(fd, rest, sizeof(rest));
		if (n > 0 && used < TALK_MAX - 1)
			used += n;
	} while (n > 0 || (n < 0 && errno == EINTR));
	talk[used] = 0;
	return n < 0 ? -errno : 0;
}

static int start(char *const argv[], int talk, pid_t *pid)
{
	posix_spawn_file_actions_t files;
	posix_spawnattr_t attr;
	sigset_t none;
	int err;

	sigemptyset(&none);
	posix_spawnattr_init(&attr);
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGMASK);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&files, talk, STDOUT_FILENO);
	posix_spawn_file_actions_adddup2(&files, talk, STDERR_FILENO);
	err = posix_spawnp(pid, argv[0], &files, &attr, argv, environ);
	posix_spawn_file_actions_destroy(&files);
	posix_spawnattr_destroy(&attr);
	return err;
}

/* Run a tool to its end. Returns its exit status, or -errno with the error recorded. */
static int run(char *const argv[], char *talk)
{
	int fds[2], status, err;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC))
		return err_fail(errno, argv[0], "cannot be started: %s", strerror(errno));
	err = start(argv, fds[1], &pid);
	close(fds[1]);
	if (err) {
		close(fds[0]);
		if (err != ENOENT)
			return err_fail(err, argv[0], "cannot be started: %s", strerror(err));
		err_hint("apt-get install clang llvm, or name another one in CLANG, LLVM_STRIP and LLVM_OBJCOPY");
		return err_lacks(argv[0], "not found; policies are compiled with clang and its binary utilities");
	}
	err = listen_to(fds[0], talk);
	close(fds[0]);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_fail(errno, argv[0], "cannot wait for it: %s", strerror(errno));
	if (err)
		return err_fail(-err, argv[0], "cannot read what it says: %s", strerror(-err));
	if (!WIFEXITED(status))
		return err_fail(EINTR, argv[0], "ended by signal %d", WTERMSIG(status));
	return WEXITSTATUS(status);
}

/* "file:line:column: error: why" -> the start of ": error: ", or NULL. */
static char *error_in(char *line)
{
	static const char *const marks[] = { ": error: ", ": fatal error: " };

	for (size_t i = 0; i < sizeof(marks) / sizeof(marks[0]); i++) {
		char *mark = strstr(line, marks[i]);

		if (mark)
			return mark;
	}
	return NULL;
}

static int compiler_refused(const char *source, char *talk)
{
	char place[160] = "", why[512] = "";
	int more = -1;

	for (char *line = strtok(talk, "\n"); line; line = strtok(NULL, "\n")) {
		char *mark = error_in(line);

		if (!mark)
			continue;
		if (++more)
			continue;
		snprintf(why, sizeof(why), "%s", strstr(mark, "error: ") + strlen("error: "));
		*mark = 0;
		snprintf(place, sizeof(place), "%s", line);
	}
	if (strstr(why, "bpf/bpf_helpers.h") || strstr(why, "linux/"))
		err_hint("apt-get install libbpf-dev linux-libc-dev");
	else
		err_hint("-v shows all that the compiler says");
	if (more < 0)
		return err_fail(EINVAL, source, "does not compile");
	if (more)
		return err_fail(EINVAL, place, "%s (and %d more error%s)", why, more, more > 1 ? "s" : "");
	return err_fail(EINVAL, place, "%s", why);
}

/* The headers stand beside the binary: PREFIX/bin/mptcp-bpf has PREFIX/include, TREE/build/mptcp-bpf has TREE/include and TREE/bpf/lib. */
static int headers(char *include, char *lib)
{
	char root[PATH_MAX / 2], probe[PATH_MAX + 32];
	ssize_t n = readlink("/proc/self/exe", root, sizeof(root) - 1);

	root[n > 0 ? n : 0] = 0;
	for (int i = 0; i < 2 && strrchr(root, '/'); i++)
		*strrchr(root, '/') = 0;
	snprintf(include, PATH_MAX, "-I%s/include", root);
	snprintf(lib, PATH_MAX, "-I%s/bpf/lib", root);
	snprintf(probe, sizeof(probe), "%s/mptcp_bpf/policy.bpf.h", lib + 2);
	if (access(probe, R_OK))
		snprintf(probe, sizeof(probe), "%s/mptcp_bpf/policy.bpf.h", include + 2);
	if (!access(probe, R_OK))
		return 0;
	err_hint("'make install' puts them beside the binary");
	return err_fail(ENOENT, probe, "the headers of policies are not there: %s", strerror(errno));
}

static int to_object(const char *source, const char *object, bool verbose, char *talk)
{
	char flags[] = MPB_BPF_FLAGS, include[PATH_MAX], lib[PATH_MAX], map[PATH_MAX + 32], cwd[PATH_MAX], libc[sizeof(struct utsname)];
	char *argv[WORDS_MAX] = { (char *)tool("CLANG", "clang") };
	struct utsname machine;
	int n = 1, err = headers(include, lib);

	if (err)
		return err;
	if (!getcwd(cwd, sizeof(cwd)))
		return err_fail(errno, "working directory", "cannot be named: %s", strerror(errno));
	snprintf(map, sizeof(map), "-ffile-prefix-map=%s=.", cwd); /* the same object in any directory */
	uname(&machine);
	snprintf(libc, sizeof(libc), "/usr/include/%s-linux-gnu", machine.machine);
	for (char *flag = strtok(flags, " "); flag && n < WORDS_MAX - 10; flag = strtok(NULL, " "))
		argv[n++] = flag;
	argv[n++] = map;
	argv[n++] = include;
	argv[n++] = lib;
	argv[n++] = "-idirafter";
	argv[n++] = libc;
	argv[n++] = "-c";
	argv[n++] = "-o";
	argv[n++] = (char *)object;
	argv[n++] = "--";
	argv[n++] = (char *)source;
	err = run(argv, talk);
	if (err >= 0 && (verbose || !err))
		fputs(talk, stderr);
	return err > 0 ? compiler_refused(source, talk) : err;
}

/* DWARF goes, and so do the relocations of BTF, which are for linkers; libbpf takes the symbols instead. */
static int trim(const char *object, char *talk)
{
	char *strip[] = { (char *)tool("LLVM_STRIP", "llvm-strip"), "-g", (char *)object, NULL };
	char *remove[] = { (char *)tool("LLVM_OBJCOPY", "llvm-objcopy"), "--remove-section", ".rel.BTF", "--remove-section", ".rel.BTF.ext", (char *)object,
			   NULL };
	char *const *const steps[] = { strip, remove };

	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		int err = run(steps[i], talk);

		if (err)
			return err < 0 ? err : err_fail(EIO, steps[i][0], "failed: %.*s", (int)strcspn(talk, "\n"), talk);
	}
	return 0;
}

int compile(const char *source, const char *object, bool verbose)
{
	char *talk = malloc(TALK_MAX);
	int err = talk ? to_object(source, object, verbose, talk) : err_fail(ENOMEM, source, "out of memory");

	if (!err)
		err = trim(object, talk);
	free(talk);
	return err;
}
