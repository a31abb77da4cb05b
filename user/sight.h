/* SPDX-License-Identifier: GPL-2.0-only */
/* What the witness saw, in words and numbers. */
#ifndef MPB_USER_SIGHT_H
#define MPB_USER_SIGHT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <mptcp_bpf/sight.h>

struct ns;

/* The round-trip time in us that `percent` of the last two windows' samples do not exceed; 0: no sample. */
uint32_t sight_rtt(const struct mpb_sight *s, uint64_t now_ns, unsigned int percent);

/* It never came to carry data: the peer, or nobody, answered its SYN or its join. */
bool past_is_refused(const struct mpb_past *p);

/* Why a subflow ended, in words: into a buffer, which is returned. */
char *past_cause(const struct mpb_past *p, char *buf, size_t size);

const char *rst_word(unsigned int reason);           /* of MP_TCPRST, RFC 8684 section 3.6 */
const char *why_word(unsigned int why);              /* of enum mpb_why */
const char *fallback_word(unsigned int cause);       /* of enum mpb_fallback */

/* {"in":{"MP_PRIO":1},"out":{}}: those that were seen. */
json_t *signals_json(const __u32 signals[2][MPB_SIGNALS]);

/* "in MP_PRIO 1, out ADD_ADDR 2"; "": none. */
char *signals_text(const __u32 signals[2][MPB_SIGNALS], char *buf, size_t size);

uint64_t monotonic_ns(void);

/* Asks the kernel to keep round-trip times, for WATCH_NS from now; 0: no longer. Nothing where the namespace is not observed. */
#define WATCH_NS 30000000000ULL
void watch_rtts(const struct ns *ns, uint64_t span_ns);

#endif
