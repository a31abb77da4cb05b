/* SPDX-License-Identifier: GPL-2.0-only */
/* One packet-scheduling policy, the file POLICY, as a translation unit of its own: its description and its tunables get out, its names do not. The build
 * renames what every policy defines (-Dmpb_sched_under_test=... and the like), so that all of them link together. */
#include <stdlib.h>
#include "policy.h"

static struct sched_policy self;

#undef MPB_TUNE
#define MPB_TUNE(_type, _name, _default, _min, _max, _help)                                                             \
	static volatile _type _name = (_default);                                                                       \
	static void set_##_name(uint64_t value)                                                                         \
	{                                                                                                               \
		_name = value;                                                                                          \
	}                                                                                                               \
	__attribute__((constructor)) static void announce_##_name(void)                                                 \
	{                                                                                                               \
		if (self.ntunes == POLICY_TUNES_MAX)                                                                    \
			abort();                                                                                        \
		self.tunes[self.ntunes++] = (struct policy_tune){ #_name, set_##_name, _default, _min, _max };          \
	}                                                                                                               \
	_Static_assert((_min) <= (_default) && (_default) <= (_max), "default of " #_name)

#include POLICY

__attribute__((constructor)) static void announce(void)
{
	self.name = mpb_policy.name;
	self.native = mpb_policy.flags & MPB_NATIVE;
	self.ops = &mpb_sched_under_test;
	sched_policy(&self);
}
