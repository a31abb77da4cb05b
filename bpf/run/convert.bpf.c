/* SPDX-License-Identifier: GPL-2.0-only */
/* convert - connections chosen by rules go through a transport converter (RFC 8803) without a round trip more, and applications do not notice. connect()
 * is redirected (redirect.bpf.h); at tc the Convert request is put into the SYN, the reply is taken out of what comes back, and all sequence
 * numbers are translated: N bytes of request that the host never wrote, N' bytes of reply that it never reads. TCP, and MPTCP with any number of
 * subflows. Unlike the RFC's, connect() succeeds before the destination has answered; an error that comes later is ECONNRESET.
 * Once a packet's bytes have been changed, a failure drops it. */
#include <mptcp_bpf/converted.bpf.h>
#include <mptcp_bpf/inject.bpf.h>

_Static_assert(MPB_CONVERT_REPLY <= MPB_CUT_MAX, "a reply can be taken out");

MPB_DESCRIBE(MPB_PROBE, convert, "sends connections through a transport converter (RFC 8803)");

#define COOKIE_AT (sizeof(struct mpb_convert_syn) + 4) /* in a request: behind its TLV's head */
#define COOKIE_MAX (MPB_CONVERT_REQUEST - COOKIE_AT)
#define FAR (1U << 30)                  /* in the converter's stream, from where on nothing is taken for its first bytes */

/* The request at the end of a SYN, with the cookie or without it as it was in the first of these; what the application put there (TCP Fast Open) goes: it is not
 * acknowledged and so sent again. */
static __always_inline int put_request(struct __sk_buff *skb, struct work *w, const struct mpb_converter *c, const struct mpb_redirect *to, __u32 n)
{
	__u32 l4 = w->t.seg.pkt.l4, hlen = w->len - w->payload;
	union {
		__u8 bytes[MPB_CONVERT_REQUEST];
		__be32 words[MPB_CONVERT_REQUEST / 4];
		struct mpb_convert_syn syn;
	} m;

	__builtin_memcpy(&m, c->request, sizeof(m));
	m.syn.head.words = n / 4;
	if (n == sizeof(m.syn))
		__builtin_memset(&m.bytes[sizeof(m.syn)], 0, sizeof(m) - sizeof(m.syn));
	else if (n != c->request_len)
		return MPB_TC_DROP;
	m.syn.connect.port = to->port;
	for (int i = 0; i < 4; i++)
		m.syn.connect.addr[i] = to->dest[i];
	if (l4 > MPB_HEADERS_MAX || bpf_skb_change_tail(skb, l4 + hlen + n, 0) || set_length(skb, w, hlen + n))
		return MPB_TC_DROP;
	if (bpf_l4_csum_replace(skb, l4 + MPB_TCP_CSUM, 0, bpf_csum_diff(NULL, 0, m.words, sizeof(m), 0), 0) || !within(&n, sizeof(m.syn), sizeof(m)) ||
	    bpf_skb_store_bytes(skb, l4 + hlen, &m, n, 0))
		return MPB_TC_DROP;
	return MPB_TC_NEXT;
}

/* A SYN that leaves: of a redirected connection, or of a further subflow of one. */
static __noinline int syn_out(struct __sk_buff *skb, struct work *w)
{
	struct mptcp_subflow_context *sub = NULL;
	struct mpb_redirect to = {}, *stored;
	struct mpb_converter *c;
	struct converted *f;
	struct tcp_sock *tp;
	struct bpf_sock *sk;
	__u32 token = 0, slot;
	__be32 isn;

	if (!w)
		return MPB_TC_NEXT;
	sk = skb->sk ? bpf_sk_fullsock(skb->sk) : NULL;
	if (!sk || bpf_skb_load_bytes(skb, w->t.seg.pkt.l4 + 4, &isn, 4))
		return MPB_TC_NEXT;
	isn = bpf_ntohl(isn);
	tp = bpf_skc_to_tcp_sock(sk);
	if (tp)
		sub = mpb_subflow_ctx(tp);
	if (sub)
		token = BPF_CORE_READ(sub, token);
	stored = bpf_sk_storage_get(&mpb_redirects, sk, NULL, 0);
	if (!stored) {
		int joins = token && bpf_map_lookup_elem(&mpb_converted_conns, &token);

		f = bpf_map_lookup_elem(&mpb_converted, &w->key);
		if (f && !joins)
			forget(&w->key, f->token); /* the ports are used again, by somebody else */
		if (joins)
			flow_begin(w, isn, token, 0, 0);
		return MPB_TC_NEXT;
	}
	to = *stored;
	slot = to.slot;
	c = mpb_converter_of(slot);
	if (!c)
		return MPB_TC_DROP;
	f = remember(token, sub, &to) ? NULL : flow_begin(w, isn, token, slot, c->request_len);
	if (!f) {
		unremember(token);
		CONVERTER_COUNT(c, full);
		return MPB_TC_DROP;
	}
	translate_options(w);
	if (!w->t.capable)
		f->bare = MPB_CONVERT_BARE; /* repeated as plain TCP (mptcp_active_detect_blackhole()), whatever the converter has made of the one before */
	if (sub && shrink_window(skb, w, BPF_CORE_READ_BITFIELD_PROBED(tp, rx_opt.rcv_wscale)))
		return MPB_TC_DROP;
	return put_request(skb, w, c, &to, f->sent);
}

static __always_inline int out(struct __sk_buff *skb, __u32 l2)
{
	struct mpb_converted_conn *conn;
	struct work *w = work();
	struct converted *f;
	__u32 got, flags;

	if (!w || !segment(skb, l2, w, MPB_OUT))
		return MPB_TC_NEXT;
	flags = w->t.seg.pkt.flags;
	if ((flags & (MPB_TCP_SYN | MPB_TCP_ACK)) == MPB_TCP_SYN)
		return syn_out(skb, w);
	f = bpf_map_lookup_elem(&mpb_converted, &w->key);
	if (!f)
		return MPB_TC_NEXT;
	f->seen_ns = bpf_ktime_get_ns();
	give_timer(f);
	note_end(f, flags, MPB_OUT);
	if (f->acked)
		f->acked = 2;
	got = f->join ? 0 : f->got;
	conn = f->token ? bpf_map_lookup_elem(&mpb_converted_conns, &f->token) : NULL;
	w->t.sack = got;
	w->t.dack = conn ? conn->reply ? conn->reply : got : 0;
	if (w->t.sack | w->t.dack)
		translate_options(w);
	if (put_header(skb, w, f->sent, flags & MPB_TCP_ACK ? got : 0, 0))
		return drop(f);
	return MPB_TC_NEXT;
}

/* Reads on in the reply's first two words: those that decide. Returns how many of their bytes are known. */
static __always_inline __u32 read_head(struct __sk_buff *skb, struct converted *f, __u32 at, __u32 n)
{
	__u8 bytes[HEAD] = {};
	__u32 got = f->got;

	if (got >= HEAD || !n)
		return got;
	if (n > HEAD - got)
		n = HEAD - got;
	n = ((n - 1) & (HEAD - 1)) + 1;
	if (bpf_skb_load_bytes(skb, at, bytes, n))
		return got;
	for (__u32 i = 0; i < HEAD; i++)
		if (i < n)
			f->head[(got + i) & (HEAD - 1)] = bytes[i];
	return got + n;
}

enum { LEARNT, REFUSED, NOT_YET };

/* By an Error TLV, or for a reply that is none. Lack of resources and a failing network want the converter left alone for as many seconds as they say. */
static __always_inline int refused_for(const struct converted *f, __u8 code, __u8 seconds)
{
	struct mpb_converter *c = mpb_converter_of(f->slot);

	if (!c)
		return REFUSED;
	c->last_error = code;
	if (c->bypass_ns && (code == CONVERT_resource_exceeded || code == CONVERT_network_failure))
		c->down_until_ns = bpf_ktime_get_ns() + (seconds ?: MPB_CONVERT_WAIT) * 1000000000ULL;
	return REFUSED;
}

/* The cookie of an error goes into the requests from now on, if it came in one segment and there is room. One that an error has brought, and another one
 * refuses, is left out again: the converter then tells the next. Several processors may do so at once, with the same bytes. */
static __noinline int keep_cookie(struct __sk_buff *skb, struct work *w, const struct converted *f, __u32 at)
{
	struct mpb_convert_tlv *tlv;
	struct mpb_converter *c;
	__u32 len, words;

	if (!w || !f)
		return 0;
	words = f->head[HEAD - 3];
	c = mpb_converter_of(f->slot);
	if (!c)
		return 0;
	if (f->head[HEAD - 2] == CONVERT_not_authorized && c->used == MPB_CONVERTER_BROUGHT)
		c->request_len = sizeof(struct mpb_convert_syn);
	if (f->head[HEAD - 2] != CONVERT_missing_cookie || (c->used != MPB_CONVERTER_BROUGHT && c->request_len != sizeof(struct mpb_convert_syn)))
		return 0;
	if (!within(&words, 2, 1 + COOKIE_MAX / 4))
		return 0;
	len = 4 * (words - 1);
	if (HEAD + len > w->payload || bpf_skb_load_bytes(skb, at + HEAD, &c->request[COOKIE_AT], len))
		return 0;
	tlv = (void *)&c->request[sizeof(struct mpb_convert_syn)];
	tlv->type = CONVERT_COOKIE;
	tlv->words = words;
	c->request_len = COOKIE_AT + len;
	c->used = MPB_CONVERTER_BROUGHT;
	return 0;
}

/* Takes in what this segment has of the reply; `rel` bytes of the stream lie before it. Returns REFUSED for an error, NOT_YET where the segment is of no
 * use before another one has come. */
static __noinline int learn(struct __sk_buff *skb, struct work *w, struct converted *f, __u32 rel)
{
	const struct mpb_convert_tlv *tlv;
	__be32 bytes[MPB_CONVERT_REPLY / 4] = {};
	struct mpb_converted_conn *conn;
	__u32 at, len, end, known;

	if (!w || !f || rel > f->got)
		return NOT_YET;
	at = w->t.seg.pkt.l4 + MPB_TCP_HLEN + w->t.seg.pkt.optlen;
	end = rel + w->payload;
	if (end <= f->got)
		return LEARNT;
	known = read_head(skb, f, at + f->got - rel, end - f->got);
	if (known >= sizeof(struct mpb_convert_head) && !f->reply) {
		tlv = (void *)&f->head[sizeof(struct mpb_convert_head)];
		if (mpb_convert_head((void *)f->head, &len) != MPB_CONVERT_OK)
			return refused_for(f, CONVERT_malformed_message, 0);
		if (len == sizeof(struct mpb_convert_head)) {
			f->reply = len;
		} else if (known == HEAD) {
			if (tlv->type == CONVERT_ERROR && !rel)
				keep_cookie(skb, w, f, at);
			if (tlv->type == CONVERT_ERROR)
				return refused_for(f, f->head[HEAD - 2], f->head[HEAD - 1]);
			/* A base Connect is answered by no more than one TLV. */
			if (len > MPB_CONVERT_REPLY || tlv->words * 4U != len - sizeof(struct mpb_convert_head) ||
			    (tlv->type != CONVERT_EXTENDED_HEADER && tlv->type != CONVERT_SUPPORTED))
				return refused_for(f, CONVERT_malformed_message, 0);
			f->reply = len;
		}
	}
	f->got = f->reply && end > f->reply ? f->reply : end;
	if (f->got != f->reply)
		return LEARNT;
	count_replied(f);
	len = f->reply;
	conn = f->token ? bpf_map_lookup_elem(&mpb_converted_conns, &f->token) : NULL;
	if (conn && !rel && len >= 4 && len <= sizeof(bytes) && !bpf_skb_load_bytes(skb, at, bytes, len))
		conn->sum = bpf_ntohs(mpb_fold((__u32)bpf_csum_diff(NULL, 0, bytes, sizeof(bytes), 0)));
	if (conn)
		conn->reply = len;
	return LEARNT;
}

/* Whether a segment is to come again, with a DATA_ACK: without one Linux takes the first segment in order of a subflow for a fallback to TCP
 * (check_fully_established()), but a converter that was sent data before it has got the handshake's last ACK, since they came out of order, cannot
 * give one yet. One that acknowledges data without it has fallen back, and the host is to know it: else it goes on repeating what TCP has delivered. */
static __always_inline int is_bare(const struct work *w, struct converted *f, __u32 ack)
{
	__u32 data = ack - f->isn - 1 - f->sent;

	if (!f->token || f->join || f->bare >= MPB_CONVERT_BARE)
		return 0;
	if (w->t.acked || data - 1 < FAR) {
		f->bare = MPB_CONVERT_BARE;
		return 0;
	}
	f->bare++;
	return 1;
}

/* The connection ends here: a RST, or MP_FASTCLOSE, since MPTCP outlives its subflows. What is sent again then, the host answers by a RST of its own. */
static __always_inline int refuse(struct __sk_buff *skb, struct work *w, struct converted *f, __u32 seq, __u32 next, __u32 ack)
{
	struct mpb_converted_conn *conn = f->token ? bpf_map_lookup_elem(&mpb_converted_conns, &f->token) : NULL;
	struct mpb_converter *c = mpb_converter_of(f->slot);
	int again = f->refused;

	if (conn) {
		w->t.fastclose = 1;
		w->t.key = conn->key;
	}
	translate_options(w);
	if (is_bare(w, f, ack))
		return drop(f);
	if (c && !again)
		CONVERTER_COUNT(c, errors);
	f->refused = 1;
	f->closing |= MPB_CLOSING_RST;
	if (put_header(skb, w, next - seq, -f->sent, w->t.fastclose == 2 || again ? MPB_TCP_ACK : MPB_TCP_RST | MPB_TCP_ACK) || trim(skb, w))
		return drop(f);
	return MPB_TC_NEXT;
}

/* The converter's SYN+ACK. One that does not acknowledge the request ends both the connection and, for a time, the converter's use (section 6.1). */
static __always_inline int syn_ack(struct __sk_buff *skb, struct work *w, struct converted *f, const __be32 *word)
{
	struct mpb_converter *c = mpb_converter_of(f->slot);
	__u32 ack = bpf_ntohl(word[1]), flags = 0, by = -f->sent;

	if (f->refused) /* again, since the host has not answered: now it does, by a RST */
		return MPB_TC_NEXT;
	if (f->acked == 2 ? bpf_ntohl(word[0]) != f->irs : ack - f->isn - 1 > f->sent)
		return MPB_TC_NEXT; /* not this SYN's, or another one's since: the host knows what to do with it */
	f->irs = bpf_ntohl(word[0]);
	translate_options(w);
	if (!w->t.capable)
		f->bare = MPB_CONVERT_BARE; /* plain TCP */
	if (f->sent && ack != f->isn + 1 + f->sent) {
		if (c) {
			given_up(c);
			CONVERTER_COUNT(c, unacked);
		}
		flags = MPB_TCP_RST | MPB_TCP_ACK;
		by = f->sent = 0;
		f->refused = 1;
		f->closing |= MPB_CLOSING_RST;
	} else {
		f->acked = f->acked ?: 1;
		if (c)
			c->down_until_ns = 0;
	}
	if (put_header(skb, w, 0, by, flags) || (w->payload && trim(skb, w)))
		return drop(f);
	return MPB_TC_NEXT;
}

/* A segment of the scheduler runtime's, made of one that was translated. */
static __always_inline int is_injected(struct __sk_buff *skb, const struct mpb_pkt *pkt)
{
	__be16 urg;

	return pkt->optlen == sizeof(struct mpb_injected_options) && !bpf_skb_load_bytes(skb, pkt->l4 + 18, &urg, sizeof(urg)) && urg == bpf_htons(MPB_INJECTED_URG);
}

/* How much the host's number for the segment is less. Inside the reply, and without a byte of it, lies but a probe: old to the host, so that it answers. */
static __always_inline __u32 hidden(const struct converted *f, __u32 rel)
{
	if (f->past || (rel >= f->got && rel < FAR))
		return f->got;
	return rel && rel < f->got ? rel + 1 : 0;
}

static __always_inline int in(struct __sk_buff *skb, __u32 l2)
{
	__u32 flags, seq, rel, next, cut = 0, ack_by;
	struct mpb_converted_conn *conn;
	__be32 word[TCP_WORDS - 1];
	struct work *w = work();
	struct converted *f;
	int learnt = 0;

	if (!w || !segment(skb, l2, w, MPB_IN))
		return MPB_TC_NEXT;
	f = bpf_map_lookup_elem(&mpb_converted, &w->key);
	if (!f || is_injected(skb, &w->t.seg.pkt) || bpf_skb_load_bytes(skb, w->t.seg.pkt.l4 + 4, word, sizeof(word)))
		return MPB_TC_NEXT;
	flags = w->t.seg.pkt.flags;
	f->seen_ns = bpf_ktime_get_ns();
	give_timer(f);
	note_end(f, flags, MPB_IN);
	if ((flags & (MPB_TCP_SYN | MPB_TCP_ACK)) == (MPB_TCP_SYN | MPB_TCP_ACK))
		return syn_ack(skb, w, f, word);
	if (flags & MPB_TCP_RST && !f->acked) {
		struct mpb_converter *c = mpb_converter_of(f->slot);

		__u32 acks = bpf_ntohl(word[1]) - f->isn - 1;

		if (c && f->sent && flags & MPB_TCP_ACK && acks <= f->sent)
			given_up(c);
		if (put_header(skb, w, 0, acks == f->sent ? -f->sent : 0, 0))
			return drop(f);
		return MPB_TC_NEXT;
	}
	seq = bpf_ntohl(word[0]);
	next = f->irs + 1;
	rel = seq - next;
	if (rel - FAR < FAR)
		f->past = 1;
	conn = f->token ? bpf_map_lookup_elem(&mpb_converted_conns, &f->token) : NULL;
	if (!f->join) {
		if (w->payload && (!f->reply || f->got < f->reply)) {
			learnt = learn(skb, w, f, rel);
			if (learnt == REFUSED)
				return refuse(skb, w, f, seq, next, bpf_ntohl(word[1]));
			if (learnt == NOT_YET)
				return drop(f);
		}
		w->t.reply = f->reply ? f->reply : f->got;
		w->t.initial = 1;
		if (!f->past && rel < w->t.reply) {
			cut = w->t.reply - rel;
			if (cut > w->payload)
				cut = w->payload;
		}
	} else {
		w->t.reply = conn ? conn->reply : 0;
	}
	w->t.sum = conn ? conn->sum : 0;
	w->t.sack = -f->sent;
	translate_options(w);
	if ((f->join ? conn && !conn->reply : !f->reply) && (w->payload ? f->join : w->t.mapped))
		return drop(f); /* data, or a DATA_FIN, whose place is not known yet */
	ack_by = flags & MPB_TCP_ACK ? -f->sent : 0;
	if (cut && cut == w->payload) /* old to the host, so that it acknowledges it at once */
		next = flags & MPB_TCP_FIN ? next : next - 1;
	else if (!cut)
		next = f->join ? seq : seq - hidden(f, rel);
	if (next == f->irs + 1 && !(flags & MPB_TCP_RST) && is_bare(w, f, bpf_ntohl(word[1])))
		return drop(f);
	if (put_header(skb, w, next - seq, ack_by, 0))
		return drop(f);
	if (cut && (cut == w->payload ? trim(skb, w) : cut_head(skb, w, cut)))
		return drop(f);
	return MPB_TC_NEXT;
}

SEC("tc") int convert_in(struct __sk_buff *skb) { return in(skb, ETH_HLEN); }
SEC("tc") int convert_out(struct __sk_buff *skb) { return out(skb, ETH_HLEN); }
SEC("tc") int convert_in3(struct __sk_buff *skb) { return in(skb, 0); }
SEC("tc") int convert_out3(struct __sk_buff *skb) { return out(skb, 0); }
