#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What a relay is measured by, from both sides of it. RELAY is ADDR PORT; with DEST DESTPORT behind it, it is a converter (RFC 8803), else one that knows where to go.
relay.py pour ADDR PORT                          a destination: as many bytes as it is told
relay.py echo ADDR PORT                          a destination: 64 bytes back, and the end
relay.py pull BYTES RELAY [DEST DESTPORT]        Mbit/s of so many bytes from `pour`
relay.py calls SECONDS AT_ONCE RELAY [DEST ...]  connections a second, each with one exchange with `echo`"""
import os, socket, struct, sys, time
from convert import MSG_FASTOPEN, TCP_FASTOPEN_NO_COOKIE, connect, exactly, message, take


def reach(w, first):
    """A connection on which `first` has been sent."""
    s = socket.socket(socket.AF_INET6 if ":" in w[0] else socket.AF_INET)
    s.settimeout(60)
    if len(w) == 2:
        s.connect((w[0], int(w[1])))
        s.sendall(first)
        return s
    s.setsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN_NO_COOKIE, 1)
    s.sendto(message(connect(w[2], int(w[3]))) + first, MSG_FASTOPEN, (w[0], int(w[1])))
    assert take(s) == {}
    return s


def pull(n, *relay):
    begin, left = time.monotonic(), int(n)
    s = reach(relay, struct.pack("!Q", left))
    while left:
        got = len(s.recv(1 << 20))
        assert got, "ended before its time"
        left -= got
    print("%.0f" % (int(n) * 8e-6 / (time.monotonic() - begin)))


def calls(seconds, at_once, *relay):
    begin = time.monotonic()
    ends = begin + float(seconds)
    pipes = []
    for _ in range(int(at_once)):
        r, w = os.pipe()
        if not os.fork():
            n = 0
            while time.monotonic() < ends:
                s = reach(relay, b"x" * 64)
                exactly(s, 64)
                s.close()
                n += 1
            os.write(w, struct.pack("!Q", n))
            os._exit(0)
        pipes.append(r)
        os.close(w)
    n = sum(struct.unpack("!Q", os.read(r, 8))[0] for r in pipes)
    print("%.0f %d" % (n / (time.monotonic() - begin), n))


def listen(addr, port):
    s = socket.create_server((addr, int(port)), backlog=4096)
    print("listening", file=sys.stderr, flush=True)
    return s


def pour(*at):
    zeros, s = bytes(1 << 20), listen(*at)
    while True:
        c, _ = s.accept()
        left = struct.unpack("!Q", exactly(c, 8))[0]
        while left:
            left -= c.send(zeros[:min(left, len(zeros))])
        c.close()


def echo(*at):
    s = listen(*at)
    while True:
        c, _ = s.accept()
        c.sendall(exactly(c, 64))
        c.close()


if __name__ == "__main__":
    {"pour": pour, "echo": echo, "pull": pull, "calls": calls}[sys.argv[1]](*sys.argv[2:])
