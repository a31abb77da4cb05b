/* SPDX-License-Identifier: GPL-2.0-only */
#include <stdio.h>
#include "out.h"

void out_json(const json_t *o)
{
	json_dumpf(o, stdout, JSON_COMPACT);
	putchar('\n');
}

char *out_human(uint64_t n, char *buf)
{
	static const char units[] = " kMGTPE";
	double v = n;
	int unit = 0;

	while (v >= 999.5 && units[unit + 1]) {
		v /= 1000;
		unit++;
	}
	if (!unit)
		snprintf(buf, 16, "%llu", (unsigned long long)n);
	else
		snprintf(buf, 16, "%.*f%c", v < 9.995 ? 2 : v < 99.95 ? 1 : 0, v, units[unit]);
	return buf;
}
