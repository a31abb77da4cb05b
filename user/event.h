/* SPDX-License-Identifier: GPL-2.0-only */
/* Events as lines on stdout: text, or JSON. */
#ifndef MPB_USER_EVENT_H
#define MPB_USER_EVENT_H

#include <jansson.h>
#include <stdbool.h>
#include <mptcp_bpf/policy.h>
#include <mptcp_bpf/sight.h>
#include <mptcp_bpf/steer.h>
#include "ns.h"

struct teller {
	const struct ns *ns;
	bool json;
	char sched[MPB_SLOTS][MPB_NAME_LEN]; /* names of policies by slot; "": not asked for yet */
};

/* The word for what a subflow's event is: "joined"; of a signal, "priority". */
const char *event_word(const struct mpb_event *e);
bool event_is_word(const char *word);

/* One event of a subflow or of a decision; `size` bytes that begin with a struct mpb_event. */
void event_tell(struct teller *t, const struct mpb_event *e, size_t size);

/* What is of no subflow, "swap" for one: the members of `o`, which is taken, and the same in words. */
void event_tell_other(struct teller *t, const char *word, json_t *o, const char *fmt, ...) __attribute__((format(printf, 4, 5)));

#endif
