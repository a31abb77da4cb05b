/* SPDX-License-Identifier: GPL-2.0-only */
/* A recording as a picture: throughput, round-trip time and congestion window by path, and when the scheduler was another one. gnuplot draws. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "cmd.h"
#include "err.h"
#include "recording.h"

#define PATHS_MAX 16
#define SWAPS_MAX 64

/* One path at one moment: sums over its subflows, and the round-trip time that the busiest of them has. */
struct point {
	double seconds, bits, srtt_ms, cwnd;
	uint64_t busiest;
};

struct series {
	char dev[IFNAMSIZ];
	int n;
	struct point *at;
};

struct last {
	uint32_t token;
	int id;
	uint64_t time_ms, bytes;
};

struct plot {
	int npaths;
	struct series path[PATHS_MAX];
	int nlast;
	struct last *last; /* of each subflow */
	int nswaps;
	struct { double seconds; char sched[MPB_NAME_LEN]; } swap[SWAPS_MAX];
	uint32_t told;    /* the connection whose scheduler is followed */
	uint64_t start_ms;
};

static struct series *path_of(struct plot *p, const char *dev)
{
	for (int i = 0; i < p->npaths; i++)
		if (!strcmp(p->path[i].dev, dev))
			return &p->path[i];
	if (p->npaths == PATHS_MAX)
		return NULL;
	snprintf(p->path[p->npaths].dev, IFNAMSIZ, "%s", dev);
	return &p->path[p->npaths++];
}

static struct last *last_of(struct plot *p, const struct record *r)
{
	struct last *grown;

	for (int i = p->nlast - 1; i >= 0; i--)
		if (p->last[i].token == r->token && p->last[i].id == r->id)
			return &p->last[i];
	if (!(p->nlast & (p->nlast - 1))) { /* grow at powers of two */
		grown = realloc(p->last, (p->nlast ? 2 * p->nlast : 1) * sizeof(*grown));
		if (!grown)
			return NULL;
		p->last = grown;
	}
	p->last[p->nlast] = (struct last){ r->token, r->id, r->time_ms, r->sent + r->received };
	return &p->last[p->nlast++];
}

static struct point *point_of(struct series *s, double seconds)
{
	struct point *grown;

	if (s->n && s->at[s->n - 1].seconds == seconds)
		return &s->at[s->n - 1];
	if (!(s->n & (s->n - 1))) {
		grown = realloc(s->at, (s->n ? 2 * s->n : 1) * sizeof(*grown));
		if (!grown)
			return NULL;
		s->at = grown;
	}
	s->at[s->n] = (struct point){ .seconds = seconds };
	return &s->at[s->n++];
}

static void follow_sched(struct plot *p, const struct record *r, double seconds)
{
	if (!p->told)
		p->told = r->token;
	if (r->token != p->told || p->nswaps == SWAPS_MAX || (p->nswaps && !strcmp(p->swap[p->nswaps - 1].sched, r->sched)))
		return;
	p->swap[p->nswaps].seconds = seconds;
	strcpy(p->swap[p->nswaps++].sched, r->sched);
}

static int add(struct plot *p, const struct record *r)
{
	struct series *s = path_of(p, r->dev);
	struct last *last = last_of(p, r);
	struct point *at;
	uint64_t bytes;

	if (!p->start_ms)
		p->start_ms = r->time_ms;
	if (!s || !last)
		return s ? -ENOMEM : 0;
	at = point_of(s, (r->time_ms - p->start_ms) / 1000.0);
	if (!at)
		return -ENOMEM;
	bytes = r->sent + r->received - last->bytes;
	if (r->time_ms > last->time_ms)
		at->bits += bytes * 8000.0 / (r->time_ms - last->time_ms);
	if (bytes >= at->busiest) {
		at->busiest = bytes;
		at->srtt_ms = r->srtt_us / 1000.0;
	}
	at->cwnd += r->cwnd;
	last->time_ms = r->time_ms;
	last->bytes = r->sent + r->received;
	follow_sched(p, r, at->seconds);
	return 0;
}

static int read_all(const char *path, struct plot *p)
{
	FILE *from = fopen(path, "re");
	struct record r;
	char line[256];
	int err = 0;

	if (!from)
		return err_fail(errno, path, "cannot be opened: %s", strerror(errno));
	if (!fgets(line, sizeof(line), from) || strncmp(line, RECORD_HEAD, strlen(RECORD_HEAD)))
		err = err_fail(EINVAL, path, "is no recording of 'mptcp-bpf stat --record'");
	while (!err && fgets(line, sizeof(line), from))
		if (recording_parse(line, &r) && add(p, &r))
			err = err_fail(ENOMEM, path, "out of memory");
	fclose(from);
	if (!err && !p->npaths)
		err = err_fail(ENODATA, path, "nothing was recorded");
	return err;
}

/* One panel: its title, and the column of the data blocks that it draws. */
static void panel(const struct plot *p, FILE *to, const char *title, int column)
{
	fprintf(to, "set ylabel \"%s\"\nplot ", title);
	for (int i = 0; i < p->npaths; i++)
		fprintf(to, "%s$path%d using 1:%d with lines lw 2 title \"%s\"", i ? ", " : "", i, column, p->path[i].dev);
	fputc('\n', to);
}

static void draw(const struct plot *p, FILE *to, const char *out)
{
	bool png = strlen(out) > 4 && !strcmp(out + strlen(out) - 4, ".png");

	for (int i = 0; i < p->npaths; i++) {
		fprintf(to, "$path%d << END\n", i);
		for (int k = 0; k < p->path[i].n; k++)
			fprintf(to, "%.3f %.6f %.3f %.0f\n", p->path[i].at[k].seconds, p->path[i].at[k].bits / 1e6, p->path[i].at[k].srtt_ms, p->path[i].at[k].cwnd);
		fputs("END\n", to);
	}
	fprintf(to, "set terminal %s size 900,720\nset output \"%s\"\n", png ? "png" : "svg", out);
	fputs("set multiplot layout 3,1\nset grid\nset key outside right\nset yrange [0:*]\nset lmargin 10\nset rmargin 16\n", to);
	for (int i = 0; i < p->nswaps; i++) {
		fprintf(to, "set arrow from first %.3f, graph 0 to first %.3f, graph 1 nohead dt 2 lc rgb \"gray\"\n", p->swap[i].seconds, p->swap[i].seconds);
		fprintf(to, "set label \"%s\" at first %.3f, graph 1.04 font \",9\"\n", p->swap[i].sched, p->swap[i].seconds);
	}
	panel(p, to, "Mbit/s", 2);
	fputs("unset label\n", to);
	panel(p, to, "srtt, ms", 3);
	fputs("set xlabel \"seconds\"\n", to);
	panel(p, to, "cwnd, packets", 4);
	fputs("unset multiplot\n", to);
}

int cmd_plot(const struct args *a)
{
	const char *out = a->output ? a->output : "plot.svg";
	struct plot p = {};
	FILE *to = NULL;
	int err;

	if (a->nwords != 2)
		err = err_usage("plot", "needs the file of a recording");
	else if (strpbrk(out, "\"\\\n"))
		err = err_usage("-o", "a quote or a backslash in '%s'", out);
	else
		err = read_all(a->words[1], &p);
	if (!err) {
		to = popen("gnuplot", "we");
		if (!to)
			err = err_fail(errno, "gnuplot", "cannot be run: %s", strerror(errno));
	}
	if (to) {
		draw(&p, to, out);
		if (pclose(to)) {
			err_hint("it is in Debian's package gnuplot-nox");
			err = err_fail(EIO, "gnuplot", "failed");
		}
	}
	for (int i = 0; i < p.npaths; i++)
		free(p.path[i].at);
	free(p.last);
	return err;
}
