/* SPDX-License-Identifier: GPL-2.0-only */
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include "feature.h"
#include "report.h"

#define DEVS_MAX 4096 /* as many as have room for their counters in a policy, two directions a device */

/* The devices that a policy is on, each once, and what hangs there. */
struct places {
	int n;
	struct attachment at[DEVS_MAX];
};

static int collect(const struct attachment *a, void *arg)
{
	struct places *p = arg;

	if (p->n < DEVS_MAX)
		p->at[p->n++] = *a;
	return 0;
}

static void places_of(const struct loaded *l, struct places *p)
{
	p->n = 0;
	if (l)
		loaded_attachments(l, collect, p);
}

/* What carries an attachment at XDP; a plain link says why it is no more than that. */
static const char *carrier(const struct attachment *a, char *why, size_t size)
{
	why[0] = 0;
	if (strcmp(a->hook, "xdp"))
		return "";
	if (!a->link)
		return "dispatcher";
	feature_why("xdp_dispatcher", why, size);
	return "link";
}

static const char *dev_name(int ifindex, char *buf)
{
	return if_indextoname(ifindex, buf) ? buf : "?";
}

static bool first_of_device(const struct places *p, int i)
{
	for (int k = 0; k < i; k++)
		if (p->at[k].ifindex == p->at[i].ifindex)
			return false;
	return true;
}

json_t *report_tunables(const struct desc *d, const struct loaded *l)
{
	json_t *list = json_array();
	struct places p;
	char name[IF_NAMESIZE];

	places_of(l, &p);
	for (int i = 0; i < d->ntunables; i++) {
		const struct tunable *t = &d->tunables[i];
		uint64_t value = t->dfl;
		json_t *o, *devs;

		if (l)
			loaded_tunable(l, t, 0, &value);
		o = json_pack("{s:s,s:I,s:I,s:I,s:I,s:s}", "name", t->name, "value", (json_int_t)value, "default", (json_int_t)t->dfl, "min",
			      (json_int_t)t->min, "max", (json_int_t)t->max, "help", t->help);
		json_array_append_new(list, o);
		if (t->slot < 0)
			continue;
		devs = json_object();
		for (int k = 0; k < p.n; k++)
			if (!loaded_tunable(l, t, p.at[k].ifindex, &value))
				json_object_set_new(devs, dev_name(p.at[k].ifindex, name), json_integer(value));
		json_object_set_new(o, "devs", devs);
	}
	return list;
}

static json_t *counters(const struct desc *d, const struct loaded *l, const struct attachment *a)
{
	json_t *o = json_object();
	struct mpb_counts sum;

	if (!loaded_counts(l, a->ifindex, a->dir, &sum))
		for (int i = 0; i < d->ncounters; i++)
			json_object_set_new(o, d->counters[i], json_integer(sum.n[i]));
	return o;
}

/* What carries the policy out: of what hangs on devices, the hook. */
static const char *backend(const struct desc *d, const struct places *p)
{
	if (d->policy.kind == MPB_CC)
		return "struct_ops";
	return p->n ? p->at[0].hook : "none";
}

json_t *report_policy(const struct desc *d, const struct loaded *l)
{
	json_t *devs = json_array(), *attachments = json_array();
	struct places p;
	char name[IF_NAMESIZE], why[256];

	places_of(l, &p);
	for (int i = 0; i < p.n; i++) {
		const struct attachment *a = &p.at[i];
		const char *by = carrier(a, why, sizeof(why));

		if (first_of_device(&p, i))
			json_array_append_new(devs, json_string(dev_name(a->ifindex, name)));
		json_array_append_new(attachments, json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:o}", "dev", dev_name(a->ifindex, name), "dir",
							     a->dir == MPB_OUT ? "out" : "in", "hook", a->hook, "mode", a->mode, "by", by, "why", why,
							     "counters", counters(d, l, a)));
	}
	return json_pack("{s:s,s:s,s:s,s:b,s:o*,s:o,s:o,s:o}", "name", d->policy.name, "kind", kind_word(d->policy.kind), "summary", d->policy.summary,
			 "loaded", l != NULL, "backend", l ? json_string(backend(d, &p)) : NULL, "devs", devs, "attachments", attachments,
			 "tunables", report_tunables(d, l));
}

void report_tunables_text(const struct desc *d, const struct loaded *l, const char *indent)
{
	char name[IF_NAMESIZE];
	struct places p;

	places_of(l, &p);
	for (int i = 0; i < d->ntunables; i++) {
		const struct tunable *t = &d->tunables[i];
		uint64_t value = t->dfl;

		if (l)
			loaded_tunable(l, t, 0, &value);
		printf("%s%s=%llu  (%llu..%llu, default %llu) %s\n", indent, t->name, (unsigned long long)value, (unsigned long long)t->min,
		       (unsigned long long)t->max, (unsigned long long)t->dfl, t->help);
		for (int k = 0; t->slot >= 0 && k < p.n; k++)
			if (first_of_device(&p, k) && !loaded_tunable(l, t, p.at[k].ifindex, &value))
				printf("%s%s@%s=%llu\n", indent, t->name, dev_name(p.at[k].ifindex, name), (unsigned long long)value);
	}
}

static void counters_text(const struct desc *d, const struct loaded *l, const struct attachment *a)
{
	struct mpb_counts sum;

	if (loaded_counts(l, a->ifindex, a->dir, &sum))
		return;
	for (int i = 0; i < d->ncounters; i++)
		if (sum.n[i])
			printf("  %s=%llu", d->counters[i], (unsigned long long)sum.n[i]);
}

void report_policy_text(const struct desc *d, const struct loaded *l)
{
	char name[IF_NAMESIZE], why[256];
	struct places p;

	printf("%-11s %-5s %-6s %s\n", d->policy.name, kind_word(d->policy.kind), l ? "loaded" : "-", d->policy.summary);
	places_of(l, &p);
	for (int i = 0; i < p.n; i++) {
		const struct attachment *a = &p.at[i];

		printf("    %s %s %s%s%s", dev_name(a->ifindex, name), a->dir == MPB_OUT ? "out" : "in", a->hook, *a->mode ? " " : "", a->mode);
		if (*carrier(a, why, sizeof(why)))
			printf(" by %s%s%s", carrier(a, why, sizeof(why)), *why ? ": no dispatcher, " : "", why);
		counters_text(d, l, a);
		putchar('\n');
	}
	if (l)
		report_tunables_text(d, l, "    ");
}
