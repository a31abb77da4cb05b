/* SPDX-License-Identifier: GPL-2.0-only */
/* A recording: a line of text for each subflow and moment, numbers with spaces between, in the order of RECORD_COLUMNS. A line that a crash cut short is
 * ended by the next one to append, and passed over by readers. */
#ifndef MPB_RECORDING_H
#define MPB_RECORDING_H

#include <stdbool.h>
#include <stdint.h>
#include "conn.h"
#include "filter.h"

#define RECORD_HEAD "# mptcp-bpf record 1"
#define RECORD_COLUMNS "time_ms token id dev srtt_us cwnd inflight bytes_sent bytes_received flags flips sched"

struct record {
	uint64_t time_ms; /* since the epoch */
	uint32_t token;
	int id;
	char dev[IFNAMSIZ];
	uint32_t srtt_us, cwnd, inflight;
	uint64_t sent, received;
	char flags[8]; /* b backup, L locked, s stale, F fallback; "-": none */
	uint32_t flips;
	char sched[MPB_NAME_LEN];
};

/* Opens for appending; a descriptor, or an error that is recorded. */
int recording_open(const char *path);

/* Appends one moment, in one write. */
int recording_append(int fd, const struct conns *c, const struct filter *f);

bool recording_parse(const char *line, struct record *r);

#endif
