/* SPDX-License-Identifier: GPL-2.0-only */
/* Programs that the kernel runs on every TCP socket of this network namespace. */
#ifndef MPB_USER_ITERATE_H
#define MPB_USER_ITERATE_H

#include <bpf/libbpf.h>

/* Runs the only program of a loaded object. Returns the number of bytes that it wrote, in *buf (malloc), or a negative error, said nowhere. */
int iterate(struct bpf_object *obj, char **buf);

#endif
