// SPDX-License-Identifier: GPL-2.0-only
/* relay - a path between two network namespaces, emulated in user space where the kernel has no netem.
 *
 *   relay CONFIG NETNS_A NETNS_B IFNAME [tap|tun]
 *
 * Makes a device IFNAME in both namespaces (tap: Ethernet; tun: no link header) and carries every frame to the other one.
 * Each direction on its own loses a share `loss` of the frames, queues the others in front of `rate` (drop-tail, at most
 * `queue` of backlog), then holds each for `delay`, +-`jitter`, in order; a share `reorder` skips that. CONFIG holds one line
 * of KEY=VALUE words and is read again on SIGHUP; frames on their way keep their schedule. Prints "ready" when both devices
 * exist, and "set" or "kept" after each reading. Ends with SIGTERM, SIGINT, or when a namespace or a device is gone. */
#define _GNU_SOURCE
#include <ctype.h>
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
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SEC 1000000000LL
#define FRAME_MAX (65535 + ETHER)
#define ETHER 14
#define BURST 64              /* frames read from one device before the other has its turn */
#define MEMORY_MAX (64 << 20) /* bytes on their way, each direction */

struct settings {
	double rate;                 /* bit/s of IP packets; 0: as fast as it goes */
	double delay, jitter, queue; /* ns */
	double loss, reorder;        /* 0..1 */
	bool up;
};

struct frame {
	struct frame *next;
	int64_t due;
	size_t len;
	uint8_t data[];
};

/* Frames in the order in which they are delivered. */
struct line {
	struct frame *head, *tail;
	int64_t last_due;
};

enum { DELAYED, SKIPPING, LINES };

/* One direction. */
struct way {
	int from, to;
	int64_t idle_at; /* when the bottleneck has sent all that it has */
	size_t memory;
	struct line lines[LINES];
};

/* One end: a device, and the namespace that it was made in. */
struct end {
	char netns[256];
	struct stat was;
	int fd;
};

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * SEC + t.tv_nsec;
}

static bool chance(double share)
{
	return share > 0 && drand48() < share;
}

struct unit {
	const char *name;
	double factor;
};

static const struct unit bits[] = { { "bit", 1 }, { "kbit", 1e3 }, { "mbit", 1e6 }, { "gbit", 1e9 }, {} };
static const struct unit times[] = { { "us", 1e3 }, { "ms", 1e6 }, { "s", 1e9 }, {} };
static const struct unit shares[] = { { "%", 0.01 }, { "", 0.01 }, {} };

/* "12.5mbit" in the base unit, -EINVAL if it is no such thing or above max. */
static double parse(const char *value, const struct unit *u, double max)
{
	char *end;
	double n = strtod(value, &end);

	for (; isdigit(*value) && u->name; u++)
		if (!strcmp(end, u->name))
			return n * u->factor <= max ? n * u->factor : -EINVAL;
	return -EINVAL;
}

static int set(struct settings *s, const char *key, const char *value)
{
	const struct {
		const char *key;
		const struct unit *units;
		double max, *to;
	} numbers[] = {
		{ "rate", bits, 1e18, &s->rate },      { "delay", times, 1e14, &s->delay },
		{ "jitter", times, 1e14, &s->jitter }, { "queue", times, 1e14, &s->queue },
		{ "loss", shares, 1, &s->loss },       { "reorder", shares, 1, &s->reorder },
	};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		if (strcmp(key, numbers[i].key))
			continue;
		if (i == 0 && !strcmp(value, "none")) {
			s->rate = 0;
			return 0;
		}
		*numbers[i].to = parse(value, numbers[i].units, numbers[i].max);
		return *numbers[i].to < 0 || (i == 0 && s->rate < 1) ? -EINVAL : 0;
	}
	s->up = !strcmp(value, "up");
	return strcmp(key, "state") || (!s->up && strcmp(value, "down")) ? -EINVAL : 0;
}

/* Read the settings; *s changes only if all of them are good. */
static int settings_read(const char *path, struct settings *s)
{
	struct settings fresh = { .queue = SEC / 10.0, .up = true };
	char line[512] = "", *save, *word;
	FILE *f = fopen(path, "re");
	int err = 0;

	if (!f) {
		err = -errno;
		fprintf(stderr, "relay: %s: %s\n", path, strerror(-err));
		return err;
	}
	if (!fgets(line, sizeof(line), f)) {
		fprintf(stderr, "relay: %s: empty\n", path);
		err = -EINVAL;
		goto out;
	}
	for (word = strtok_r(line, " \n", &save); word; word = strtok_r(NULL, " \n", &save)) {
		char *value = strchr(word, '=');

		if (value)
			*value++ = 0;
		if (!value || set(&fresh, word, value)) {
			fprintf(stderr, "relay: %s: bad setting '%s%s%s'\n", path, word, value ? "=" : "",
				value ? value : "");
			err = -EINVAL;
			goto out;
		}
	}
	*s = fresh;
out:
	fclose(f);
	return err;
}

/* Make the device `name` in the namespace `netns`, in which the caller is left. */
static int end_open(struct end *e, const char *netns, const char *name, bool tap)
{
	struct ifreq ifr = { .ifr_flags = (tap ? IFF_TAP : IFF_TUN) | IFF_NO_PI };
	int ns, err = 0;

	snprintf(e->netns, sizeof(e->netns), "/run/netns/%s", netns);
	snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", name);
	ns = open(e->netns, O_RDONLY | O_CLOEXEC);
	if (ns < 0 || fstat(ns, &e->was) || setns(ns, CLONE_NEWNET)) {
		err = -errno;
		fprintf(stderr, "relay: %s: %s\n", e->netns, strerror(-err));
		goto out;
	}
	e->fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (e->fd < 0 || ioctl(e->fd, TUNSETIFF, &ifr)) {
		err = -errno;
		fprintf(stderr, "relay: %s in %s: %s\n", name, netns, strerror(-err));
	}
out:
	if (ns >= 0)
		close(ns);
	return err;
}

/* The open device keeps the namespace itself alive: what goes is its name. */
static bool end_gone(const struct end *e)
{
	struct stat is;

	return stat(e->netns, &is) || is.st_ino != e->was.st_ino || is.st_dev != e->was.st_dev;
}

/* Take a frame onto the path, or lose it. `wire` is its length as the rate counts it: the IP packet. */
static void take(struct way *w, const struct settings *s, const uint8_t *data, size_t len, size_t wire)
{
	int64_t now = now_ns(), start = w->idle_at > now ? w->idle_at : now;
	struct line *line = &w->lines[DELAYED];
	struct frame *f;
	double hold;

	if (!s->up || chance(s->loss) || start - now > s->queue || w->memory + sizeof(*f) + len > MEMORY_MAX)
		return;
	f = malloc(sizeof(*f) + len);
	if (!f)
		return;
	w->idle_at = s->rate > 0 ? start + (int64_t)(wire * 8 * SEC / s->rate) : start;
	hold = s->delay + s->jitter * (2 * drand48() - 1);
	if (chance(s->reorder)) {
		line = &w->lines[SKIPPING];
		hold = 0;
	}
	f->next = NULL;
	f->due = w->idle_at + (hold > 0 ? (int64_t)hold : 0);
	if (f->due < line->last_due)
		f->due = line->last_due;
	line->last_due = f->due;
	f->len = len;
	memcpy(f->data, data, len);
	if (line->head)
		line->tail->next = f;
	else
		line->head = f;
	line->tail = f;
	w->memory += sizeof(*f) + len;
}

static void receive(struct way *w, const struct settings *s, size_t link)
{
	static uint8_t buf[FRAME_MAX];
	ssize_t n;

	for (int i = 0; i < BURST && (n = read(w->from, buf, sizeof(buf))) > 0; i++)
		take(w, s, buf, n, (size_t)n > link ? n - link : 0);
}

/* The line whose first frame is due next, NULL if there is none. */
static struct line *next_line(struct way *w)
{
	struct line *next = NULL;

	for (int i = 0; i < LINES; i++)
		if (w->lines[i].head && (!next || w->lines[i].head->due < next->head->due))
			next = &w->lines[i];
	return next;
}

/* Deliver what is due; returns when the next frame is, at most `until`. */
static int64_t deliver(struct way *w, int64_t until)
{
	struct line *line;

	while ((line = next_line(w)) && line->head->due <= now_ns()) {
		struct frame *f = line->head;

		/* A device that is down takes nothing: lost, as on a real path. */
		(void)!write(w->to, f->data, f->len);
		line->head = f->next;
		w->memory -= sizeof(*f) + f->len;
		free(f);
	}
	return line && line->head->due < until ? line->head->due : until;
}

static int carry(const char *config, struct settings *s, const struct end *a, const struct end *b, int signals,
		 size_t link)
{
	struct way ways[2] = { { .from = a->fd, .to = b->fd }, { .from = b->fd, .to = a->fd } };
	struct pollfd p[] = { { .fd = a->fd, .events = POLLIN },
			      { .fd = b->fd, .events = POLLIN },
			      { .fd = signals, .events = POLLIN } };
	int64_t look_at = 0; /* when to look for the namespaces next */

	for (;;) {
		int64_t now = now_ns(), wake;
		struct signalfd_siginfo sig;
		struct timespec t;

		if (now >= look_at) {
			if (end_gone(a) || end_gone(b))
				return 0;
			look_at = now + SEC;
		}
		wake = deliver(&ways[1], deliver(&ways[0], look_at)) - now_ns();
		t = wake > 0 ? (struct timespec){ wake / SEC, wake % SEC } : (struct timespec){};
		if (ppoll(p, 3, &t, NULL) < 0 && errno != EINTR)
			return -errno;
		if ((p[0].revents | p[1].revents) & POLLERR)
			return 0; /* a device was deleted */
		if (p[2].revents && read(signals, &sig, sizeof(sig)) == sizeof(sig)) {
			if (sig.ssi_signo != SIGHUP)
				return 0;
			puts(settings_read(config, s) ? "kept" : "set");
			fflush(stdout);
		}
		receive(&ways[0], s, link);
		receive(&ways[1], s, link);
	}
}

/* Signals by file descriptor, timers to the nanosecond, and before whatever else the machine does, if it is allowed. */
static int prepare(void)
{
	struct sched_param first = { .sched_priority = 1 };
	sigset_t set;

	close_range(3, ~0U, 0);
	sched_setscheduler(0, SCHED_FIFO, &first);
	prctl(PR_SET_TIMERSLACK, 1UL);
	srand48(now_ns() ^ getpid());
	signal(SIGUSR1, SIG_IGN);
	sigemptyset(&set);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

int main(int argc, char **argv)
{
	bool tap = argc < 6 || !strcmp(argv[5], "tap");
	struct settings s;
	struct end a, b;
	int signals, err;

	if (argc < 5 || argc > 6 || (!tap && strcmp(argv[5], "tun"))) {
		fprintf(stderr, "usage: relay CONFIG NETNS_A NETNS_B IFNAME [tap|tun]\n");
		return 2;
	}
	signals = prepare();
	if (settings_read(argv[1], &s) || end_open(&a, argv[2], argv[4], tap) || end_open(&b, argv[3], argv[4], tap))
		return 1;
	puts("ready");
	fflush(stdout);
	err = carry(argv[1], &s, &a, &b, signals, tap ? ETHER : 0);
	if (err)
		fprintf(stderr, "relay: %s\n", strerror(-err));
	return err ? 1 : 0;
}
