#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Both ends of the Convert protocol, written from the tables of RFC 8803 alone, to meet ours.
convert.py CASE CONVERTER PORT DEST DESTPORT [mptcp]    a client; exits 0 when the answer is the right one
convert.py echo ADDR PORT [mptcp]                       a destination: returns what it was sent, from its end of stream on
convert.py app DEST PORT [mptcp] [fastopen] [BYTES [COUNT]]
                                                        an application that knows of no converter: echoes, and asks who its peer is; begins in the SYN
convert.py load DEST PORT [mptcp] BYTES                 the same, so many bytes down and then up, to `supply`
convert.py supply ADDR PORT [mptcp]                     a destination: sends as many bytes as it is told, and the sum of those it gets
convert.py time DEST PORT HOW [mptcp]                   milliseconds until a small request is answered; HOW: direct convert handshake socks
convert.py socks ADDR PORT                              a SOCKS5 proxy (RFC 1928) of the least
convert.py fails DEST PORT [mptcp]                      one whose connection is to fail
convert.py rounds DEST PORT [mptcp]                     one that says its port, and then echoes a line of input at a time
convert.py hold ADDR PORT                               a destination that neither speaks nor ends
convert.py forge FROM PORT TO PORT SEQ                  a SYN+ACK that nobody has asked for
convert.py serve ADDR PORT [mptcp] [QUIRK]              a converter; quirks: split coalesce extended twice nofastopen error=CODE late_error"""
import hashlib, ipaddress, os, socket, struct, sys, threading, time

IPPROTO_MPTCP, TCP_FASTOPEN, TCP_FASTOPEN_NO_COOKIE, MSG_FASTOPEN = 262, 23, 34, 0x20000000
INFO, CONNECT, EXTENDED, SUPPORTED, COOKIE, ERROR = 1, 10, 20, 21, 22, 30


def tlv(kind, value=b"\0\0"):
    value += b"\0" * (-(len(value) + 2) % 4)
    return struct.pack("!BB", kind, (len(value) + 2) // 4) + value


def message(*tlvs, version=1, magic=0x2263):
    body = b"".join(tlvs)
    return struct.pack("!BBH", version, 1 + len(body) // 4, magic) + body


def connect(addr, port, options=b""):
    a = ipaddress.ip_address(addr)
    packed = b"\0" * 10 + b"\xff\xff" + a.packed if a.version == 4 else a.packed
    return tlv(CONNECT, struct.pack("!H", port) + packed + options)


def exactly(s, n):
    b = bytearray()
    while len(b) < n:
        got = s.recv(min(n - len(b), 1 << 18))
        if not got:
            raise EOFError("ended after %d bytes" % len(b))
        b += got
    return bytes(b)


def take(s):
    """A message: {type: value}."""
    version, words, magic = struct.unpack("!BBH", exactly(s, 4))
    assert (version, magic) == (1, 0x2263) and words, "not a Convert message"
    body, tlvs, at = exactly(s, words * 4 - 4), {}, 0
    while at < len(body):
        kind, length = body[at], body[at + 1] * 4
        assert 4 <= length <= len(body) - at and kind not in tlvs, "malformed"
        tlvs[kind] = body[at + 2:at + length]
        at += length
    return tlvs


def dial(a, first=b""):
    """A connection whose SYN carries the first bytes."""
    s = socket.socket(socket.AF_INET6 if ":" in a.converter else socket.AF_INET, socket.SOCK_STREAM, IPPROTO_MPTCP if a.mptcp else 0)
    s.settimeout(30)
    if first:
        s.setsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN_NO_COOKIE, 1)
        s.sendto(first, MSG_FASTOPEN, (a.converter, a.port))
    else:
        s.connect((a.converter, a.port))
    return s


def rest(s):
    b = bytearray()
    while got := s.recv(65536):
        b += got
    return bytes(b)


def echoed(s, data, sent=0):
    threading.Thread(target=lambda: (s.sendall(data[sent:]), s.shutdown(socket.SHUT_WR))).start()
    assert hashlib.sha256(rest(s)).digest() == hashlib.sha256(data).digest(), "the payload is not the same"


def down_and_up(s, n):
    """With `supply`. Not both ways at once: a stock kernel's two subflows then stall for many seconds, converter or not."""
    s.sendall(struct.pack("!Q", n))
    data = hashlib.shake_128(b"bulk").digest(n)
    assert exactly(s, n) == data, "what came down is not the same"
    s.sendall(data)
    s.shutdown(socket.SHUT_WR)
    assert rest(s) == hashlib.sha256(data).digest(), "what went up is not the same"


def error(s, code):
    reply = take(s)
    assert list(reply) == [ERROR] and reply[ERROR][0] == code, "got %r" % reply
    rest(s)
    return reply[ERROR][1:]


class Cases:
    def connect(a):
        s = dial(a, message(connect(a.dest, a.dport)))
        assert take(s) == {}
        echoed(s, os.urandom(20000))

    def bulk(a):
        s = dial(a, message(connect(a.dest, a.dport)))
        assert take(s) == {}
        down_and_up(s, 30 << 20)

    def without_fastopen(a):
        s = dial(a)
        s.sendall(message(connect(a.dest, a.dport)))
        assert take(s) == {}
        echoed(s, b"x")

    def data_behind(a):
        data = os.urandom(900)
        s = dial(a, message(connect(a.dest, a.dport)) + data)
        s.shutdown(socket.SHUT_WR)
        assert take(s) == {} and rest(s) == data

    def urgent(a):
        """The byte itself may get lost; what follows it may not."""
        s = dial(a, message(connect(a.dest, a.dport)))
        assert take(s) == {}
        for _ in range(20):
            s.sendall(b"a" * 300)
            s.send(b"!", socket.MSG_OOB)
            s.sendall(b"b" * 300)
        s.shutdown(socket.SHUT_WR)
        assert rest(s).replace(b"!", b"") == (b"a" * 300 + b"b" * 300) * 20

    def byte_by_byte(a):
        s = dial(a)
        s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for b in message(connect(a.dest, a.dport)):
            s.sendall(bytes([b]))
            time.sleep(0.002)
        assert take(s) == {}
        echoed(s, b"x" * 5000)

    def info(a):
        reply = take(dial(a, message(tlv(INFO, b"\1\2"))))  # unassigned bits: not looked at
        kinds = set(reply[SUPPORTED][2:].rstrip(b"\0"))
        assert list(reply) == [SUPPORTED] and 30 in kinds and not kinds & {0, 1, 2}, "got %r" % reply

    def info_too(a):
        s = dial(a, message(tlv(INFO), connect(a.dest, a.dport)))
        assert list(take(s)) == [SUPPORTED]
        echoed(s, b"x" * 5000)

    def extended(a):
        s = dial(a, message(connect(a.dest, a.dport, bytes([2, 4, 4, 0, 4, 2, 8, 2, 3, 2]))))
        options = take(s)[EXTENDED][2:]
        assert options[0] == 2 and options[1] == 4, "no MSS in %r" % options
        echoed(s, b"x" * 5000)

    def cookie(a):
        value = error(dial(a, message(connect(a.dest, a.dport))), 3)
        assert value[0] == 0 and len(value) > 1
        s = dial(a, message(connect(a.dest, a.dport), tlv(COOKIE, b"\1\2" + value[1:9])))
        assert take(s) == {}
        echoed(s, b"x" * 5000)
        assert not any(error(dial(a, message(connect(a.dest, a.dport), tlv(COOKIE, b"\0\0" + bytes(8)))), 32))

    def version(a):
        assert error(dial(a, message(connect(a.dest, a.dport), version=2)), 0)[0] == 1

    def not_convert(a):
        for m in (b"GET / HTTP/1.0\r\n\r\n", b"\1\0\x22\x63", b"\1\6\x22\x64" + bytes(20)):
            try:
                got = dial(a, m).recv(100)
            except (ConnectionResetError, ConnectionRefusedError):  # the latter where the reset overtakes the SYN+ACK
                continue
            raise AssertionError("no reset, but %r" % got)

    def malformed(a):
        good = connect(a.dest, a.dport)
        for bad in (good + good, tlv(INFO) + tlv(INFO), b"\x0a\0\0\0", b"\x0a\x06" + good[2:], connect("127.0.0.1", 80), connect("224.0.0.1", 80),
                    connect("::1", 80), connect("ff02::1", 80), b"\x0a\x02\0\x50\0\0\0\0", connect(a.dest, a.dport, b"\1\1\4\2"), b""):
            m = message(bad)
            assert error(dial(a, m), 1)[1:].startswith(m), "the message is not shown"

    def unsupported(a):
        for kind in (0, 2, 30, 192):
            m = message(tlv(kind))
            assert error(dial(a, m), 2)[1:].startswith(m), "the message is not shown"

    def unsupported_option(a):
        """One that no socket sets, and those whose value it does not: they would have to go into the SYN as they are."""
        for option in (b"\x05\x0a" + bytes(8), b"\3\3\7", b"\x08\x0a" + bytes(8), b"\2\4\0\x0a", b"\x1e\4\1\x81"):
            got = error(dial(a, message(connect(a.dest, a.dport, option))), 33)
            assert got.rstrip(b"\0") == option[:1], "got %r for %r" % (got, option)

    def not_authorized(a):
        error(dial(a, message(connect(a.dest, a.dport))), 32)

    def refused(a):
        error(dial(a, message(connect(a.dest, 11))), 96)

    def unreachable(a):
        assert error(dial(a, message(connect(a.dest, a.dport))), 97)[0] == a.count

    def silent(a):
        assert error(dial(a, message(connect(a.dest, a.dport))), 65)[0] == 1

    def leaves(a):
        """Ends its side, and then resets."""
        s = dial(a, message(connect(a.dest, a.dport)))
        assert take(s) == {}
        s.shutdown(socket.SHUT_WR)
        time.sleep(0.1)
        s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        s.close()

    def proxied(a):
        s = dial(a, message(connect(a.dest, a.dport)) + b"x")
        s.shutdown(socket.SHUT_WR)
        assert take(s) == {} and rest(s) == s.getsockname()[0].encode() + b"x"

    def limited(a):
        first = dial(a, message(connect(a.dest, a.dport)))
        assert take(first) == {}
        assert error(dial(a, message(connect(a.dest, a.dport))), 64)[0] == 1

    def hostile(a):
        """Thousands of clients that are slow, half open, broken or wrong, while honest ones are served."""
        held = []
        for i in range(a.count):
            m = message(connect(a.dest, a.dport))
            s = socket.socket(socket.AF_INET6 if ":" in a.converter else socket.AF_INET)
            s.settimeout(10)
            s.connect((a.converter, a.port))
            what = i % 5
            if what == 0:
                held.append(s)                                # says nothing
            elif what == 1:
                s.send(m[:i // 5 % len(m)])
                held.append(s)                                # stops half-way
            elif what == 2:
                s.send(os.urandom(i % 300 + 1))
            elif what == 3:
                s.send(m[:4] + os.urandom(20) + os.urandom(i % 1000))
            else:
                s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                s.send(m)
            if what > 1:
                s.close()
            if len(held) > 300:
                held.pop(0).close()
            if i % (a.count // 50 or 1) == 0:
                Cases.connect(a)
        time.sleep(5)


class Args:
    def __init__(self, w):
        self.converter, self.port, self.dest, self.dport = w[0], int(w[1]), w[2], int(w[3])
        self.mptcp = "mptcp" in w[4:]
        self.count = next((int(x) for x in w[4:] if x.isdigit()), 1000)


def application(w):
    v6 = ":" in w[0]
    return socket.socket(socket.AF_INET6 if v6 else socket.AF_INET, socket.SOCK_STREAM, IPPROTO_MPTCP if "mptcp" in w else 0)


def app(w):
    numbers = [int(x) for x in w[2:] if x.isdigit()] + [20000, 1]
    for i in range(numbers[1]):
        s = application(w)
        s.settimeout(100)
        data, peer, sent = os.urandom(numbers[0]), (w[0], int(w[1])), 0
        if "fastopen" in w:
            s.setsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN_NO_COOKIE, 1)
            sent = s.sendto(data[:24], MSG_FASTOPEN, peer)
        else:
            s.connect(peer)
            assert s.getpeername()[:2] == peer, "the peer is %r" % (s.getpeername(),)
        echoed(s, data, sent)
        s.close()


def load(w):
    n = int(w[-1])
    s = application(w)
    s.settimeout(100)
    s.connect((w[0], int(w[1])))
    down_and_up(s, n)


def rounds(w):
    s = application(w)
    s.settimeout(30)
    s.connect((w[0], int(w[1])))
    print(s.getsockname()[1], flush=True)
    for line in sys.stdin:
        s.sendall(line.encode())
        assert exactly(s, len(line)) == line.encode()
        print("echoed", flush=True)


def forge(w):
    """Without a word of what the connection's numbers are."""
    addresses = socket.inet_aton(w[0]) + socket.inet_aton(w[2])
    tcp = struct.pack("!HHIIBBHHH", int(w[1]), int(w[3]), int(w[4], 0), 0x12345678, 5 << 4, 0x12, 1000, 0, 0)
    total = sum(struct.unpack("!16H", addresses + struct.pack("!HH", 6, len(tcp)) + tcp))
    total = (total & 0xffff) + (total >> 16)
    tcp = tcp[:16] + struct.pack("!H", ~(total + (total >> 16)) & 0xffff) + tcp[18:]
    s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_TCP)
    s.bind((w[0], 0))
    s.sendto(tcp, (w[2], 0))


held = []


def hold(c, peer):
    held.append(c)


def supply(c, peer):
    c.sendall(hashlib.shake_128(b"bulk").digest(struct.unpack("!Q", exactly(c, 8))[0]))
    c.sendall(hashlib.sha256(rest(c)).digest())
    c.close()


def greet(c, peer):
    c.sendall(b"hello")
    rest(c)
    c.close()


def greeted(w):
    """By a destination that speaks first: nothing but acknowledgements goes there before."""
    for _ in range(int(w[-1])):
        s = application(w)
        s.settimeout(30)
        s.connect((w[0], int(w[1])))
        assert exactly(s, 5) == b"hello"
        s.shutdown(socket.SHUT_WR)
        assert not rest(s)
        s.close()


def clock(w):
    """Proxies are at 10.77.1.2: SOCKS on port 1080, the converter on 5000."""
    dest, port, how = socket.inet_aton(w[0]), struct.pack("!H", int(w[1])), w[2]
    s = application(w)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    begin = time.monotonic()
    s.connect({"socks": ("10.77.1.2", 1080), "handshake": ("10.77.1.2", 5000)}.get(how, (w[0], int(w[1]))))
    if how == "socks":
        s.sendall(b"\5\1\0")
        assert exactly(s, 2) == b"\5\0"
        s.sendall(b"\5\1\0\1" + dest + port)
        assert exactly(s, 10)[1] == 0
    elif how == "handshake":
        s.sendall(message(connect(w[0], int(w[1]))))
        assert take(s) == {}
    s.sendall(b"x" * 64)
    exactly(s, 64)
    print("%.1f" % ((time.monotonic() - begin) * 1000))


def socks(c, peer):
    c.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    exactly(c, exactly(c, 2)[1])
    c.sendall(b"\5\0")
    head = exactly(c, 10)
    u = socket.create_connection((socket.inet_ntoa(head[4:8]), struct.unpack("!H", head[8:])[0]))
    c.sendall(b"\5\0\0\1" + bytes(6))
    threading.Thread(target=pump, args=(c, u), daemon=True).start()
    pump(u, c)


def fails(w):
    """Connects, or does not; then nothing but an error comes, and no byte."""
    s = application(w)
    s.settimeout(20)
    try:
        s.connect((w[0], int(w[1])))
        s.sendall(b"x")
        got = s.recv(100)
    except (ConnectionResetError, ConnectionRefusedError, BrokenPipeError):
        return
    raise AssertionError("no error, but %r" % got)


def listener(w):
    v6 = ":" in w[0]
    s = socket.socket(socket.AF_INET6 if v6 else socket.AF_INET, socket.SOCK_STREAM, IPPROTO_MPTCP if "mptcp" in w[2:] else 0)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if v6:
        s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    if "nofastopen" not in w[2:]:
        s.setsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN, 1024)
        s.setsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN_NO_COOKIE, 1)
    s.bind((w[0], int(w[1])))
    s.listen(1024)
    print("listening", file=sys.stderr, flush=True)
    return s


def each(s, what):
    while True:
        c, peer = s.accept()
        threading.Thread(target=what, args=(c, peer), daemon=True).start()


def echo(c, peer):
    try:
        if "proxy" in sys.argv:
            h = exactly(c, 16)
            a = exactly(c, struct.unpack("!H", h[14:16])[0])
            c.sendall(socket.inet_ntoa(a[:4]).encode())
        while got := c.recv(1 << 16):
            c.sendall(got)
        c.shutdown(socket.SHUT_WR)
    except OSError as e:
        print(e, file=sys.stderr)
    c.close()


def pump(a, b):
    try:
        while got := a.recv(1 << 18):
            b.sendall(got)
        b.shutdown(socket.SHUT_WR)
    except OSError:
        b.close()


def converted(quirks):
    def one(c, peer):
        value = take(c)[CONNECT]
        port, = struct.unpack("!H", value[:2])
        a = ipaddress.IPv6Address(value[2:18])
        for q in quirks:
            if q.startswith("error="):
                c.sendall(message(tlv(ERROR, bytes([int(q[6:]), 0]))))
                rest(c)
                return
        if "late_error" in quirks:
            c.sendall(message(tlv(EXTENDED), tlv(ERROR, b"\x20\0")))
            rest(c)
            return
        u = socket.create_connection((str(a.ipv4_mapped or a), port))
        extended = tlv(EXTENDED, b"\1\2" + bytes([2, 4, 5, 0xb4, 4, 2]))
        reply = message(extended) if "extended" in quirks else message(extended, extended) if "twice" in quirks else message()
        threading.Thread(target=pump, args=(c, u), daemon=True).start()
        c.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if "coalesce" in quirks:
            reply += u.recv(65536)
        if "split" in quirks:
            c.sendall(reply[:2])
            time.sleep(0.02)
            reply = reply[2:]
        c.sendall(reply)
        pump(u, c)
    return one


if __name__ == "__main__":
    verb, words = sys.argv[1], sys.argv[2:]
    if verb == "echo":
        each(listener(words), echo)
    elif verb == "supply":
        each(listener(words), supply)
    elif verb == "hold":
        each(listener(words), hold)
    elif verb == "greet":
        each(listener(words), greet)
    elif verb == "socks":
        each(listener(words), socks)
    elif verb == "time":
        clock(words)
    elif verb in ("app", "load", "greeted", "fails", "rounds", "forge"):
        {"app": app, "load": load, "greeted": greeted, "fails": fails, "rounds": rounds, "forge": forge}[verb](words)
    elif verb == "serve":
        each(listener(words), converted(words[2:]))
    else:
        getattr(Cases, verb)(Args(words))
