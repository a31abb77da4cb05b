/* SPDX-License-Identifier: GPL-2.0-only */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "conn.h"
#include <mptcp_bpf/steer.h>
#include "diag.h"
#include "err.h"
#include "scheduler.h"
#include "snapshot.h"
#include "state.h"

const char *tcp_state_word(unsigned int state)
{
	static const char *const words[] = { "UNKNOWN", "ESTAB", "SYN-SENT", "SYN-RECV", "FIN-WAIT-1", "FIN-WAIT-2", "TIME-WAIT",
					     "CLOSE", "CLOSE-WAIT", "LAST-ACK", "LISTEN", "CLOSING", "NEW-SYN-RECV" };

	return words[state < sizeof(words) / sizeof(words[0]) ? state : 0];
}

static int by_connection(const void *a, const void *b)
{
	const struct mpb_snap *x = a, *y = b;

	if (x->token != y->token)
		return x->token < y->token ? -1 : 1;
	if (x->subflow_id != y->subflow_id)
		return x->subflow_id < y->subflow_id ? -1 : 1;
	return x->local_id - y->local_id;
}

static void end_text(char *buf, size_t size, const __be32 addr[4], __be16 port, int family)
{
	char text[INET6_ADDRSTRLEN] = "?";

	inet_ntop(family == 4 ? AF_INET : AF_INET6, family == 4 ? (const void *)&addr[3] : addr, text, sizeof(text));
	snprintf(buf, size, family == 4 ? "%s:%u" : "[%s]:%u", text, ntohs(port));
}

/* What the views are made from besides the snapshot; a name is asked for once, not for each subflow. */
#define NAMES 64
struct join {
	const struct ns *ns;
	struct records records;
	struct { unsigned int ifindex; char name[IF_NAMESIZE]; } devs[NAMES]; /* by ifindex modulo NAMES */
	char scheds[MPB_SLOTS][MPB_NAME_LEN];
};

static const char *dev_name(struct join *j, unsigned int ifindex)
{
	char *name = j->devs[ifindex % NAMES].name;

	if (j->devs[ifindex % NAMES].ifindex != ifindex) {
		j->devs[ifindex % NAMES].ifindex = ifindex;
		if (!if_indextoname(ifindex, name))
			strcpy(name, "-");
	}
	return ifindex ? name : "-";
}

static const char *sched_name(struct join *j, unsigned int slot)
{
	char *name = j->scheds[slot % MPB_SLOTS];

	if (!*name)
		scheduler_name(j->ns, slot, name);
	return name;
}

static void view_subflow(struct join *j, const struct mpb_snap *s, int rank, struct subflow_view *v)
{
	struct mpb_subflow own;

	v->snap = s;
	v->id = s->subflow_id ? (int)s->subflow_id : rank;
	end_text(v->local, sizeof(v->local), s->tuple.saddr, s->tuple.sport, s->family);
	end_text(v->remote, sizeof(v->remote), s->tuple.daddr, s->tuple.dport, s->family);
	strcpy(v->dev, dev_name(j, s->ifindex));
	/* A rate of all ones is how the kernel says "not paced". */
	v->pacing_bps = s->pacing_bps > UINT64_MAX / 8 ? 0 : s->pacing_bps * 8;
	v->delivery_bps = s->delivery_bps * 8;
	if (!record_subflow(&j->records, &s->tuple, &own))
		v->flips = own.flips;
}

static void view_conn(struct join *j, const struct diag_conn *diag, struct conn_view *c)
{
	const struct mpb_snap *first = c->subflows[0].snap;
	struct mpb_steer steer;
	struct mpb_conn own;
	struct timespec now;

	c->token = first->token;
	c->state = diag ? diag->state : first->state;
	c->fallback = diag && diag->info.flags & MPB_MPTCP_INFO_FALLBACK;
	snprintf(c->sched, sizeof(c->sched), "%s", first->sched[0] ? first->sched : "default");
	c->backend = "stock";
	if (!record_steered(&j->records, c->token, &steer)) {
		c->flips = steer.flips;
		if (steer.slot) {
			snprintf(c->sched, sizeof(c->sched), "%s", sched_name(j, steer.slot));
			c->backend = "steer";
		}
	}
	if (diag && diag->has_bytes) {
		c->bytes_sent = diag->info.bytes_sent;
		c->bytes_acked = diag->info.bytes_acked;
	} else {
		for (int i = 0; i < c->nsubflows; i++) {
			c->bytes_sent += c->subflows[i].snap->bytes_sent - c->subflows[i].snap->bytes_retrans;
			c->bytes_acked += c->subflows[i].snap->bytes_acked;
		}
	}
	c->age_ms = -1;
	if (!record_conn(&j->records, c->token, &own) && !clock_gettime(CLOCK_MONOTONIC, &now))
		c->age_ms = (now.tv_sec * 1000000000LL + now.tv_nsec - (int64_t)own.born_ns) / 1000000;
}

int conns_read(const struct ns *ns, struct conns *c)
{
	struct diag_conn *diag = NULL;
	struct join j = { .ns = ns };
	int ndiag, n;

	memset(c, 0, sizeof(*c));
	c->observed = !state_counters(ns, &c->counters);
	n = snapshot_read(false, &c->snaps);
	if (n < 0)
		return n;
	ndiag = diag_connections(&diag); /* absent: the subflows alone must do */
	qsort(c->snaps, n, sizeof(*c->snaps), by_connection);
	c->views = calloc(n + 1, sizeof(*c->views));
	c->list = calloc(n + 1, sizeof(*c->list));
	if (!c->views || !c->list) {
		free(diag);
		conns_free(c);
		return err_fail(12, "stat", "out of memory");
	}
	records_open(ns, &j.records);
	for (int i = 0; i < n; i++) {
		struct conn_view *conn = i && c->snaps[i].token == c->snaps[i - 1].token ? &c->list[c->n - 1] : &c->list[c->n++];

		if (!conn->nsubflows)
			conn->subflows = &c->views[i];
		view_subflow(&j, &c->snaps[i], ++conn->nsubflows, &c->views[i]);
	}
	for (int i = 0; i < c->n; i++)
		view_conn(&j, ndiag > 0 ? diag_find(diag, ndiag, c->list[i].subflows[0].snap->token) : NULL, &c->list[i]);
	records_close(&j.records);
	free(diag);
	return 0;
}

void conns_free(struct conns *c)
{
	free(c->snaps);
	free(c->views);
	free(c->list);
	memset(c, 0, sizeof(*c));
}
