/* SPDX-License-Identifier: GPL-2.0-only */
/* Forwarding on one core: nanoseconds a packet that an option policy of this build adds at tcx ingress, above an empty program there; next to nftables' nearest
 * rule, above nothing. A packet socket sends into a veth pair, a namespace forwards it to another pair, whose far end drops it (it is another host's). All of
 * that runs in the thread that sends, pinned, so its processor time is the whole cost, whatever else the machine does. All are run once a round.
 * At the end: in how many segments nftables and prio_pin find an MP_PRIO. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include "../lib/tap.h"
#include "../prog/packet.h"
#include "../prog/prog_run.h"

#define ROUNDS 31
#define BATCH 1000 /* UIO_MAXIOV is 1024 */
#define BATCHES 21
#define PACKETS (BATCH * BATCHES)
#define TCX_INGRESS 46 /* BPF_TCX_INGRESS, younger than Debian 12's headers */
#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define TS "01 01 08 0a 11 22 33 44 55 66 77 88 "
#define PRIO "1e 03 51 01"

enum kind { PLAIN, DSS, BEHIND, FIRST, NKINDS };

static const struct packet_kind {
	const char *name, *opts;
	int prio; /* it carries an MP_PRIO */
} kinds[NKINDS] = {
	[PLAIN] = { "ts", TS, 0 },
	[DSS] = { "dss", TS "1e 16 20 0d 11 22 33 44 01 02 03 04 05 06 07 08 00 00 10 01 05 78 01 01", 0 },
	[BEHIND] = { "prio behind dss", TS "1e 08 20 01 11 22 33 44 " PRIO, 1 },
	[FIRST] = { "prio alone", TS PRIO, 1 },
};

enum way { NOTHING, EMPTY, NFT, POLICIES }; /* POLICIES: and those that follow */

static const char *const ways[] = { "nothing", "empty", "nftables", "opt_count", "prio_strip", "prio_pin", "addr_hide" };
#define NWAYS (int)COUNT(ways)
#define PRIO_PIN (POLICIES + 2)
#define BOUND "<=45"

static struct subject policies[NWAYS];
static int empty, sender, ifindex; /* the last: of `in`, where the namespace that forwards receives */

static void sh(const char *fmt, ...)
{
	char line[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	if (system(line))
		tap_bail("failed: %s", line);
}

static int new_netns(void)
{
	int fd = unshare(CLONE_NEWNET) ? -1 : open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		tap_bail("no network namespace: %s", strerror(errno));
	return fd;
}

static void enter(int netns)
{
	if (setns(netns, CLONE_NEWNET))
		tap_bail("cannot enter a namespace: %s", strerror(errno));
}

/* Two pairs of veth, the middle one forwards; the thread stays there. */
static void set_up(void)
{
	int before = new_netns(), after = new_netns(), middle = new_netns(), pid = getpid();
	struct sockaddr_ll to = { .sll_family = AF_PACKET };

	sh("ip link add in address 02:00:00:00:00:01 type veth peer name to netns /proc/%d/fd/%d && ip link set in up && ip address add 10.1.0.1/24 dev in && "
	   "ip link add out type veth peer name end netns /proc/%d/fd/%d && ip link set out up && ip address add 10.2.0.1/24 dev out && "
	   "ip neighbour add 10.2.0.2 lladdr 02:00:00:00:00:99 dev out && sysctl -qw net.ipv4.ip_forward=1", pid, before, pid, after);
	ifindex = if_nametoindex("in");
	enter(after);
	sh("ip link set end up");
	enter(before);
	sh("ip link set to up");
	to.sll_ifindex = if_nametoindex("to");
	sender = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	if (sender < 0 || bind(sender, (void *)&to, sizeof(to)) || setsockopt(sender, SOL_PACKET, PACKET_QDISC_BYPASS, &(int){ 1 }, sizeof(int)))
		tap_bail("no packet socket: %s", strerror(errno));
	enter(middle);
}

static double thread_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

/* Packets that the device has sent, of the namespace that this thread is in. */
static unsigned long long sent_by(const char *dev)
{
	FILE *f = fopen("/proc/thread-self/net/dev", "r");
	unsigned long long n = 0;
	char line[512], name[32];

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, " %31[^:]:%*u %*u %*u %*u %*u %*u %*u %*u %*u %llu", name, &n) == 2 && !strcmp(name, dev))
			break;
	if (f)
		fclose(f);
	return n;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* Nanoseconds a packet, from the socket to the far end: the median of the batches. */
static double run(const struct pkt *pkt)
{
	static struct mmsghdr batch[BATCH];
	struct iovec frame = { (void *)pkt->b, pkt->len };
	unsigned long long was = sent_by("out");
	double ns[BATCHES], start;

	for (int i = 0; i < BATCH; i++)
		batch[i] = (struct mmsghdr){ .msg_hdr = { .msg_iov = &frame, .msg_iovlen = 1 } };
	for (int i = 0; i < BATCHES; i++) {
		start = thread_ns();
		if (sendmmsg(sender, batch, BATCH, 0) != BATCH)
			tap_bail("cannot send: %s", strerror(errno));
		ns[i] = (thread_ns() - start) / BATCH;
	}
	if (sent_by("out") - was < PACKETS)
		tap_bail("%llu of %d were forwarded", sent_by("out") - was, PACKETS);
	qsort(ns, BATCHES, sizeof(ns[0]), by_value);
	return ns[BATCHES / 2];
}

/* Returns what `detach` takes. */
static int attach(int way)
{
	int prog = way == EMPTY ? empty : policies[way].progs[ENTRY_IN], link;

	if (way == NOTHING)
		return -1;
	if (way == NFT) {
		sh("nft 'table netdev bench { chain in { type filter hook ingress device in priority 0; tcp option mptcp subtype 5 counter; }; }'");
		return -1;
	}
	link = bpf_link_create(prog, ifindex, TCX_INGRESS, NULL);
	if (link < 0)
		tap_bail("%s: cannot attach: %s", ways[way], strerror(errno));
	return link;
}

static void detach(int way, int link)
{
	if (link >= 0)
		close(link);
	if (way == NFT)
		sh("nft delete table netdev bench");
}

static unsigned long long nft_found(void)
{
	FILE *f = popen("nft list table netdev bench", "r");
	unsigned long long n = 0;
	char line[512];

	while (f && fgets(line, sizeof(line), f)) {
		const char *at = strstr(line, "packets ");

		if (at)
			n = strtoull(at + 8, NULL, 10);
	}
	if (f)
		pclose(f);
	return n;
}

/* MP_PRIO removed by prio_pin: its first counter behind the runtime's four. */
static unsigned long long pin_found(void)
{
	int cpus = libbpf_num_possible_cpus();
	struct counters per_cpu[cpus];
	uint32_t key = 2 * ifindex;
	unsigned long long n = 0;

	if (bpf_map_lookup_elem(policies[PRIO_PIN].counts, &key, per_cpu))
		tap_bail("no counters: %s", strerror(errno));
	for (int i = 0; i < cpus; i++)
		n += per_cpu[i].n[4];
	return n;
}

static void count_prio(int way, const struct pkt *pkts, unsigned long long (*found)(void))
{
	int link = attach(way);

	for (int k = 0; k < NKINDS; k++) {
		unsigned long long was = found();

		run(&pkts[k]);
		printf("found by %s/%s\t%%\t%s\t%.1f\n", ways[way], kinds[k].name, way == NFT ? "-" : kinds[k].prio ? ">=100" : "<=0",
		       100.0 * (found() - was) / PACKETS);
	}
	detach(way, link);
}

static void open_programs(void)
{
	struct bpf_object *obj = bpf_object__open_file("build/tests/bench/around.bpf.o", NULL);
	struct counters none[libbpf_num_possible_cpus()];
	uint32_t key = 2 * ifindex;

	if (!obj || bpf_object__load(obj))
		tap_bail("cannot load the empty program: %s", strerror(errno));
	empty = bpf_program__fd(bpf_object__find_program_by_name(obj, "empty_tc"));
	memset(none, 0, sizeof(none));
	for (int w = POLICIES; w < NWAYS; w++) {
		subject_open(&policies[w], ways[w], "");
		if (bpf_map_update_elem(policies[w].counts, &key, none, BPF_ANY))
			tap_bail("no room for counters: %s", strerror(errno));
	}
}

int main(void)
{
	static struct pkt pkts[NKINDS];
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(sysconf(_SC_NPROCESSORS_ONLN) - 1, &one);
	if (sched_setaffinity(0, sizeof(one), &one))
		tap_bail("cannot stay on one processor: %s", strerror(errno));
	set_up();
	open_programs();
	for (int k = 0; k < NKINDS; k++) {
		struct pkt_spec spec = { .family = 4, .payload = 200, .sport = 4242, .dport = 5001, .src = { 10, 1, 0, 2 }, .dst = { 10, 2, 0, 2 } };

		if (!pkt_opts(&spec, 0, kinds[k].opts, 1))
			tap_bail("'%s' are no options", kinds[k].opts);
		pkt_build(&spec, &pkts[k]);
	}
	for (int round = 0; round < ROUNDS; round++) {
		double ns[NWAYS][NKINDS];

		fprintf(stderr, "\rforward: round %d of %d", round + 1, ROUNDS);
		for (int w = 0; w < NWAYS; w++) {
			int link = attach(w);

			for (int k = 0; k < NKINDS; k++)
				ns[w][k] = run(&pkts[k]);
			detach(w, link);
		}
		for (int k = 0; k < NKINDS; k++) {
			printf("%s/nothing (gross)\tns\t-\t%.1f\n", kinds[k].name, ns[NOTHING][k]);
			printf("%s/empty above nothing\tns\t-\t%.1f\n", kinds[k].name, ns[EMPTY][k] - ns[NOTHING][k]);
			printf("%s/nftables above nothing\tns\t-\t%.1f\n", kinds[k].name, ns[NFT][k] - ns[NOTHING][k]);
			for (int w = POLICIES; w < NWAYS; w++)
				printf("%s/%s above empty\tns\t%s\t%.1f\n", kinds[k].name, ways[w], kinds[k].prio ? "-" : BOUND, ns[w][k] - ns[EMPTY][k]);
		}
		printf("forwarded by one core/nothing\tkpps\t-\t%.1f\n", 1e6 / ns[NOTHING][DSS]);
		printf("forwarded by one core/prio_strip\tkpps\t-\t%.1f\n", 1e6 / ns[POLICIES + 1][DSS]);
	}
	fputc('\n', stderr);
	count_prio(NFT, pkts, nft_found);
	count_prio(PRIO_PIN, pkts, pin_found);
	printf("# one core sends, forwards and drops; nftables: netdev ingress, 'tcp option mptcp subtype 5 counter'\n");
	return 0;
}
