/* SPDX-License-Identifier: GPL-2.0-only */
/* One option policy, the file POLICY, as a translation unit of its own in the fuzzer: its table and its tunables get out, its names do not. The build
 * renames what every policy defines (-Dmpb_opt_under_test=... and the like), so that all of them link together. */
#include "option.h"

static struct fuzz_policy self;

#undef MPB_TUNE
#undef MPB_TUNE_DEV
#define MPB_TUNE(_type, _name, _default, _min, _max, _help)                                                             \
	static volatile _type _name = (_default);                                                                       \
	static void set_##_name(uint64_t value)                                                                         \
	{                                                                                                               \
		_name = value;                                                                                          \
	}                                                                                                               \
	__attribute__((constructor)) static void announce_##_name(void)                                                 \
	{                                                                                                               \
		FUZZ_ASSERT(self.ntunes < FUZZ_TUNES_MAX);                                                              \
		self.tunes[self.ntunes++] = (struct fuzz_tune){ set_##_name, _default, _min, _max };                    \
	}                                                                                                               \
	_Static_assert((_min) <= (_default) && (_default) <= (_max), "default of " #_name)
#define MPB_TUNE_DEV MPB_TUNE

#include POLICY

__attribute__((constructor)) static void announce(void)
{
	self.name = mpb_policy.name;
	self.ops = &mpb_opt_under_test;
	self.ncounters = mpb_ncounters;
	fuzz_policy(&self);
}
