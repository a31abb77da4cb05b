/* SPDX-License-Identifier: GPL-2.0-only */
/* The full screen: a line for each path with sparklines of its throughput and round-trip time, below it each connection with its subflows. */
#include <errno.h>
#include <locale.h>
#include <ncurses.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include "cmd.h"
#include "conn.h"
#include "err.h"
#include "filter.h"
#include "history.h"
#include "limit.h"
#include "out.h"
#include "sight.h"

#define ROWS_MIN 10
#define COLS_MIN 80
#define FIRST_MS 200 /* until the first rates */

struct top {
	struct filter filter;
	struct history history;
	char dev[IFNAMSIZ]; /* the filter's, as typed */
	int first;          /* connection at the top of the list */
	bool help, paused;
};

static volatile sig_atomic_t stopped, resized;

static void on_signal(int sig)
{
	if (sig == SIGWINCH)
		resized = 1;
	else
		stopped = 1;
}

static const char *const keys[] = {
	"q       leave",
	"t a b r l   sort by token, age, bytes, rate, latency",
	"/       only subflows of the device typed next (empty: all)",
	"up down     scroll the connections",
	"space   hold the picture",
	"h ?     this help",
};

/* A line, or as much of it as the screen is wide. */
__attribute__((format(printf, 3, 4))) static void put(int row, int col, const char *fmt, ...)
{
	char line[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (col < COLS)
		mvaddnstr(row, col, line, COLS - col);
}

static void put_paths(const struct top *t, int *row)
{
	char rate[16], spark[HISTORY * 4 + 1];

	attron(A_BOLD);
	put((*row)++, 0, "%-12s %4s %9s %-*s %9s %-*s", "PATH", "SUBS", "bit/s", HISTORY, "", "RTT ms", HISTORY, "");
	attroff(A_BOLD);
	for (int i = 0; i < t->history.n && *row < LINES - 4; i++) {
		const struct history_path *p = &t->history.path[i];

		put(*row, 0, "%-12s %4d %9s ", p->dev, p->subflows, out_human(p->bits[HISTORY - 1], rate));
		addstr(history_spark(p->bits, spark));
		put((*row)++, 28 + HISTORY, "%9.2f ", p->rtt_us[HISTORY - 1] / 1000.0);
		addstr(history_spark(p->rtt_us, spark));
	}
}

static void put_subflow(const struct conns *all, const struct conn_view *c, const struct subflow_view *v, int row)
{
	double span = (all->now_ns - all->since_ns) / 1e9;
	char tx[16], rx[16];

	put(row, 2, "%-2d %-8s %-6.6s %1s %8s %8s %8.2f %4u %3.0f%% %s", v->id, v->dev, v->snap->stale ? "STALE" : tcp_state_word(v->snap->state),
	    v->snap->request_bkup ? "L" : v->snap->backup ? "b" : "-", out_human(v->since.sent * 8 / span, tx), out_human(v->since.received * 8 / span, rx),
	    v->snap->srtt_us / 1000.0, v->snap->cwnd, v->share * 100, limit_word(c, v));
}

static void put_conns(const struct top *t, const struct conns *all, int row)
{
	int shown = 0;

	attron(A_BOLD);
	put(row++, 0, "  %-2s %-8s %-6s %1s %8s %8s %8s %4s %4s %s", "ID", "DEV", "STATE", "B", "TX bit/s", "RX bit/s", "SRTT ms", "CWND", "PART", "LIMIT");
	attroff(A_BOLD);
	for (int i = 0; i < all->n && row < LINES; i++) {
		const struct conn_view *c = &all->list[i];
		char sent[16], received[16];

		if (!filter_conn(&t->filter, c) || shown++ < t->first)
			continue;
		put(row++, 0, "0x%08x %s %s/%s sent %sB received %sB%s", c->token, c->subflows[0].remote, c->sched, c->backend, out_human(c->bytes_sent, sent),
		    out_human(c->bytes_received, received), c->fallback ? " FALLBACK" : "");
		for (int k = 0; k < c->nsubflows && row < LINES; k++)
			put_subflow(all, c, &c->subflows[k], row++);
	}
}

static void draw(const struct top *t, const struct conns *all)
{
	static const char *const sorts[] = { "token", "age", "bytes", "rate", "latency" };
	int row = 0, subflows = 0;

	erase();
	if (LINES < ROWS_MIN || COLS < COLS_MIN) {
		put(0, 0, "needs %dx%d", COLS_MIN, ROWS_MIN);
		refresh();
		return;
	}
	for (int i = 0; i < all->n; i++)
		subflows += all->list[i].nsubflows;
	attron(A_REVERSE);
	put(row++, 0, " mptcp-bpf top: %d connections, %d subflows, by %s%s%s%s - h help, q leave ", all->n, subflows, sorts[t->filter.sort],
	    t->filter.dev ? ", on " : "", t->filter.dev ? t->filter.dev : "", t->paused ? ", held" : "");
	attroff(A_REVERSE);
	if (t->help) {
		for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
			mvaddstr(2 + i, 2, keys[i]);
	} else {
		put_paths(t, &row);
		put_conns(t, all, row + 1);
	}
	refresh();
}

static void ask_dev(struct top *t)
{
	timeout(-1);
	echo();
	put(LINES - 1, 0, "device: ");
	clrtoeol();
	if (getnstr(t->dev, sizeof(t->dev) - 1) == ERR)
		t->dev[0] = 0;
	noecho();
	timeout(0);
	t->filter.dev = t->dev[0] ? t->dev : NULL;
}

static void key(struct top *t, int c)
{
	static const struct { int key; enum sort_key sort; } sorts[] = {
		{ 't', SORT_TOKEN }, { 'a', SORT_AGE }, { 'b', SORT_BYTES }, { 'r', SORT_RATE }, { 'l', SORT_RTT },
	};

	for (size_t i = 0; i < sizeof(sorts) / sizeof(sorts[0]); i++)
		if (sorts[i].key == c)
			t->filter.sort = sorts[i].sort;
	if (c == 'q')
		stopped = 1;
	else if (c == 'h' || c == '?')
		t->help = !t->help;
	else if (c == ' ')
		t->paused = !t->paused;
	else if (c == '/')
		ask_dev(t);
	else if (c == KEY_DOWN)
		t->first++;
	else if (c == KEY_UP && t->first)
		t->first--;
}

/* The last connection stays in sight. */
static void limit_scroll(struct top *t, const struct conns *all)
{
	int n = 0;

	for (int i = 0; i < all->n; i++)
		n += filter_conn(&t->filter, &all->list[i]);
	if (t->first >= n)
		t->first = n ? n - 1 : 0;
}

static void fit(void)
{
	struct winsize size;

	resized = 0;
	if (!ioctl(STDOUT_FILENO, TIOCGWINSZ, &size))
		resizeterm(size.ws_row, size.ws_col);
}

/* A reading for each interval, a picture for each reading or key. What is on the screen is sorted; a copy by token is kept for the deltas. */
static int watch(struct top *t, const struct ns *ns, uint32_t ms)
{
	struct conns shown, now;
	int err = conns_read(ns, 0, &shown);
	uint64_t due = monotonic_ns() + FIRST_MS * 1000000ULL;

	while (!err && !stopped) {
		struct pollfd in = { .fd = STDIN_FILENO, .events = POLLIN };
		int64_t left;
		int c;

		if (!t->paused && monotonic_ns() >= due) {
			watch_rtts(ns, WATCH_NS);
			err = conns_read(ns, 0, &now);
			if (err)
				break;
			conns_by_token(&shown);
			conns_since(&now, &shown);
			conns_free(&shown);
			shown = now;
			history_add(&t->history, &shown);
			due = monotonic_ns() + ms * 1000000ULL;
		}
		if (resized)
			fit();
		conns_by_token(&shown);
		filter_sort(&t->filter, &shown);
		limit_scroll(t, &shown);
		draw(t, &shown);
		left = (int64_t)(due - monotonic_ns()) / 1000000;
		poll(&in, 1, t->paused || left > (int64_t)ms ? (int)ms : left > 0 ? (int)left : 0);
		if (in.revents & (POLLHUP | POLLERR))
			break;
		while (!stopped && (c = getch()) != ERR)
			key(t, c);
	}
	conns_free(&shown);
	return err;
}

int cmd_top(const struct args *a)
{
	struct sigaction action = { .sa_handler = on_signal };
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGWINCH };
	struct top *t;
	struct ns ns;
	SCREEN *screen;
	int err;

	if (a->json)
		return err_usage("top", "is a screen; 'mptcp-bpf -j stat -i 1' is data");
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return err_fail(ENOTTY, "top", "needs a terminal");
	t = calloc(1, sizeof(*t));
	if (!t)
		return err_fail(ENOMEM, "top", "out of memory");
	err = filter_parse(a, FILTER_CONNS, &t->filter);
	if (!err)
		err = ns_enter(a->netns, &ns);
	if (err)
		goto out;
	setlocale(LC_ALL, "");
	screen = newterm(NULL, stdout, stdin);
	if (!screen) {
		err = err_fail(ENOTTY, "top", "the terminal '%s' is not known", getenv("TERM") ? getenv("TERM") : "");
		goto out;
	}
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		sigaction(signals[i], &action, NULL);
	noecho();
	cbreak();
	keypad(stdscr, TRUE);
	curs_set(0);
	timeout(0);
	err = watch(t, &ns, a->interval_ms ? a->interval_ms : 1000);
	endwin();
	delscreen(screen);
	watch_rtts(&ns, 0);
out:
	free(t);
	return err;
}
