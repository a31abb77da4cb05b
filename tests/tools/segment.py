#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""segment.py DEV PORT out|in FILE SKIP: a data segment to or from this port, behind so many bytes of payload, as it is seen on the device; cut to what a frame of 1500 bytes holds,
since the kernel's test runs take little more."""
import socket, struct, sys

dev, port, way, path, skip = sys.argv[1], int(sys.argv[2]), sys.argv[3], sys.argv[4], int(sys.argv[5])
s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
s.setsockopt(socket.SOL_SOCKET, 33, 64 << 20)  # SO_RCVBUFFORCE
s.bind((dev, 0))
s.settimeout(60)
print("listening", file=sys.stderr, flush=True)
while True:
    frame, address = s.recvfrom(1 << 17)
    if address[1] != 0x0800 or frame[23] != 6 or (address[2] == socket.PACKET_OUTGOING) != (way == "out"):
        continue
    payload = len(frame) - 34 - (frame[46] >> 4) * 4
    if struct.unpack("!HH", frame[34:38])[way == "out"] != port or payload <= 0:
        continue
    skip -= payload
    if skip < 0:
        break
frame = frame[:1514]
with open(path, "wb") as f:
    f.write(frame[:16] + struct.pack("!H", len(frame) - 14) + frame[18:])
