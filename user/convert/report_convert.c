/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>
#include "err.h"
#include "out.h"
#include "report_convert.h"

#define PAIR(_name, _help) { #_name, _help, offsetof(struct counters, _name) },
static const struct {
	const char *name, *help;
	size_t off;
} counters[] = { CONVERT_COUNTERS(PAIR) };

#define CODE(_code, _name, _help) { _code, #_name },
static const struct {
	int code;
	const char *name;
} errors[] = { MPB_CONVERT_ERRORS(CODE) };

#define N(_array) (sizeof(_array) / sizeof((_array)[0]))

static socklen_t address(const char *kind, uint16_t port, struct sockaddr_un *a)
{
	*a = (struct sockaddr_un){ .sun_family = AF_UNIX };
	return offsetof(struct sockaddr_un, sun_path) + 1 + snprintf(a->sun_path + 1, sizeof(a->sun_path) - 1, "mptcp-bpf/converter/%s/%u", kind, port);
}

int report_listen(const char *kind, uint16_t port, int *fd)
{
	struct sockaddr_un a;
	socklen_t len = address(kind, port, &a);

	*fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (*fd >= 0 && !bind(*fd, (struct sockaddr *)&a, len) && !listen(*fd, 8))
		return 0;
	if (errno != EADDRINUSE)
		return err_fail(errno, kind, "no socket for its counters: %s", strerror(errno));
	close(*fd);
	*fd = -1;
	note("mptcp-bpf: port %u: another one listens there too; 'converter stat' asks that one", port);
	return 0;
}

void report_answer(int fd, const struct counters *n)
{
	struct ucred who = { .uid = -1 };
	socklen_t len = sizeof(who);
	int c = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (c < 0)
		return;
	if (!getsockopt(c, SOL_SOCKET, SO_PEERCRED, &who, &len) && (!who.uid || who.uid == geteuid()))
		(void)!send(c, n, sizeof(*n), MSG_NOSIGNAL);
	close(c);
}

int report_ask(const char *kind, uint16_t port, struct counters *n)
{
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), err = 0;
	struct timeval patience = { .tv_sec = 5 };
	struct sockaddr_un a;
	socklen_t len = address(kind, port, &a);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) || connect(fd, (struct sockaddr *)&a, len))
		err = err_fail(errno, "converter", "none listens on port %u in this network namespace: %s", port, strerror(errno));
	else if (recv(fd, n, sizeof(*n), 0) != sizeof(*n))
		err = err_fail(EIO, "converter", "the one on port %u does not answer", port);
	if (fd >= 0)
		close(fd);
	return err;
}

static uint64_t value(const struct counters *n, size_t off)
{
	return *(const uint64_t *)((const char *)n + off);
}

static void openmetrics(const struct counters *n)
{
	printf("# TYPE mptcp_bpf_converter_sessions gauge\nmptcp_bpf_converter_sessions %" PRIu64 "\n", n->sessions);
	for (size_t i = 0; i < N(counters); i++)
		printf("# TYPE mptcp_bpf_converter_%s counter\n# HELP mptcp_bpf_converter_%s %s\nmptcp_bpf_converter_%s_total %" PRIu64 "\n", counters[i].name,
		       counters[i].name, counters[i].help, counters[i].name, value(n, counters[i].off));
	printf("# TYPE mptcp_bpf_converter_errors counter\n# HELP mptcp_bpf_converter_errors Error TLVs sent\n");
	for (size_t i = 0; i < N(errors); i++)
		printf("mptcp_bpf_converter_errors_total{code=\"%d\",name=\"%s\"} %" PRIu64 "\n", errors[i].code, errors[i].name, n->error[errors[i].code]);
	puts("# EOF");
}

static void json(const struct counters *n)
{
	json_t *o = json_pack("{s:I}", "sessions", (json_int_t)n->sessions), *e = json_object();

	for (size_t i = 0; i < N(counters); i++)
		json_object_set_new(o, counters[i].name, json_integer(value(n, counters[i].off)));
	for (size_t i = 0; i < N(errors); i++)
		json_object_set_new(e, errors[i].name, json_integer(n->error[errors[i].code]));
	json_object_set_new(o, "errors", e);
	out_json(o);
	json_decref(o);
}

void report_print(const struct counters *n, enum report_form form)
{
	if (form == REPORT_OPENMETRICS) {
		openmetrics(n);
		return;
	}
	if (form == REPORT_JSON) {
		json(n);
		return;
	}
	printf("%-28s%12" PRIu64 "  %s\n", "sessions", n->sessions, "connections at this moment");
	for (size_t i = 0; i < N(counters); i++)
		printf("%-28s%12" PRIu64 "  %s\n", counters[i].name, value(n, counters[i].off), counters[i].help);
	for (size_t i = 0; i < N(errors); i++)
		if (n->error[errors[i].code])
			printf("error %-22s%12" PRIu64 "\n", errors[i].name, n->error[errors[i].code]);
}
