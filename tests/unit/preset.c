/* SPDX-License-Identifier: GPL-2.0-only */
/* Presets: each names an embedded scheduler and settings that it has, in their ranges; what the caller sets prevails. */
#include <errno.h>
#include <mptcp_bpf/policy.h>
#include "said.h"
#include "policy.h"
#include "preset.h"
#include "tunable.h"

static struct load_args l;

static void every_preset_fits(void **unused)
{
	(void)unused;
	assert_true(npresets > 0);
	for (size_t i = 0; i < npresets; i++) {
		const struct tunable *t;
		struct policy p;
		uint64_t value;

		assert_ptr_equal(preset_find(presets[i].name), &presets[i]);
		assert_false(policy_is_path(presets[i].name));
		memset(&l, 0, sizeof(l));
		l.policy = presets[i].name;
		assert_int_equal(preset_expand(&l), 0);
		assert_string_equal(l.policy, presets[i].policy);
		assert_int_equal(policy_open(l.policy, &p), 0);
		assert_int_equal(p.desc.policy.kind, MPB_SCHED);
		for (int k = 0; k < l.nsettings; k++)
			assert_int_equal(tunable_match(&p.desc, &l.settings[k], &t, &value), 0);
		policy_close(&p);
	}
}

static void none_shadows_a_policy(void **unused)
{
	struct policy p;

	(void)unused;
	for (size_t i = 0; i < npresets; i++) {
		assert_int_not_equal(policy_open(presets[i].name, &p), 0);
		err_clear();
	}
}

static void the_caller_prevails(void **unused)
{
	(void)unused;
	memset(&l, 0, sizeof(l));
	l.policy = "handover";
	assert_int_equal(setting_parse("return_ms=7", &l.settings[l.nsettings++]), 0);
	assert_int_equal(preset_expand(&l), 0);
	assert_int_equal(l.nsettings, 2);
	assert_string_equal(l.settings[0].value, "5000");
	assert_string_equal(l.settings[1].value, "7"); /* set later */
}

static void others_stay(void **unused)
{
	(void)unused;
	memset(&l, 0, sizeof(l));
	l.policy = "minrtt";
	assert_int_equal(preset_expand(&l), 0);
	assert_string_equal(l.policy, "minrtt");
	assert_int_equal(l.nsettings, 0);
	assert_null(preset_find(""));
	assert_null(preset_find("handove"));
}

static void no_room(void **unused)
{
	(void)unused;
	memset(&l, 0, sizeof(l));
	l.policy = "handover";
	l.nsettings = COUNT(l.settings);
	assert_int_equal(preset_expand(&l), -EINVAL);
	err_clear();
}

UNIT_MAIN(cmocka_unit_test(every_preset_fits), cmocka_unit_test(none_shadows_a_policy), cmocka_unit_test(the_caller_prevails), cmocka_unit_test(others_stay),
	  cmocka_unit_test(no_room))
