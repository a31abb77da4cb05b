/* SPDX-License-Identifier: GPL-2.0-only */
/* addr_hide - replaces ADD_ADDR by NOPs.
 * Good: addresses that must not leave a site, or that the peer could not reach anyway (a private address behind NAT). Bad: the sender keeps waiting
 * for an echo and repeats the announcement (net.mptcp.add_addr_timeout). Cost: the walk. Source: RFC 8684 section 3.4.1; the lengths of RFC
 * 6824 are told apart by their size. */
#include <mptcp_bpf/opt.bpf.h>

MPB_TUNE(__u8, ipv4, 1, 0, 1, "hide IPv4 addresses");
MPB_TUNE(__u8, ipv6, 1, 0, 1, "hide IPv6 addresses");
MPB_TUNE(__u8, with_port, 1, 0, 1, "hide announcements that carry a port");
MPB_TUNE(__u8, without_port, 1, 0, 1, "hide announcements that carry no port");
MPB_TUNE(__u8, echo, 0, 0, 1, "hide echoes too");

MPB_OPT_COUNTERS(hidden, echo_hidden, passed, unknown_length);

/* What an ADD_ADDR of this length holds: 0, or family 4 or 6 plus 16 where there is a port (RFC 8684 figure 12, RFC 6824 figure 12). */
enum { WITH_PORT = 16 };

static __u32 add_addr_shape(__u32 len, __u32 is_echo)
{
	__u32 hmac = is_echo ? 0 : 8;

	if (len == 8 + hmac || len == 8)
		return 4;
	if (len == 10 + hmac || len == 10)
		return 4 | WITH_PORT;
	if (len == 20 + hmac || len == 20)
		return 6;
	if (len == 22 + hmac || len == 22)
		return 6 | WITH_PORT;
	return 0;
}

static void addr_hide_option(struct mpb_seg *s)
{
	__u32 is_echo, shape;

	if (s->subtype != MPTCP_ADD_ADDR)
		return;
	is_echo = mpb_opt_u8(s, 2) & MPTCP_ADD_ADDR_ECHO;
	shape = add_addr_shape(s->optlen, is_echo);
	if (!shape) {
		mpb_count(s, unknown_length);
		return;
	}
	if ((is_echo && !echo) || !(shape & 2 ? ipv6 : ipv4) || !(shape & WITH_PORT ? with_port : without_port)) {
		mpb_count(s, passed);
		return;
	}
	mpb_count(s, is_echo ? echo_hidden : hidden);
	mpb_opt_remove(s);
}

MPB_OPT(addr_hide, "replaces ADD_ADDR by NOPs, chosen by family, port and echo", .option = addr_hide_option);
