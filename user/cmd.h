/* SPDX-License-Identifier: GPL-2.0-only */
/* The verbs. Each takes the parsed command line and returns 0 or -errno with an error recorded; data goes to stdout, as JSON under -j. */
#ifndef MPB_CMD_H
#define MPB_CMD_H

#include "args.h"

int cmd_apply(const struct args *a);
int cmd_build(const struct args *a);
int cmd_check(const struct args *a);
int cmd_converter(const struct args *a);
int cmd_explain(const struct args *a);
int cmd_features(const struct args *a);
int cmd_list(const struct args *a);
int cmd_load(const struct args *a);
int cmd_monitor(const struct args *a);
int cmd_path(const struct args *a);
int cmd_plot(const struct args *a);
int cmd_rule(const struct args *a);
int cmd_run(const struct args *a);
int cmd_stat(const struct args *a);
int cmd_swap(const struct args *a);
int cmd_top(const struct args *a);
int cmd_tune(const struct args *a);
int cmd_unload(const struct args *a);

#endif
