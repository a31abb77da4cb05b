#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""What a relay is measured by, from both sides of it. RELAY is ADDR PORT; with DEST DESTPORT behind it, it is a converter (RFC 8803), else one that knows where to go.
With the word mptcp at the end clients speak Multipath TCP.
relay.py pour ADDR PORT                          a destination: as many bytes as it is told
relay.py sink ADDR PORT                          a destination: a byte back when all that it was told of has come
relay.py echo ADDR PORT                          a destination: 64 bytes back, and the end
relay.py pull BYTES RELAY [DEST DESTPORT]        Mbit/s of so many bytes from `pour`
relay.py push BYTES RELAY [DEST DESTPORT]        Mbit/s of so many bytes to `sink`
relay.py calls SECONDS AT_ONCE RELAY [DEST ...]  connections a second, each with one exchange with `echo`"""
import os, socket, struct, sys, time
from convert import IPPROTO_MPTCP, MSG_FASTOPEN, TCP_FASTOPEN_NO_COOKIE, connect, exactly, message, take

PROTOCOL = IPPROTO_MPTCP if sys.argv[-1] == "mptcp" else 0


def once(at, request, first):
    """A connection on which `first` has been sent, behind the request if there is one."""
    s = socket.socket(socket.AF_INET6 if ":" in at[0] else socket.AF_INET, socket.SOCK_STREAM, PROTOCOL)
    s.settimeout(60)
    if request:
        s.setsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN_NO_COOKIE, 1)
        s.sendto(request + first, MSG_FASTOPEN, at)
    else:
        s.connect(at)
        s.sendall(first)
    return s


def ways(w):
    """Where RELAY is, and the request that it wants."""
    return (w[0], int(w[1])), message(connect(w[2], int(w[3]))) if len(w) == 4 else b""


def reach(w, first):
    s = once(*ways(w), first)
    assert len(w) == 2 or take(s) == {}
    return s


def pull(n, *relay):
    begin, left = time.monotonic(), int(n)
    s = reach(relay, struct.pack("!Q", left))
    while left:
        got = len(s.recv(1 << 20))
        assert got, "ended before its time"
        left -= got
    print("%.0f" % (int(n) * 8e-6 / (time.monotonic() - begin)))


def push(n, *relay):
    begin, left, zeros = time.monotonic(), int(n), bytes(1 << 20)
    s = reach(relay, struct.pack("!Q", left))
    while left:
        left -= s.send(zeros[:min(left, len(zeros))])
    exactly(s, 1)
    print("%.0f" % (int(n) * 8e-6 / (time.monotonic() - begin)))


def calls(seconds, at_once, *relay):
    begin = time.monotonic()
    ends = begin + float(seconds)
    pipes, (at, request) = [], ways(relay)
    reply = message() if request else b""  # nothing is parsed here: the clients' work is not what is measured
    for _ in range(int(at_once)):
        r, w = os.pipe()
        if not os.fork():
            n = 0
            while time.monotonic() < ends:
                s = once(at, request, b"x" * 64)
                exactly(s, len(reply) + 64)
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


def sink(*at):
    room, s = bytearray(1 << 20), listen(*at)
    while True:
        c, _ = s.accept()
        left = struct.unpack("!Q", exactly(c, 8))[0]
        while left:
            left -= c.recv_into(room, min(left, len(room)))
        c.sendall(b"x")
        c.close()


def echo(*at):
    s = listen(*at)
    while True:
        c, _ = s.accept()
        c.sendall(exactly(c, 64))
        c.close()


if __name__ == "__main__":
    words = sys.argv[2:-1] if PROTOCOL else sys.argv[2:]
    {"pour": pour, "sink": sink, "echo": echo, "pull": pull, "push": push, "calls": calls}[sys.argv[1]](*words)
