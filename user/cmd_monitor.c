/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include "change.h"
#include "cmd.h"
#include "err.h"
#include "event.h"
#include "filter.h"
#include "pin.h"
#include "sight.h"
#include "state.h"

#define LEASE_NS 60000000000ULL /* for so long the kernel goes on telling, and counting what is lost, without a word of ours */
#define LOOK_MS 500            /* between two looks at what is no event to the kernel */

struct monitor {
	struct teller teller;
	struct filter filter;
	struct change change;
	bool told; /* something of the round, not flushed yet */
};

static volatile sig_atomic_t stopped;

static void stop(int sig)
{
	(void)sig;
	stopped = 1;
}

static int on_event(void *arg, void *data, size_t size)
{
	struct monitor *m = arg;
	const struct mpb_event *e = data;

	if (size >= sizeof(*e) && filter_event(&m->filter, event_word(e), e)) {
		event_tell(&m->teller, e, size);
		m->told = true;
	}
	return stopped ? -EINTR : 0; /* the rest is not waited for */
}

static bool is_observed(const struct ns *ns)
{
	char path[PATH_MAX];

	return pin_exists(pin_path(path, "%s/mpb_watch", ns->dir));
}

static int lease(int fd, uint64_t until)
{
	__u32 what = MPB_WATCH_EVENTS;

	return bpf_map_update_elem(fd, &what, &until, BPF_ANY);
}

/* What lies in the ring from before is nobody's news. */
static int skip(void *arg, void *data, size_t size)
{
	(void)arg;
	(void)data;
	(void)size;
	return 0;
}

static int drop_old(int fd)
{
	struct ring_buffer *ring = ring_buffer__new(fd, skip, NULL, NULL);
	int err = ring ? 0 : -errno;

	if (ring)
		ring_buffer__consume(ring);
	ring_buffer__free(ring);
	return err;
}

static int watch(struct monitor *m, int events, int watch_fd)
{
	struct ring_buffer *ring;
	int err = 0;

	ring = drop_old(events) ? NULL : ring_buffer__new(events, on_event, m, NULL);
	if (!ring)
		return err_fail(errno, "monitor", "the events cannot be opened: %s", strerror(errno));
	while (!err && !stopped && !ferror(stdout) && is_observed(m->teller.ns)) {
		uint64_t next = monotonic_ns() + LOOK_MS * 1000000ULL;

		lease(watch_fd, monotonic_ns() + LEASE_NS);
		err = change_look(&m->change, &m->teller, &m->filter);
		fflush(stdout);
		while (!stopped && monotonic_ns() < next) {
			ring_buffer__poll(ring, LOOK_MS);
			if (m->told)
				fflush(stdout);
			m->told = false;
		}
	}
	lease(watch_fd, 0);
	change_free(&m->change);
	ring_buffer__free(ring);
	return err;
}

/* A reader at a time: the lock is on the namespace's directory, and let go at exit. */
static int take_turn(const struct ns *ns)
{
	int fd = open(ns->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return err_fail(errno, "monitor", "%s: %s", ns->dir, strerror(errno));
	if (!flock(fd, LOCK_EX | LOCK_NB))
		return fd;
	close(fd);
	return err_fail(EBUSY, "monitor", "another one reads the events of this namespace");
}

int cmd_monitor(const struct args *a)
{
	struct sigaction action = { .sa_handler = stop };
	struct monitor m = { .teller.json = a->json };
	struct ns ns;
	int err, events, watch_fd, turn = -1;

	err = filter_parse(a, FILTER_EVENTS, &m.filter);
	if (!err)
		err = ns_enter(a->netns, &ns);
	if (err)
		return err;
	m.teller.ns = &ns;
	events = state_map(&ns, "mpb_events");
	watch_fd = state_map(&ns, "mpb_watch");
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	if (events < 0 || watch_fd < 0) {
		err_hint("'mptcp-bpf load sight' sees most; 'mptcp-bpf load minrtt' decides");
		err = err_fail(ENOENT, "monitor", "nothing is loaded in this network namespace");
	} else {
		turn = take_turn(&ns);
		err = turn < 0 ? turn : watch(&m, events, watch_fd);
	}
	if (turn >= 0)
		close(turn);
	if (events >= 0)
		close(events);
	if (watch_fd >= 0)
		close(watch_fd);
	return err;
}
