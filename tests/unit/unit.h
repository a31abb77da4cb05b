/* SPDX-License-Identifier: GPL-2.0-only */
/* cmocka with what it wants included before it, speaking TAP. */
#ifndef MPB_UNIT_H
#define MPB_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#define COUNT(_array) (sizeof(_array) / sizeof((_array)[0]))

#define UNIT_MAIN(...)                                                 \
	int main(void)                                                 \
	{                                                              \
		const struct CMUnitTest tests[] = { __VA_ARGS__ };     \
		cmocka_set_message_output(CM_OUTPUT_TAP);              \
		return cmocka_run_group_tests(tests, NULL, NULL) != 0; \
	}

#endif
