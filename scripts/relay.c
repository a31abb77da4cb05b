// SPDX-License-Identifier: GPL-2.0-only
/* relay - a path between two network namespaces, emulated in user space where the kernel has no netem.
 *   relay CONFIG NETNS_A NETNS_B IFNAME [tap|tun]
 * Makes a device IFNAME in each of the two namespaces (tap: Ethernet; tun: no link header) and carries every frame to the other one, each direction on its
 * own: first a drop-tail queue that is served at `rate`, then `delay` with `jitter` (order is kept), random `loss`; a share `reorder` skips the
 * delay. CONFIG holds one line of KEY=VALUE words and is read again on SIGHUP; packets on their way keep their schedule. Prints "ready", and
 * "set" or "kept" after each reading. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#define FRAME_MAX 9216
#define BACKLOG_MAX (64 << 20) /* bytes on their way, each direction */
#define SEC 1000000000LL

struct settings {
	double rate; /* bit/s; 0: as fast as it goes */
	int64_t delay, jitter, queue; /* ns */
	double loss, reorder; /* 0..1 */
	bool up;
};

struct frame {
	int64_t due;
	uint64_t order; /* of arrival: frames that are due together keep it */
	uint32_t len;
	uint8_t data[];
};

/* One direction: a heap of frames by time of delivery. */
struct way {
	int from, to;
	int64_t idle_at;   /* when the rate limiter has served all it has */
	int64_t last_due;
	uint64_t order;
	size_t bytes;
	struct frame **heap;
	size_t n, size;
};

static volatile sig_atomic_t reload, stop;

static void on_signal(int sig)
{
	if (sig == SIGHUP)
		reload = 1;
	else
		stop = 1;
}

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * SEC + t.tv_nsec;
}

static int64_t parse_time(const char *v)
{
	char *end;
	double n = strtod(v, &end);

	if (end == v || n < 0)
		return -1;
	if (!strcmp(end, "us"))
		return n * 1e3;
	if (!strcmp(end, "ms") || !*end)
		return n * 1e6;
	return !strcmp(end, "s") ? (int64_t)(n * 1e9) : -1;
}

static double parse_rate(const char *v)
{
	static const struct { const char *unit; double factor; } units[] = { { "bit", 1 }, { "kbit", 1e3 }, { "mbit", 1e6 }, { "gbit", 1e9 } };
	char *end;
	double n = strtod(v, &end);

	if (!strcmp(v, "none"))
		return 0;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (end != v && n > 0 && !strcmp(end, units[i].unit))
			return n * units[i].factor;
	return -1;
}

static double parse_share(const char *v)
{
	char *end;
	double n = strtod(v, &end) / 100;

	return end == v || (*end && strcmp(end, "%")) || n < 0 || n > 1 ? -1 : n;
}

static int set(struct settings *s, const char *key, const char *v)
{
	if (!strcmp(key, "rate"))
		return (s->rate = parse_rate(v)) < 0;
	if (!strcmp(key, "delay"))
		return (s->delay = parse_time(v)) < 0;
	if (!strcmp(key, "jitter"))
		return (s->jitter = parse_time(v)) < 0;
	if (!strcmp(key, "queue"))
		return (s->queue = parse_time(v)) < 0;
	if (!strcmp(key, "loss"))
		return (s->loss = parse_share(v)) < 0;
	if (!strcmp(key, "reorder"))
		return (s->reorder = parse_share(v)) < 0;
	if (!strcmp(key, "state")) {
		s->up = !strcmp(v, "up");
		return !s->up && strcmp(v, "down");
	}
	return 1;
}

/* Read the settings; *s changes only if all of the file is good. */
static int settings_read(const char *path, struct settings *s)
{
	struct settings fresh = { .queue = SEC / 10, .up = true };
	char line[512] = "", *save, *word;
	FILE *f = fopen(path, "re");

	if (!f || !fgets(line, sizeof(line), f)) {
		fprintf(stderr, "relay: %s: cannot read: %s\n", path, strerror(errno));
		if (f)
			fclose(f);
		return -1;
	}
	fclose(f);
	for (word = strtok_r(line, " \n", &save); word; word = strtok_r(NULL, " \n", &save)) {
		char *eq = strchr(word, '=');

		if (eq)
			*eq = 0;
		if (!eq || set(&fresh, word, eq + 1)) {
			fprintf(stderr, "relay: %s: bad setting '%s'\n", path, word);
			return -1;
		}
	}
	*s = fresh;
	return 0;
}

/* The device in a namespace; the caller is left in that namespace. */
static int open_device(const char *netns, const char *name, bool tap)
{
	struct ifreq ifr = { .ifr_flags = (tap ? IFF_TAP : IFF_TUN) | IFF_NO_PI };
	char path[256];
	int ns, fd;

	snprintf(path, sizeof(path), "/run/netns/%s", netns);
	ns = open(path, O_RDONLY | O_CLOEXEC);
	if (ns < 0 || setns(ns, CLONE_NEWNET)) {
		fprintf(stderr, "relay: %s: %s\n", path, strerror(errno));
		return -1;
	}
	close(ns);
	fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	if (fd < 0 || ioctl(fd, TUNSETIFF, &ifr)) {
		fprintf(stderr, "relay: %s in %s: %s\n", name, netns, strerror(errno));
		return -1;
	}
	return fd;
}

static bool before(const struct frame *a, const struct frame *b)
{
	return a->due != b->due ? a->due < b->due : a->order < b->order;
}

static int heap_push(struct way *w, struct frame *f)
{
	size_t i = w->n;

	if (w->n == w->size) {
		size_t size = w->size ? 2 * w->size : 256;
		struct frame **grown = realloc(w->heap, size * sizeof(*grown));

		if (!grown)
			return -1;
		w->heap = grown;
		w->size = size;
	}
	for (w->n++; i && before(f, w->heap[(i - 1) / 2]); i = (i - 1) / 2)
		w->heap[i] = w->heap[(i - 1) / 2];
	w->heap[i] = f;
	return 0;
}

static struct frame *heap_pop(struct way *w)
{
	struct frame *top = w->heap[0], *last = w->heap[--w->n];
	size_t i = 0, child;

	while ((child = 2 * i + 1) < w->n) {
		if (child + 1 < w->n && before(w->heap[child + 1], w->heap[child]))
			child++;
		if (!before(w->heap[child], last))
			break;
		w->heap[i] = w->heap[child];
		i = child;
	}
	w->heap[i] = last;
	return top;
}

/* Take a frame onto the path, or lose it. `wire` is what counts for the rate: its IP packet. */
static void enqueue(struct way *w, const struct settings *s, const uint8_t *data, size_t len, size_t wire)
{
	int64_t now = now_ns(), start = w->idle_at > now ? w->idle_at : now, due;
	struct frame *f;

	if (!s->up || (s->loss > 0 && drand48() < s->loss) || start - now > s->queue || w->bytes + len > BACKLOG_MAX)
		return;
	w->idle_at = s->rate > 0 ? start + (int64_t)(wire * 8 * 1e9 / s->rate) : now;
	due = w->idle_at;
	if (!(s->reorder > 0 && drand48() < s->reorder)) {
		due += s->delay + (s->jitter ? (int64_t)((drand48() * 2 - 1) * s->jitter) : 0);
		if (due < w->last_due)
			due = w->last_due;
		w->last_due = due;
	}
	f = malloc(sizeof(*f) + len);
	if (!f)
		return;
	f->due = due;
	f->order = w->order++;
	f->len = len;
	memcpy(f->data, data, len);
	if (heap_push(w, f))
		free(f);
	else
		w->bytes += len;
}

static void receive(struct way *w, const struct settings *s, size_t link)
{
	static uint8_t buf[FRAME_MAX];
	ssize_t n;

	while ((n = read(w->from, buf, sizeof(buf))) > 0)
		enqueue(w, s, buf, n, (size_t)n > link ? n - link : 0);
}

static void deliver(struct way *w)
{
	while (w->n && w->heap[0]->due <= now_ns()) {
		struct frame *f = heap_pop(w);

		/* A device that is down takes nothing: lost, as on a real path. */
		if (write(w->to, f->data, f->len) < 0 && errno != EIO && errno != EAGAIN)
			stop = stop || errno == EBADFD;
		w->bytes -= f->len;
		free(f);
	}
}

int main(int argc, char **argv)
{
	struct sigaction act = { .sa_handler = on_signal };
	bool tap = argc < 6 || strcmp(argv[5], "tun");
	size_t link = tap ? 14 : 0;
	struct way ways[2] = {};
	struct settings s;
	sigset_t all, none;
	int a, b;

	if (argc < 5 || argc > 6 || (argc == 6 && strcmp(argv[5], "tun") && strcmp(argv[5], "tap"))) {
		fprintf(stderr, "usage: relay CONFIG NETNS_A NETNS_B IFNAME [tap|tun]\n");
		return 2;
	}
	if (settings_read(argv[1], &s))
		return 1;
	sigaction(SIGHUP, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
	sigaction(SIGINT, &act, NULL);
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &none); /* signals are taken in ppoll() only */
	prctl(PR_SET_TIMERSLACK, 1UL);
	srand48(getpid() ^ time(NULL));
	a = open_device(argv[2], argv[4], tap);
	b = a < 0 ? -1 : open_device(argv[3], argv[4], tap);
	if (b < 0)
		return 1;
	ways[0] = (struct way){ .from = a, .to = b };
	ways[1] = (struct way){ .from = b, .to = a };
	puts("ready");
	fflush(stdout);
	while (!stop) {
		struct pollfd p[2] = { { .fd = a, .events = POLLIN }, { .fd = b, .events = POLLIN } };
		int64_t next = INT64_MAX, wait;
		struct timespec t;

		if (reload) {
			reload = 0;
			puts(settings_read(argv[1], &s) ? "kept" : "set");
			fflush(stdout);
		}
		for (int i = 0; i < 2; i++)
			if (ways[i].n && ways[i].heap[0]->due < next)
				next = ways[i].heap[0]->due;
		wait = next == INT64_MAX ? SEC : next - now_ns();
		if (wait < 0)
			wait = 0;
		t = (struct timespec){ wait / SEC, wait % SEC };
		if (ppoll(p, 2, &t, &none) < 0 && errno != EINTR)
			break;
		for (int i = 0; i < 2; i++) {
			receive(&ways[i], &s, link);
			deliver(&ways[i]);
		}
	}
	return 0;
}
