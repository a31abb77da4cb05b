/* SPDX-License-Identifier: GPL-2.0-only */
/* Sessions whose client is looked at again and again, since no event tells what they wait for: that it can be answered (a handshake's STEP_LOOK), or that it
 * has ended (s->fallen). */
#ifndef MPB_CONVERT_LOOK_H
#define MPB_CONVERT_LOOK_H

#include "loop.h"

/* From now on. */
void look_join(struct session *s);

/* At those that are due: each is, every time a sixteenth of its waiting later. After it no dead session is in the list. */
void look_again(struct loop *l, uint64_t now_ms);

/* Milliseconds until the first is due, 500 at most. */
int look_wait(const struct loop *l);

#endif
