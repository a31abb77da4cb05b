/* SPDX-License-Identifier: GPL-2.0-only */
/* Nanoseconds a packet of each option policy (the objects of this build), at XDP and tc ingress, by BPF_PROG_TEST_RUN; next to an empty program, and one
 * that only finds the options. All are run once a round, and what is reported is net of the empty program in the same round on the same packet. */
#include <errno.h>
#include <linux/bpf.h>
#include <string.h>
#include <time.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include "../lib/tap.h"
#include "../prog/packet.h"
#include "../prog/prog_run.h"
#include "around.h"

#define ROUNDS 15
#define REPEAT 200000
#define OBJECT "build/tests/bench/around.bpf.o"
#define TS "01 01 08 0a 11 22 33 44 55 66 77 88 "
#define DSS_ACK "1e 08 20 01 11 22 33 44 "
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

enum kind { PLAIN, SACK, DSS, REWRITE, NKINDS };

static const struct packet_kind {
	const char *name, *opts;
} kinds[NKINDS] = {
	[PLAIN] = { "ts", TS },
	[SACK] = { "sack", TS "01 01 05 0a 00 00 10 00 00 00 20 00" },
	[DSS] = { "dss", TS "1e 16 20 0d 11 22 33 44 01 02 03 04 05 06 07 08 00 00 10 01 05 78 01 01" },
	[REWRITE] = { "rewrite", NULL },
};

/* Bounds in ns for PLAIN, SACK, DSS and REWRITE at XDP; 0: none is set. */
static struct program {
	const char *name, *rewrites;
	int bound[NKINDS];
	struct subject policy;
	struct bpf_object *around;
	int run[2], bss; /* run: tc, XDP */
} programs[] = {
	{ .name = "empty" },
	{ .name = "parse" },
	{ .name = "opt_count", .bound = { 40, 40, 40, 40 } },
	{ .name = "prio_strip", .rewrites = TS DSS_ACK "1e 04 51 02", .bound = { 25, 0, 30, 60 } },
	{ .name = "prio_pin", .rewrites = TS DSS_ACK "1e 03 51 01" },
	{ .name = "addr_hide", .rewrites = TS DSS_ACK "1e 10 30 02 0a 4d 02 02 01 02 03 04 05 06 07 08", .bound = { 25, 0, 30, 60 } },
};
#define NPROGRAMS (int)COUNT(programs)
#define EMPTY 0
#define FIRST_POLICY 2

static int prog_fd(struct bpf_object *obj, const char *name, const char *suffix)
{
	struct bpf_program *p;
	char full[32];

	snprintf(full, sizeof(full), "%s_%s", name, suffix);
	p = bpf_object__find_program_by_name(obj, full);
	if (!p)
		tap_bail("no program %s", full);
	return bpf_program__fd(p);
}

static void put_under(struct program *p, const char *map, int fd)
{
	__u32 zero = 0;

	if (bpf_map_update_elem(bpf_object__find_map_fd_by_name(p->around, map), &zero, &fd, BPF_ANY))
		tap_bail("%s: %s: %s", p->name, map, strerror(errno));
}

static void open_program(struct program *p, int i)
{
	p->around = bpf_object__open_file(OBJECT, NULL);
	if (!p->around || bpf_object__load(p->around))
		tap_bail("cannot load %s: %s", OBJECT, strerror(errno));
	p->run[0] = prog_fd(p->around, "around", "tc");
	p->run[1] = prog_fd(p->around, "around", "xdp");
	p->bss = bpf_object__find_map_fd_by_name(p->around, ".bss");
	if (i < FIRST_POLICY) {
		put_under(p, "under_tc", prog_fd(p->around, p->name, "tc"));
		put_under(p, "under_xdp", prog_fd(p->around, p->name, "xdp"));
		return;
	}
	subject_open(&p->policy, p->name, "");
	put_under(p, "under_tc", p->policy.progs[ENTRY_IN]);
	put_under(p, "under_xdp", p->policy.progs[ENTRY_XDP]);
}

/* The packet of a kind; that of REWRITE is the policy's own, and prio_strip's for those that rewrite nothing. */
static void build(const struct program *p, enum kind k, int family, struct pkt *pkt)
{
	const char *opts = k != REWRITE ? kinds[k].opts : p->rewrites ? p->rewrites : TS DSS_ACK "1e 04 51 02";
	struct pkt_spec spec = { .family = family, .payload = 200 };

	pkt_flow(&spec, 7, false);
	if (!pkt_opts(&spec, 0, opts, 1))
		tap_bail("'%s' are no options", opts);
	pkt_build(&spec, pkt);
	if (p->policy.subflows >= 0 && p->rewrites && k == REWRITE && !strcmp(p->name, "prio_strip"))
		subject_know(&p->policy, &spec, true, 1, 2);
}

static double thread_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

/* Gross ns a packet, the loop of the test run included. */
static double run(const struct program *p, bool xdp, const struct pkt *pkt, int repeat)
{
	static uint8_t out[RUN_ROOM];
	LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = pkt->b, .data_size_in = pkt->len, .data_out = out,
		    .data_size_out = sizeof(out), .repeat = repeat);
	__u32 zero = 0;
	double start;

	if (bpf_map_update_elem(p->bss, &zero, pkt->b, BPF_ANY))
		tap_bail("cannot set the frame: %s", strerror(errno));
	start = thread_ns();
	if (bpf_prog_test_run_opts(p->run[xdp], &o))
		tap_bail("%s: %s", p->name, strerror(errno));
	start = thread_ns() - start;
	if (!entry_passes(xdp ? ENTRY_XDP : ENTRY_IN, (int)o.retval))
		tap_bail("%s returned %d", p->name, (int)o.retval);
	return start / repeat;
}

/* A rewriting policy has rewritten every time, the others never. */
static void check(const struct program *p, enum kind k, bool xdp, const struct pkt *pkt)
{
	bool rewrites = k == REWRITE && p->rewrites;
	struct counters got;

	subject_zero(&p->policy);
	run(p, xdp, pkt, 1000);
	subject_counters(&p->policy, true, &got);
	if (got.n[0] != (rewrites ? 1000 : 0))
		tap_bail("%s: %s: %llu of 1000 were rewritten", p->name, kinds[k].name, (unsigned long long)got.n[0]);
}

static void sample(const struct program *p, enum kind k, bool xdp, int family, double ns)
{
	bool gross = p == &programs[EMPTY];
	char bound[16] = "-";

	if (xdp && p->bound[k])
		snprintf(bound, sizeof(bound), "<=%d", p->bound[k]);
	printf("%s/%s/%s/ipv%d%s\tns\t%s\t%.2f\n", xdp ? "xdp" : "tc", p->name, kinds[k].name, family, gross ? " (gross)" : "", bound, ns);
}

int main(void)
{
	static struct pkt pkts[NPROGRAMS][NKINDS][2];

	for (int i = 0; i < NPROGRAMS; i++) {
		open_program(&programs[i], i);
		for (int k = 0; k < NKINDS; k++)
			for (int six = 0; six < 2; six++) {
				build(&programs[i], k, six ? 6 : 4, &pkts[i][k][six]);
				for (int xdp = 0; i >= FIRST_POLICY && xdp < 2; xdp++)
					check(&programs[i], k, xdp, &pkts[i][k][six]);
			}
	}
	for (int round = 0; round < ROUNDS; round++) {
		fprintf(stderr, "\roptions: round %d of %d", round + 1, ROUNDS);
		for (int c = 0; c < 2 * NKINDS * 2; c++) {
			int xdp = c & 1, six = c >> 1 & 1, k = c >> 2;
			double empty = 0;

			for (int i = 0; i < NPROGRAMS; i++) {
				double ns = run(&programs[i], xdp, &pkts[i][k][six], REPEAT);

				if (i == EMPTY)
					empty = ns;
				sample(&programs[i], k, xdp, six ? 6 : 4, i == EMPTY ? ns : ns - empty);
			}
		}
	}
	fputc('\n', stderr);
	return 0;
}
