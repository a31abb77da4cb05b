/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef MPB_BENCH_AROUND_H
#define MPB_BENCH_AROUND_H

#define AROUND_BYTES 128 /* of the frame that are put back: Ethernet, IPv6, TCP with all its options */
#define AROUND_FAILED 99 /* no program was there */

#endif
