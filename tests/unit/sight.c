/* SPDX-License-Identifier: GPL-2.0-only */
/* Round-trip times in buckets, recordings, filters: what needs no kernel. */
#include <stdio.h>
#include "unit.h"
#include "err.h"
#include "filter.h"
#include "recording.h"
#include "sight.h"

/* Every value is within 1/16 of the middle of its bucket, and buckets follow one another. */
static void buckets(void **unused)
{
	__u32 last = 0;

	(void)unused;
	for (__u32 us = 0; us <= MPB_RTT_MAX_US; us += 1 + us / 100) {
		__u32 i = mpb_rtt_bucket(us), middle = mpb_rtt_of_bucket(i);

		assert_in_range(i, last, MPB_RTT_BUCKETS - 1);
		assert_in_range(middle * 16, us * 15, us * 17 + 16);
		assert_int_equal(mpb_rtt_bucket(middle), i);
		last = i;
	}
	assert_int_equal(mpb_rtt_bucket(~0U), MPB_RTT_BUCKETS - 1);
}

static void percentiles(void **unused)
{
	const uint64_t window = MPB_RTT_WINDOW_NS;
	struct mpb_sight s = {};

	(void)unused;
	assert_int_equal(sight_rtt(&s, 100 * window, 50), 0);
	s.rtts[0].window = 100;
	s.rtts[1].window = 99;
	for (int i = 0; i < 90; i++)
		s.rtts[i & 1].bucket[mpb_rtt_bucket(10000)]++;
	for (int i = 0; i < 10; i++)
		s.rtts[i & 1].bucket[mpb_rtt_bucket(80000)]++;
	assert_in_range(sight_rtt(&s, 100 * window, 50), 9375, 10625);
	assert_in_range(sight_rtt(&s, 100 * window, 90), 9375, 10625);
	assert_in_range(sight_rtt(&s, 100 * window, 95), 75000, 85000);
	assert_in_range(sight_rtt(&s, 101 * window, 50), 9375, 10625); /* the later window alone */
	assert_int_equal(sight_rtt(&s, 103 * window, 50), 0);          /* both too old */
}

static void records(void **unused)
{
	struct record r;

	(void)unused;
	assert_true(recording_parse("1795253418346 e3e1e9a8 2 path2 42424 54 38 107008 9 bL 1 minrtt\n", &r));
	assert_true(r.time_ms == 1795253418346 && r.token == 0xe3e1e9a8 && r.id == 2 && r.srtt_us == 42424 && r.sent == 107008 && r.received == 9);
	assert_string_equal(r.dev, "path2");
	assert_string_equal(r.flags, "bL");
	assert_string_equal(r.sched, "minrtt");
	assert_false(recording_parse("1795253418346 e3e1e9a8 2 path2 42424 54 38 107008 9 bL 1 minr", &r)); /* cut short */
	assert_false(recording_parse("17 00000001 1 pa\n", &r));
	assert_false(recording_parse(RECORD_HEAD "\n", &r));
	assert_false(recording_parse("\n", &r));
}

static int parse(unsigned int keys, struct filter *f, const char *const *words)
{
	static struct args a;

	err_clear();
	a.nwords = 0;
	while (words[a.nwords]) {
		a.words[a.nwords] = words[a.nwords];
		a.nwords++;
	}
	return filter_parse(&a, keys, f);
}
#define PARSE(_keys, ...) parse(_keys, &f, (const char *const[]){ "stat", __VA_ARGS__, NULL })

static void filters(void **unused)
{
	struct mpb_event prio = { .kind = MPB_EV_SIGNAL, .subtype = 5, .token = 7 };
	struct filter f;

	(void)unused;
	assert_int_equal(PARSE(FILTER_CONNS, "0x1f", "dev", "eth0", "peer", "10.0.0.0/8", "sort", "rate"), 0);
	assert_true(f.token == 0x1f && !strcmp(f.dev, "eth0") && f.by_peer && f.sort == SORT_RATE);
	assert_int_not_equal(PARSE(FILTER_CONNS, "dev"), 0);
	assert_int_not_equal(PARSE(FILTER_CONNS, "peer", "10.0.0.0/33"), 0);
	assert_int_not_equal(PARSE(FILTER_CONNS, "sort", "size"), 0);
	assert_int_not_equal(PARSE(FILTER_CONNS, "event", "born"), 0);
	assert_int_not_equal(PARSE(FILTER_EVENTS, "event", "born,bron"), 0);
	assert_int_not_equal(PARSE(FILTER_CONNS, "0"), 0);
	assert_int_not_equal(PARSE(FILTER_CONNS, "0x100000000"), 0);
	assert_int_not_equal(PARSE(FILTER_CONNS, "1", "2"), 0);
	assert_int_equal(PARSE(FILTER_EVENTS, "event", "priority,lost"), 0);
	assert_true(filter_event(&f, "priority", &prio) && filter_event(&f, "lost", NULL) && !filter_event(&f, "prio", &prio));
	assert_int_equal(PARSE(FILTER_EVENTS, "8"), 0);
	assert_false(filter_event(&f, "priority", &prio));
	assert_false(filter_event(&f, "lost", NULL));
}

static void causes(void **unused)
{
	struct mpb_past p = { .from = 1 };
	char buf[128];

	(void)unused;
	assert_string_equal(past_cause(&p, buf, sizeof(buf)), "taken down by this end");
	p.from = 9;
	assert_string_equal(past_cause(&p, buf, sizeof(buf)), "closed");
	p.reset_seen = 1;
	p.reset_reason = 6;
	p.transient = 1;
	assert_string_equal(past_cause(&p, buf, sizeof(buf)), "reset by the peer: middlebox interference, transient");
	p.from = 2;
	assert_string_equal(past_cause(&p, buf, sizeof(buf)), "refused: middlebox interference");
}

UNIT_MAIN(cmocka_unit_test(buckets), cmocka_unit_test(percentiles), cmocka_unit_test(records), cmocka_unit_test(filters), cmocka_unit_test(causes))
