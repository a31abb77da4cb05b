/* SPDX-License-Identifier: GPL-2.0-only */
/* The programs that watch subflows being born, faring and ending in all namespaces, and their registries by namespace cookie. */
#ifndef MPB_OBSERVER_H
#define MPB_OBSERVER_H

#include <stdint.h>

int observer_start(void);  /* nothing to do where it runs */
int observer_stop(void);   /* only when no namespace is registered */
int observer_sweep(void);  /* what a killed call left */
int observer_map(const char *name); /* a descriptor, or -1 and errno */

/* Enter a namespace into one of the registries (a map's descriptor, a struct mpb_ns, or a struct mpb_terms_counts), or take it out. The observer looks at mpb_ns
 * first: that one is entered last and taken out first. */
int observer_register(uint64_t cookie, const char *name, const void *value);
void observer_unregister(uint64_t cookie, const char *name);

/* The same for maps, all at once: each change of a map of maps waits for an RCU grace period (maybe_wait_bpf_programs), ten milliseconds and more. */
struct registration {
	const char *registry;
	int map;
};
int observer_register_maps(uint64_t cookie, const struct registration *r, int n);
void observer_unregister_maps(uint64_t cookie, const struct registration *r, int n);

#endif
