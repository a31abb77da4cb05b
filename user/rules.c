/* SPDX-License-Identifier: GPL-2.0-only */
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <bpf/bpf.h>
#include "args.h"
#include "cgroup.h"
#include "convert/table.h"
#include "err.h"
#include "rules.h"
#include "scheduler.h"
#include "state.h"

#define PRIO_DEFAULT 100

void rules_read(const struct ns *ns, struct mpb_rules *r)
{
	int fd = state_map(ns, "mpb_rules");
	__u32 zero = 0;

	if (fd < 0 || bpf_map_lookup_elem(fd, &zero, r))
		memset(r, 0, sizeof(*r));
	if (fd >= 0)
		close(fd);
}

int rules_write(const struct ns *ns, const struct mpb_rules *r)
{
	int fd = state_map(ns, "mpb_rules"), err;
	__u32 zero = 0;

	err = fd < 0 || bpf_map_update_elem(fd, &zero, r, BPF_ANY) ? err_fail(errno, "rules", "cannot be written: %s", strerror(errno)) : 0;
	if (fd >= 0)
		close(fd);
	return err;
}

unsigned int rules_count(const struct ns *ns)
{
	struct mpb_rules r;

	rules_read(ns, &r);
	return r.n;
}

int prefix_parse(const char *what, const char *word, __be32 addr[4], __u8 *bits)
{
	const char *slash = strchr(word, '/');
	char text[INET6_ADDRSTRLEN] = "";
	size_t n = slash ? (size_t)(slash - word) : strlen(word);
	uint64_t length;
	bool v4;

	if (n < sizeof(text))
		memcpy(text, word, n);
	v4 = inet_pton(AF_INET, text, &addr[3]) == 1;
	if (!v4 && inet_pton(AF_INET6, text, addr) != 1)
		return err_usage(what, "'%s' is not an IPv4 or IPv6 prefix", word);
	if (v4) {
		addr[0] = addr[1] = 0;
		addr[2] = htonl(0xffff);
	}
	length = v4 ? 32 : 128;
	if (slash && number_parse(what, slash + 1, 0, length, &length))
		return -EINVAL;
	*bits = v4 ? length + 96 : length;
	for (__u32 w = 0; w < 4; w++)
		addr[w] &= htonl(mpb_prefix_word(*bits, w));
	return 0;
}

void prefix_text(char *buf, size_t size, const __be32 addr[4], __u8 bits)
{
	bool v4 = bits >= 96 && !addr[0] && !addr[1] && addr[2] == htonl(0xffff);
	char text[INET6_ADDRSTRLEN] = "?";

	inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? (const void *)&addr[3] : addr, text, sizeof(text));
	snprintf(buf, size, "%s/%d", text, v4 ? bits - 96 : bits);
}

static int number(const char *key, const char *value, uint64_t max, uint32_t *to)
{
	uint64_t n;
	int err = number_parse(key, value, 0, max, &n);

	*to = n;
	return err;
}

static int word_parse(const char *key, const char *value, struct mpb_rule *r, struct rule_names *names)
{
	uint64_t id = 0;
	uint32_t n;
	int err = 0;

	if (!strcmp(key, "peer")) {
		r->by |= MPB_BY_PEER;
		return prefix_parse(key, value, r->peer, &r->peer_bits);
	}
	if (!strcmp(key, "peer-port")) {
		r->by |= MPB_BY_PEER_PORT;
		err = number(key, value, 65535, &n);
		r->peer_port = n;
	} else if (!strcmp(key, "local-port")) {
		r->by |= MPB_BY_LOCAL_PORT;
		err = number(key, value, 65535, &n);
		r->local_port = n;
	} else if (!strcmp(key, "mark")) {
		r->by |= MPB_BY_MARK;
		err = number(key, value, UINT32_MAX, &r->mark);
	} else if (!strcmp(key, "cgroup")) {
		r->by |= MPB_BY_CGROUP;
		err = cgroup_find(value, &id, &r->cgroup_level);
		r->cgroup = id;
	} else if (!strcmp(key, "prio")) {
		err = number(key, value, 65535, &r->prio);
	} else if (!strcmp(key, "sched")) {
		names->sched = value;
	} else if (!strcmp(key, "convert")) {
		names->convert = value;
	} else if (!strcmp(key, "demand")) {
		r->demand = !strcmp(value, "yes") ? MPB_DEMAND_YES : !strcmp(value, "no") ? MPB_DEMAND_NO : MPB_DEMAND_UNSAID;
		if (!r->demand)
			return err_usage(key, "'%s' is neither yes nor no", value);
	} else if (!strcmp(key, "cc")) {
		if (!*value || strlen(value) >= sizeof(r->cc))
			return err_usage(key, "'%s' must have 1..%zu characters", value, sizeof(r->cc) - 1);
		strcpy(r->cc, value);
	} else {
		err_hint("a rule has peer, peer-port, local-port, mark, cgroup, prio, sched, cc, convert, demand");
		return err_usage(key, "not a word of a rule");
	}
	return err;
}

int rule_parse(const char *const *words, int n, struct mpb_rule *rule, struct rule_names *names)
{
	memset(rule, 0, sizeof(*rule));
	rule->prio = PRIO_DEFAULT;
	*names = (struct rule_names){};
	for (int i = 0; i < n; i += 2) {
		if (i + 1 == n)
			return err_usage(words[i], "needs a value");
		for (int k = 0; k < i; k += 2)
			if (!strcmp(words[k], words[i]))
				return err_usage(words[i], "given twice");
		if (word_parse(words[i], words[i + 1], rule, names))
			return -EINVAL;
	}
	if (!names->sched && !rule->cc[0] && !names->convert && !rule->demand)
		return err_usage("rule", "says neither which scheduler (sched NAME) nor which congestion control (cc NAME) nor which converter (convert NAME) nor "
				 "whether costly paths are opened (demand yes|no)");
	if (names->convert && rule->by & MPB_BY_LOCAL_PORT)
		return err_usage("local-port", "is not known yet when a converter is chosen");
	return 0;
}

int rules_add(struct mpb_rules *r, const struct mpb_rule *rule)
{
	unsigned int at = 0;

	if (r->n == MPB_RULES_MAX)
		return err_fail(ENOSPC, "rules", "at most %d", MPB_RULES_MAX);
	for (unsigned int i = 0; i < r->n; i++) {
		if (rule_same(&r->rule[i], rule))
			return err_fail(EEXIST, "rule", "there already, as number %u", i + 1);
		/* A rule that looks at something comes before a default of the same prio. */
		if (r->rule[i].prio < rule->prio || (r->rule[i].prio == rule->prio && (r->rule[i].by || !rule->by)))
			at = i + 1;
	}
	memmove(&r->rule[at + 1], &r->rule[at], (r->n - at) * sizeof(*rule));
	r->rule[at] = *rule;
	r->n++;
	return 0;
}

void rules_del(struct mpb_rules *r, unsigned int i)
{
	memmove(&r->rule[i], &r->rule[i + 1], (r->n - i - 1) * sizeof(r->rule[0]));
	memset(&r->rule[--r->n], 0, sizeof(r->rule[0]));
}

bool rule_same(const struct mpb_rule *a, const struct mpb_rule *b)
{
	return !memcmp(a, b, sizeof(*a));
}

int rule_converter(const struct ns *ns, const char *name, struct mpb_rule *rule)
{
	rule->convert = table_slot(ns, name);
	if (rule->convert)
		return 0;
	err_hint("'mptcp-bpf converter add %s ADDRESS:PORT' first", name);
	return err_fail(ENOENT, name, "there is no converter of this name here");
}

json_t *rule_json(const struct ns *ns, const struct mpb_rule *r)
{
	json_t *o = json_pack("{s:i}", "prio", r->prio);
	char text[PATH_MAX], name[MPB_NAME_LEN];

	if (r->by & MPB_BY_PEER) {
		prefix_text(text, sizeof(text), r->peer, r->peer_bits);
		json_object_set_new(o, "peer", json_string(text));
	}
	if (r->by & MPB_BY_PEER_PORT)
		json_object_set_new(o, "peer-port", json_integer(r->peer_port));
	if (r->by & MPB_BY_LOCAL_PORT)
		json_object_set_new(o, "local-port", json_integer(r->local_port));
	if (r->by & MPB_BY_MARK)
		json_object_set_new(o, "mark", json_integer(r->mark));
	if (r->by & MPB_BY_CGROUP) {
		cgroup_path(r->cgroup, text, sizeof(text));
		json_object_set_new(o, "cgroup", json_string(text));
	}
	if (r->sched) {
		scheduler_name(ns, r->sched, name);
		json_object_set_new(o, "sched", json_string(name));
	}
	if (r->cc[0])
		json_object_set_new(o, "cc", json_string(r->cc));
	if (r->demand)
		json_object_set_new(o, "demand", json_string(r->demand == MPB_DEMAND_NO ? "no" : "yes"));
	if (r->convert) {
		table_name(ns, r->convert, name);
		json_object_set_new(o, "convert", json_string(name));
	}
	return o;
}
