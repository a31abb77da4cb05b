/* SPDX-License-Identifier: GPL-2.0-only */
/* addr_hide - takes ADD_ADDR out, so that the receiver does not learn the address.
 * It becomes NOPs. Where it is the first MPTCP option of its segment it is blanked instead: address and HMAC become zeros, which a receiver must ignore
 * (RFC 8684 section 3.4.1). The first segment after a handshake must carry an MPTCP option, or the connection falls back to TCP (section 3.7), and
 * Linux announces in an acknowledgement of its own, often without a DSS.
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

/* What an ADD_ADDR of this length holds (RFC 8684 figure 12; without HMAC: an echo, or RFC 6824 figure 12). 0: no such length. */
enum { IPV4 = 1, IPV6 = 2, PORT = 4, HMAC = 8 };

enum { ADDRESS = 4 }; /* its offset in the option; what follows are port and HMAC */

static __u32 add_addr_shape(__u32 len)
{
	switch (len) {
	case 8:
		return IPV4;
	case 10:
		return IPV4 | PORT;
	case 20:
		return IPV6;
	case 22:
		return IPV6 | PORT;
	case 16:
		return IPV4 | HMAC;
	case 18:
		return IPV4 | PORT | HMAC;
	case 28:
		return IPV6 | HMAC;
	case 30:
		return IPV6 | PORT | HMAC;
	}
	return 0;
}

static void addr_hide_option(struct mpb_seg *s)
{
	__u32 is_echo, shape;

	if (s->subtype != MPTCP_ADD_ADDR)
		return;
	is_echo = mpb_opt_u8(s, 2) & MPTCP_ADD_ADDR_ECHO;
	shape = add_addr_shape(s->optlen);
	if (!shape || (is_echo && shape & HMAC)) {
		mpb_count(s, unknown_length);
		return;
	}
	if ((is_echo && !echo) || !(shape & IPV6 ? ipv6 : ipv4) || !(shape & PORT ? with_port : without_port)) {
		mpb_count(s, passed);
		return;
	}
	mpb_count(s, is_echo ? echo_hidden : hidden);
	if (s->seen || is_echo || !(shape & HMAC))
		mpb_opt_remove(s);
	else
		mpb_opt_fill(s, ADDRESS, 0);
}

MPB_OPT(addr_hide, "hides addresses: takes ADD_ADDR out, chosen by family, port and echo", .option = addr_hide_option);
