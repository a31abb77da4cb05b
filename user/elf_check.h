/* SPDX-License-Identifier: GPL-2.0-only */
/* libbpf takes a compiler's word for what an object holds; one that is damaged or made up crashes or hangs it (1.4: symbols and variables whose end
 * wraps, members outside their struct, types made of themselves). What it takes on trust is checked here, before it sees the object. */
#ifndef MPB_ELF_CHECK_H
#define MPB_ELF_CHECK_H

#include <stddef.h>

#define OBJECT_MAX (16 << 20) /* bytes */

/* 0 or -EINVAL, with what is wrong in err under the name `what`: its sections, symbols, relocations, license and BTF. */
int elf_check(const char *what, const void *image, size_t size);

#endif
