/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "err.h"
#include "recording.h"

int recording_open(const char *path)
{
	static const char head[] = RECORD_HEAD "\n# " RECORD_COLUMNS "\n";
	int fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0666), err = 0;
	struct stat st;
	char last = '\n', first[sizeof(RECORD_HEAD)] = "";

	if (fd < 0 || fstat(fd, &st))
		err = err_fail(errno, path, "cannot be opened: %s", strerror(errno));
	else if (st.st_size && (pread(fd, first, sizeof(first) - 1, 0) < 0 || strcmp(first, RECORD_HEAD)))
		err = err_fail(EINVAL, path, "is there already, and no recording");
	else if (st.st_size && pread(fd, &last, 1, st.st_size - 1) != 1)
		err = err_fail(errno, path, "cannot be read: %s", strerror(errno));
	else if ((!st.st_size && write(fd, head, sizeof(head) - 1) < 0) || (last != '\n' && write(fd, "\n", 1) < 0))
		err = err_fail(errno, path, "cannot be written: %s", strerror(errno));
	if (!err)
		return fd;
	if (fd >= 0)
		close(fd);
	return err;
}

static void put(FILE *to, uint64_t time_ms, const struct conn_view *c, const struct subflow_view *v)
{
	const struct mpb_snap *s = v->snap;
	bool none = !s->backup && !s->request_bkup && !s->stale && !c->fallback;

	fprintf(to, "%" PRIu64 " %08x %d %s %u %u %u %" PRIu64 " %" PRIu64 " %s%s%s%s%s %u %s\n", time_ms, c->token, v->id, v->dev, s->srtt_us, s->cwnd, s->inflight,
		(uint64_t)s->bytes_sent, (uint64_t)s->bytes_received, s->backup ? "b" : "", s->request_bkup ? "L" : "", s->stale ? "s" : "",
		c->fallback ? "F" : "", none ? "-" : "", v->flips, c->sched);
}

int recording_append(int fd, const struct conns *c, const struct filter *f)
{
	struct timespec now;
	char *text = NULL;
	size_t size;
	FILE *to = open_memstream(&text, &size);
	int err = 0;

	if (!to)
		return err_fail(ENOMEM, "--record", "out of memory");
	clock_gettime(CLOCK_REALTIME, &now);
	for (int i = 0; i < c->n; i++)
		for (int k = 0; filter_conn(f, &c->list[i]) && k < c->list[i].nsubflows; k++)
			put(to, now.tv_sec * 1000ULL + now.tv_nsec / 1000000, &c->list[i], &c->list[i].subflows[k]);
	fclose(to);
	if (size && write(fd, text, size) != (ssize_t)size)
		err = err_fail(errno, "--record", "cannot write: %s", strerror(errno));
	free(text);
	return err;
}

bool recording_parse(const char *line, struct record *r)
{
	int end = 0;

	return sscanf(line, "%" SCNu64 " %x %d %15s %u %u %u %" SCNu64 " %" SCNu64 " %7s %u %15s%n", &r->time_ms, &r->token, &r->id, r->dev, &r->srtt_us, &r->cwnd,
		      &r->inflight, &r->sent, &r->received, r->flags, &r->flips, r->sched, &end) == 12 &&
	       line[end] == '\n';
}
