/* SPDX-License-Identifier: GPL-2.0-only */
/* Programs that the kernel runs on every TCP socket of this network namespace. */
#ifndef MPB_USER_ITERATE_H
#define MPB_USER_ITERATE_H

#include <bpf/libbpf.h>
#include "ns.h"

/* Runs the only program of a loaded object. Returns the number of bytes that it wrote, in *buf (malloc), or a negative error, said nowhere. */
int iterate(struct bpf_object *obj, char **buf);

/* Loads the built-in object `name` with those maps of the namespace that `shared` names (the last is NULL), and runs its program, which writes nothing. Returns
 * 0 or a negative error, which it has said: that `what`, and why. */
int iterate_on(const struct ns *ns, const char *name, const char *const shared[], const char *what);

#endif
