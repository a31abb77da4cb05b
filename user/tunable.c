/* SPDX-License-Identifier: GPL-2.0-only */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "err.h"
#include "tunable.h"

static int no_such(const struct desc *d, const char *key)
{
	char names[256] = "";

	for (int i = 0; i < d->ntunables; i++) {
		size_t n = strlen(names);

		snprintf(names + n, sizeof(names) - n, "%s%s", i ? ", " : "", d->tunables[i].name);
	}
	return err_usage(d->policy.name, "no tunable '%s'; it has %s", key, d->ntunables ? names : "none");
}

int tunable_match(const struct desc *d, const struct setting *s, const struct tunable **t, uint64_t *value)
{
	for (int i = 0; i < d->ntunables; i++) {
		const struct tunable *own = &d->tunables[i];

		if (strcmp(own->name, s->key))
			continue;
		if (s->dev[0] && own->slot < 0)
			return err_usage(s->key, "is one value for all devices: no '@%s'", s->dev);
		*t = own;
		return number_parse(s->key, s->value, own->min, own->max, value);
	}
	return no_such(d, s->key);
}

uint64_t tunable_get(const struct tunable *t, const void *data)
{
	const void *at = (const char *)data + t->off;

	switch (t->size) {
	case 1:
		return *(const volatile uint8_t *)at;
	case 2:
		return *(const volatile uint16_t *)at;
	case 4:
		return *(const volatile uint32_t *)at;
	default:
		return *(const volatile uint64_t *)at;
	}
}

void tunable_set(const struct tunable *t, void *data, uint64_t value)
{
	void *at = (char *)data + t->off;

	switch (t->size) {
	case 1:
		*(volatile uint8_t *)at = value;
		break;
	case 2:
		*(volatile uint16_t *)at = value;
		break;
	case 4:
		*(volatile uint32_t *)at = value;
		break;
	default:
		*(volatile uint64_t *)at = value;
	}
}
