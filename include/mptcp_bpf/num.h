/* SPDX-License-Identifier: GPL-2.0-only */
/* Non-negative numbers of 32 significant bits, for formulas whose terms span more than 64 bits of fixed point: cwnd / rtt^2 alone spans 2^50. An operation cuts
 * off less than 2^-30 of its result, nothing overflows, what is above 0 stays above 0, and x / 0 is 0.
 * For BPF they are global functions: the verifier looks at each once, and its caller sees a number of which it need not follow the branches. */
#ifndef MPTCP_BPF_NUM_H
#define MPTCP_BPF_NUM_H

#include <linux/types.h>

#ifdef __bpf__
#define MPB_GLOBAL __attribute__((noinline))
#else
#define MPB_GLOBAL static inline
#endif

/* m * 2^e: m in the low half, its highest bit set, and e in the high half. 0 is 0. */
typedef __u64 mpb_num;

static inline __u32 mpb_mantissa(mpb_num a)
{
	return a;
}

static inline __s32 mpb_exponent(mpb_num a)
{
	return (__s32)(a >> 32);
}

/* v * 2^e. Without __builtin_clzll(), which clang 14 cannot compile for BPF. */
MPB_GLOBAL mpb_num mpb_scaled(__u64 v, __s32 e)
{
	if (!v)
		return 0;
	e += 32;
	for (__s32 by = 32; by; by >>= 1) {
		if (v >> (64 - by))
			continue;
		v <<= by;
		e -= by;
	}
	return (mpb_num)(__u32)e << 32 | v >> 32;
}

static inline mpb_num mpb_number(__u64 v)
{
	return mpb_scaled(v, 0);
}

static inline mpb_num mpb_mul(mpb_num a, mpb_num b)
{
	return mpb_scaled((__u64)mpb_mantissa(a) * mpb_mantissa(b), mpb_exponent(a) + mpb_exponent(b));
}

MPB_GLOBAL mpb_num mpb_div(mpb_num a, mpb_num b)
{
	if (!b)
		return 0;
	return mpb_scaled(((__u64)mpb_mantissa(a) << 32) / mpb_mantissa(b), mpb_exponent(a) - mpb_exponent(b) - 32);
}

/* Is a less than b? */
MPB_GLOBAL int mpb_less(mpb_num a, mpb_num b)
{
	if (!a || !b)
		return !a && b;
	if (mpb_exponent(a) != mpb_exponent(b))
		return mpb_exponent(a) < mpb_exponent(b);
	return mpb_mantissa(a) < mpb_mantissa(b);
}

MPB_GLOBAL mpb_num mpb_max(mpb_num a, mpb_num b)
{
	return mpb_less(a, b) ? b : a;
}

MPB_GLOBAL mpb_num mpb_min(mpb_num a, mpb_num b)
{
	return mpb_less(a, b) ? a : b;
}

MPB_GLOBAL mpb_num mpb_add(mpb_num a, mpb_num b)
{
	mpb_num big = mpb_max(a, b), small = mpb_min(a, b);
	__u32 by = mpb_exponent(big) - mpb_exponent(small);
	__u64 sum = (__u64)mpb_mantissa(big) << 31;

	if (small && by < 63)
		sum += (__u64)mpb_mantissa(small) << 31 >> by;
	return mpb_scaled(sum, mpb_exponent(big) - 31);
}

/* a * 2^bits as an integer: cut off, but at least 1 where a is above 0, and at most `max`. */
MPB_GLOBAL __u64 mpb_fixed(mpb_num a, __s32 bits, __u64 max)
{
	__s32 by = mpb_exponent(a) + bits;
	__u64 v = mpb_mantissa(a);

	if (!a)
		return 0;
	if (by > 31)
		return max;
	v = by >= 0 ? v << by : by > -32 ? v >> -by : 0;
	return v > max ? max : v ? v : 1;
}

#endif
