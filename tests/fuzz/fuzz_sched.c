/* SPDX-License-Identifier: GPL-2.0-only */
/* Bytes -> views, nonsense included -> every policy of bpf/sched, one decision after the other with the private memory that they keep. A decision is a
 * set of living subflows, not empty if there are any; it leaves the view and what is beyond the private memory alone, and depends on nothing else. */
#include <string.h>
#include <mptcp_bpf/choose.h>
#include "../sim/policy.h"
#include "fuzz.h"

#define CHANGES_MAX 64

static struct sched_policy *policies;

void sched_policy(struct sched_policy *p)
{
	p->next = policies;
	policies = p;
}

struct memory {
	_Alignas(8) uint8_t priv[MPB_PRIV_SIZE];
};

static mpb_set decide(const struct sched_policy *p, const struct mpb_view *view, struct memory *m, struct mpb_ask *ask)
{
	struct mpb_view v = *view;
	struct memory before = *m;
	mpb_set set;

	memset(ask, 0, sizeof(*ask));
	set = p->ops->pick(&v, m->priv, ask);
	FUZZ_ASSERT(!memcmp(&v, view, sizeof(v)));
	FUZZ_ASSERT(!memcmp(m->priv + p->ops->priv_size, before.priv + p->ops->priv_size, MPB_PRIV_SIZE - p->ops->priv_size));
	FUZZ_ASSERT(v.alive ? set && !(set & ~v.alive) : !(set >> MPB_SUBFLOWS));
	FUZZ_ASSERT(ask->why < MPB_WHY_MAX);
	for (unsigned int i = 0; i < MPB_SUBFLOWS; i++)
		FUZZ_ASSERT(ask->rate[i] < MPB_KEY_MAX);
	return set;
}

static void run(const struct sched_policy *p, const struct mpb_view *views, unsigned int n, const uint8_t *tunes)
{
	struct memory m = {}, same;
	struct mpb_ask ask, again;

	for (unsigned int i = 0; i < p->ntunes; i++) {
		const struct policy_tune *t = &p->tunes[i];
		uint64_t range = t->max - t->min;

		t->set(tunes[i % 4] == 0xff ? t->dfl : t->min + (range < 255 ? tunes[i % 4] % (range + 1) : range / 254 * tunes[i % 4]));
	}
	for (unsigned int i = 0; i < n; i++) {
		same = m;
		FUZZ_ASSERT(decide(p, &views[i], &m, &ask) == decide(p, &views[i], &same, &again));
		FUZZ_ASSERT(!memcmp(&m, &same, sizeof(m)) && !memcmp(&ask, &again, sizeof(ask)));
	}
}

/* 4 bytes for tunables; then each view is the one before with a word changed: its index, what it becomes, and for 0 its 4 bytes. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint32_t telling[] = { 0, 0, 1, 2, 3, 7, 255, 1400, 20000, 1000000, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff };
	static struct mpb_view views[CHANGES_MAX];
	struct mpb_view v = { .now_ns = 1000000000, .window = 1 << 20, .alive = 3, .set = 3 };
	unsigned int n = 0;

	for (unsigned int i = 0; i < 2; i++)
		v.sf[i] = (struct mpb_sf){ .srtt_us = 20000, .min_rtt_us = 20000, .cwnd = 10, .mss = 1400, .weight = 1 };
	for (size_t at = 4; n < CHANGES_MAX && at + 6 <= size; at += 6) {
		uint32_t word, off = data[at] % (sizeof(v) / 4) * 4;

		memcpy(&word, data + at + 2, 4);
		if (data[at + 1])
			word = telling[data[at + 1] % (sizeof(telling) / sizeof(telling[0]))];
		memcpy((uint8_t *)&v + off, &word, 4);
		v.alive &= (1U << MPB_SUBFLOWS) - 1; /* the runtime knows no others */
		views[n++] = v;
	}
	FUZZ_ASSERT(policies);
	for (const struct sched_policy *p = policies; n && p; p = p->next)
		run(p, views, n, data);
	return 0;
}
