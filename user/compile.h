/* SPDX-License-Identifier: GPL-2.0-only */
/* The compiler, as a program of its own. */
#ifndef MPB_COMPILE_H
#define MPB_COMPILE_H

#include <stdbool.h>

/* Compile a policy into `object`, a path that exists, with the flags and headers of the embedded ones: clang, llvm-strip, llvm-objcopy (or what CLANG,
 * LLVM_STRIP and LLVM_OBJCOPY name). Warnings go to stderr, and with `verbose` whatever else the compiler says; of its errors the first is recorded, with
 * file, line and column. */
int compile(const char *source, const char *object, bool verbose);

#endif
