/* SPDX-License-Identifier: GPL-2.0-only */
/* The agent: finds subflows whose path has died (bpf/probe/clock.bpf.c), takes connections off that path, and brings the path back when it works. */
#ifndef MPB_AGENT_H
#define MPB_AGENT_H

#include <net/if.h>
#include <mptcp_bpf/clock.h>
#include "avoid.h"
#include "away.h"
#include "config.h"
#include "demand.h"
#include "links.h"
#include "ns.h"
#include "policy.h"
#include "renew.h"
#include "service.h"
#include "syn.h"
#include "track.h"

struct agent_row {
	struct mpb_tuple tuple;
	struct mpb_clock clock;
};

struct agent {
	const struct ns *ns;
	bool json;
	struct policy policy; /* clock */
	int tick, stand;      /* its programs */
	int clocks;
	struct ring_buffer *events;
	int timer, links;     /* descriptors */
	int probes[2];
	uint64_t discovered_ns; /* when it last looked for new subflows */
	uint64_t soon_ns;       /* new ones are expected: when that was known */
	uint64_t untold;
	int nrows;            /* -1: to be read again */
	struct agent_row *rows;
	struct away away;     /* addresses taken out of use */
	struct demand demand;
	struct syns syns;
	struct avoids avoids; /* what new connections do not begin with */
	struct tracks tracks;
	struct renew renew;
	struct links known;   /* as they were read last, */
	uint64_t read_ns;     /* when, */
	bool changed;         /* and whether the kernel has told a change since */
};

#define AGENT_SERVICES 4

/* Starts it with tunables of its program set; fills in its services and returns their number, or -errno. */
int agent_start(struct agent *a, const struct ns *ns, char (*settings)[CONFIG_SETTING_LEN], int n, struct service services[AGENT_SERVICES]);

/* Its tunables while it runs: those that are not set have their defaults. */
int agent_tune(struct agent *a, char (*settings)[CONFIG_SETTING_LEN], int n);

/* Endpoints that it has taken away are put back. */
void agent_stop(struct agent *a);

/* agent_rows.c. The rows are read once a tick at the most, and sorted by connection. */
void agent_read_rows(struct agent *a);

/* What the other subflows tell of one that is silent: has another one of its connection answered since it was asked, or another one from its address, or one of
 * another connection between the same two addresses? */
struct agent_others {
	bool sibling, path, pair;
};
void agent_ask_others(const struct agent *a, const struct in6_addr *addr, const struct mpb_clock_event *e, struct agent_others *o);

/* Counts the connections with a subflow from the address; `lonely` are those with no other, `one` is one of these subflows. */
int agent_users_of(const struct agent *a, const struct in6_addr *addr, int *lonely, struct mpb_tuple *one);

/* Connections with an open subflow of the address's family. */
int agent_connections_like(const struct agent *a, const struct in6_addr *addr);

/* The next subflow from the address, after this one (NULL: the first), whose connection has another elsewhere; or NULL. */
const struct agent_row *agent_next_spare(const struct agent *a, const struct in6_addr *addr, const struct agent_row *r);

/* Tells the peers of these connections (of one, with its token; 0: of all) by subflows from other addresses that it is gone (RM_ADDR);
 * one that has several from there is spared, if it is meant alone. */
void agent_withdraw(const struct agent *a, const struct in6_addr *addr, uint32_t token);

/* Rows are as of now, with subflows that are new. */
int agent_discover(struct agent *a);

/* agent_return.c: whether any path is away. */
bool agent_look_at_away(struct agent *a);

/* agent_link.c: carrier, devices and addresses that go, from rtnetlink. */
int link_open(void);
int link_ready(void *agent);
int link_look(struct agent *a, uint64_t now); /* what has changed, when it is time to */
bool link_came_up(int fd); /* has a device, since it was asked last? */

/* No connection is to use a local address any more: with the event of a silent subflow, if there is evidence enough. `why` is for the log. */
void agent_evacuate(struct agent *a, const struct in6_addr *addr, const struct mpb_clock_event *e, const char *why);

/* Its endpoint goes, until the path works again; with a subflow to probe it by. */
void agent_leave(struct agent *a, const struct endpoint *endpoint, const struct probe *probe, int users, const char *why);
void agent_probe(const struct mpb_clock_event *e, struct probe *p);

void agent_log(const struct agent *a, const char *what, const struct in6_addr *addr, const char *fmt, ...) __attribute__((format(printf, 4, 5)));
const char *agent_addr(const struct in6_addr *addr, char buf[INET6_ADDRSTRLEN]);
uint64_t agent_now(void);
uint64_t agent_tunable(const struct agent *a, const char *name);

#endif
