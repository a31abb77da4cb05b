/* SPDX-License-Identifier: GPL-2.0-only */
/* What the kernel's verifier says of a policy, in words for the one who wrote it. */
#ifndef MPB_VERIFIER_H
#define MPB_VERIFIER_H

#include "policy.h"

/* Have the kernel verify an opened policy, without attaching or pinning anything. Returns 0, -EPERM with no error recorded where the caller is not permitted
 * to ask, or -errno with the line at fault and the rule that it broke. `source`: the policy's own file; the fault may stand in a header. show_log: the
 * whole log to stderr, too. */
int verifier_ask(const char *source, struct policy *p, bool show_log);

/* The complaint at the end of a verifier's log: the line of the source, and the rule that it breaks. */
struct complaint {
	char place[128];  /* "mine.bpf.c:12"; "": the log has no numbers of lines */
	char caller[128]; /* where `place` is not in the policy's own file: the last line of that file before it */
	char text[160];   /* of the line */
	char rule[512];   /* in plain words, with the verifier's own */
};
void verifier_read(const char *source, const char *log, struct complaint *c);

#endif
