/* SPDX-License-Identifier: GPL-2.0-only */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include "acl.h"
#include "err.h"
#include "out.h"
#include "pin.h"
#include "service.h"
#include "shown.h"
#include "state.h"
#include "sweep.h"
#include "table.h"
#include "verbs.h"

#define BYPASS_DEFAULT 60 /* seconds */

int hex_parse(const char *what, const char *word, __u8 *to, size_t max)
{
	size_t n = strlen(word) / 2;

	if (!n || strlen(word) % 2 || n > max)
		return err_usage(what, "'%s' is not 1..%zu bytes in hexadecimal", word, max);
	for (size_t i = 0; i < n; i++) {
		if (!isxdigit((unsigned char)word[2 * i]) || sscanf(word + 2 * i, "%2hhx", &to[i]) != 1)
			return err_usage(what, "'%s' is not hexadecimal", word);
	}
	return n;
}

/* The request that goes into SYNs: fixed header, Connect TLV whose destination is filled in there, Cookie TLV. */
static void request_fill(struct mpb_converter *c, const __u8 *cookie, int cookie_len)
{
	const __be32 none[4] = {};
	struct mpb_convert_syn syn;

	mpb_convert_syn_fill(&syn, none, 0);
	c->request_len = sizeof(syn);
	if (cookie_len) {
		__u8 *tlv = c->request + sizeof(syn);

		tlv[0] = CONVERT_COOKIE;
		tlv[1] = 1 + (cookie_len + 3) / 4;
		memcpy(tlv + 4, cookie, cookie_len);
		c->request_len += tlv[1] * 4;
		syn.head.words += tlv[1];
	}
	memcpy(c->request, &syn, sizeof(syn));
}

int converter_add(const struct args *a)
{
	struct mpb_converter c = { .used = MPB_CONVERTER_GIVEN, .bypass_ns = BYPASS_DEFAULT * 1000000000ULL };
	__u8 cookie[MPB_CONVERT_REQUEST - sizeof(struct mpb_convert_syn) - 4];
	struct sockaddr_in6 at;
	int len = 0, err = 0;
	uint64_t seconds;
	struct ns ns;

	if (a->nwords < 4 || a->nwords % 2)
		return err_usage("converter add", "needs a name and ADDRESS:PORT");
	if (!a->words[2][0] || strlen(a->words[2]) >= sizeof(c.name))
		return err_usage("converter", "'%s' must have 1..%zu characters", a->words[2], sizeof(c.name) - 1);
	strcpy(c.name, a->words[2]);
	if (endpoint_parse("converter", a->words[3], &at))
		return -EINVAL;
	memcpy(c.addr, &at.sin6_addr, sizeof(c.addr));
	c.port = at.sin6_port;
	if (addr_is_no_host(c.addr) && !IN6_IS_ADDR_LOOPBACK(&at.sin6_addr))
		return err_usage("converter", "'%s' is no host's address", a->words[3]);
	for (int i = 4; !err && i < a->nwords; i += 2) {
		if (!strcmp(a->words[i], "cookie")) {
			len = hex_parse("cookie", a->words[i + 1], cookie, sizeof(cookie));
			err = len < 0 ? len : 0;
		} else if (!strcmp(a->words[i], "bypass")) {
			err = number_parse("bypass", a->words[i + 1], 0, 86400, &seconds);
			c.bypass_ns = seconds * 1000000000ULL;
		} else {
			err = err_usage(a->words[i], "not a word of 'converter add'");
		}
	}
	if (err)
		return err;
	request_fill(&c, cookie, len);
	err = ns_enter(a->netns, &ns);
	if (!err)
		err = pin_begin();
	if (!err)
		err = sweep(&ns);
	return err ? err : table_add(&ns, &c, a->max_subflows);
}

int converter_del(const struct args *a)
{
	struct ns ns;
	int err;

	if (a->nwords != 3)
		return err_usage("converter del", "needs a name");
	err = ns_enter(a->netns, &ns);
	if (!err)
		err = pin_begin();
	if (!err)
		err = sweep(&ns);
	if (!err)
		err = table_del(&ns, a->words[2]);
	return err ? err : state_release(&ns);
}

int converter_list(const struct args *a)
{
	json_t *array;
	struct ns ns;
	int err;

	err = a->nwords > 2 ? err_usage("converter list", "takes nothing more") : ns_enter(a->netns, &ns);
	if (err)
		return err;
	array = converters_json(&ns);
	if (a->json)
		out_json(array);
	else
		converters_text(array, "");
	json_decref(array);
	return 0;
}
