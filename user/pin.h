/* SPDX-License-Identifier: GPL-2.0-only */
/* Where the state lives: pins under /sys/fs/bpf/mptcp-bpf/, in the mount namespace of PID 1.
 *   global/observe/   the observer: its link, its maps
 *   global/cc/NAME/   a congestion control: ops (the registered map), link (where the kernel has them), policy, tune, groups
 *   COOKIE/           a network namespace: conns, subflows, clsact/IFINDEX (markers)
 *   COOKIE/opt/NAME/  a loaded policy: policy, tune, counts, devtune, progs/, at/N/ (the links of one load)
 *   COOKIE/cc/NAME/   the namespace uses this congestion control; default: a symbolic link to the name of the default before it
 * A directory whose name begins with '+' is not committed: what a call that was killed leaves behind. */
#ifndef MPB_PIN_H
#define MPB_PIN_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#define PIN_ROOT "/sys/fs/bpf"
#define PIN_BASE PIN_ROOT "/mptcp-bpf"
#define PIN_GLOBAL PIN_BASE "/global"

/* Makes sure of bpffs (mounting it where it is missing) and takes the lock that serialises all changes; the lock is let go at exit. From here on
 * signals wait, but SIGKILL. */
int pin_begin(void);
void pin_end(void); /* lets the lock go before; signals go on waiting */

/* Is there a bpffs? For calls that only read. */
bool pin_present(void);

int pin_mkdir(const char *path);          /* with its parents, below PIN_ROOT */
int pin_remove(const char *path);         /* a pin or a directory with all below it; 0 if it is not there */
void pin_remove_empty(const char *path);  /* an empty directory, else nothing */
int pin_commit(const char *from, const char *to);
bool pin_exists(const char *path);

/* Calls each(name, arg) for every entry but uncommitted ones ('+'), or only for those. Stops at the first non-zero and returns it. */
int pin_each(const char *dir, bool uncommitted, int (*each)(const char *name, void *arg), void *arg);

/* snprintf into a buffer of PATH_MAX; returns it. */
char *pin_path(char *buf, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
