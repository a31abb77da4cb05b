/* SPDX-License-Identifier: GPL-2.0-only */
/* Seed: one tunable more than a policy may have, in every width. */
#include <mptcp_bpf/policy.bpf.h>

#define EIGHT(_p)                                     \
	MPB_TUNE(__u64, _p##0, 0, 0, 1, "");          \
	MPB_TUNE(__u64, _p##1, 0, 0, 1, "");          \
	MPB_TUNE(__u32, _p##2, 2, 1, 3, "");          \
	MPB_TUNE_DEV(__u32, _p##3, 2, 1, 3, "");      \
	MPB_TUNE(__u16, _p##4, 7, 0, 65535, "help");  \
	MPB_TUNE_DEV(__u16, _p##5, 7, 0, 65535, "");  \
	MPB_TUNE(__u8, _p##6, 7, 0, 255, "");         \
	MPB_TUNE_DEV(__u8, _p##7, 7, 0, 255, "")

EIGHT(a);
EIGHT(b);
EIGHT(c);
EIGHT(d);
MPB_TUNE(__u8, last, 1, 0, 1, "one too many");
MPB_COUNTERS(seen);
MPB_DESCRIBE(MPB_PROBE, full, "more tunables than there may be");
