/* SPDX-License-Identifier: GPL-2.0-only */
/* Terms of subflows: what paths say of them put in force, and what became of them in words. */
#ifndef MPB_USER_TERMS_H
#define MPB_USER_TERMS_H

#include <jansson.h>
#include <stddef.h>
#include <mptcp_bpf/terms.h>
#include "ns.h"

/* After a change of paths: subflows that live ask for what is asked now, and what is obeyed no longer is undone. */
int terms_live(const struct ns *ns);

/* Of both ends; NULL or "" where neither asks. */
json_t *deal_json(const struct mpb_deal *d);
void deal_text(const struct mpb_deal *d, char *buf, size_t size);

json_t *terms_counts_json(const struct mpb_terms_counts *counts);

#endif
