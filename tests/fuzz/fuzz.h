/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MPB_FUZZ_H
#define MPB_FUZZ_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define FUZZ_ASSERT(_cond)                                                                       \
	((_cond) ? (void)0 : (fprintf(stderr, "%s:%d: broken: %s\n", __FILE__, __LINE__, #_cond), abort()))

#endif
