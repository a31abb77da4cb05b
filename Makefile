# SPDX-License-Identifier: GPL-2.0-only
#   make            the binary build/mptcp-bpf and every policy object
#   make demo       set up this machine, build, and show a real transfer over two paths
#   make test       set up this machine, build, and run every test (as root)
#   make test-kernels  the tests that meet the kernel on Debian's 6.1, 6.12 and newest under QEMU, and here (KERNELS="6.1 …", ONLY=PATTERN)
#   make bench      what is fast and how fast, next to the last that was kept (ONLY=PATTERN, SAVE=1 keeps this): docs/benchmarks.md
#   make cost       bytes and verified instructions of every policy, next to the last that were kept (SAVE=1 keeps these)
#   make install    DESTDIR= PREFIX=/usr/local
#   make test-package  the Debian package: built, checked, installed, used and purged in a bare Debian 13
# V=1 shows commands; SAN=1 builds the controller with ASan and UBSan; WERROR=1 makes warnings errors.

VERSION := 0.1
PREFIX ?= /usr/local
CLANG ?= clang
LLVM_STRIP ?= llvm-strip
LLVM_OBJCOPY ?= llvm-objcopy
Q := $(if $(V),,@)
B := build

WARN := -Wall -Wextra -Wshadow -Wmissing-prototypes -Wformat=2 $(if $(WERROR),-Werror)
MAP := -ffile-prefix-map=$(CURDIR)=.
BPF_FLAGS := -g -O2 -target bpf -mcpu=v3 -Wall -Wextra -Wno-unused-parameter # `mptcp-bpf build` has them too
CPPFLAGS := -Iinclude -Iuser -DMPB_VERSION='"$(VERSION)"' -DMPB_BPF_FLAGS='"$(strip $(BPF_FLAGS))"'
CFLAGS := -std=gnu11 -g -O2 $(WARN) $(MAP) $(if $(SAN),-fsanitize=address -fsanitize=undefined -fno-omit-frame-pointer)
LIBS := libbpf libxdp libmnl jansson yaml-0.1 libmicrohttpd
LINK := $(LIBS) ncursesw # whose compiler flags choose a dialect of C: not wanted
BPF_CFLAGS := $(BPF_FLAGS) $(if $(WERROR),-Werror) $(MAP) \
	-Iinclude -Ibpf/lib -idirafter /usr/include/$(shell uname -m)-linux-gnu

POLICIES := $(sort $(wildcard bpf/sched/*.bpf.c bpf/cc/*.bpf.c bpf/opt/*.bpf.c bpf/guard/*.bpf.c bpf/probe/*.bpf.c bpf/run/*.bpf.c))
OBJS := $(POLICIES:%.bpf.c=$(B)/%.bpf.o)
USER := $(sort $(wildcard user/*.c user/convert/*.c))
UOBJ := $(USER:%.c=$(B)/%.o) $(B)/catalog.o

all: $(B)/mptcp-bpf

# What the lab, the demo and the tests need besides.
tools: $(B)/relay $(B)/tests/mpio $(B)/tests/kernel/craft $(B)/tests/kernel/flow $(B)/tests/types $(B)/tests/foreign $(B)/tests/tools/foreign.bpf.o $(B)/tests/refuse.so

# The floors, said before the compiler says it worse.
$(B)/.deps: Makefile
	$(Q)mkdir -p $(@D)
	$(Q)for need in "libbpf 1.4" "libxdp 1.3" "libmnl 1.0" "jansson 2.12" "yaml-0.1 0.2" "libmicrohttpd 0.9.71" "ncursesw 6"; do set -- $$need; pkg-config --atleast-version=$$2 $$1 || { \
		echo "mptcp-bpf: $$1 >= $$2 is needed, found $$(pkg-config --modversion $$1 2>/dev/null || echo none)" >&2; \
		echo "hint: scripts/setup installs what is missing" >&2; exit 1; }; done
	$(Q)touch $@

# Relocations of BTF are for linkers; libbpf takes the symbols instead.
$(B)/%.bpf.o: %.bpf.c $(B)/.deps
	$(Q)mkdir -p $(@D)
	$(Q)$(CLANG) $(BPF_CFLAGS) -MMD -MP -MT $@ -MF $(@:.o=.d) -c $< -o $@.tmp
	$(Q)$(LLVM_STRIP) -g $@.tmp
	$(Q)$(LLVM_OBJCOPY) --remove-section .rel.BTF --remove-section .rel.BTF.ext $@.tmp $@ && rm $@.tmp

# Every object, between two labels; the table ends with zeros.
$(B)/catalog.S: $(OBJS)
	$(Q){ echo '.section .rodata,"a"'; n=0; for o in $^; do echo ".balign 16"; echo "o$$n: .incbin \"$$o\""; echo "e$$n: .byte 0"; n=$$((n+1)); done; \
	echo '.section .data.rel.ro,"aw"'; echo ".globl mpb_catalog"; echo ".balign 8"; echo "mpb_catalog:"; \
	i=0; while [ $$i -lt $$n ]; do echo ".quad o$$i, e$$i"; i=$$((i+1)); done; echo ".quad 0, 0"; \
	echo '.section .note.GNU-stack,"",%progbits'; } > $@

$(B)/catalog.o: $(B)/catalog.S
	$(Q)$(CC) $(MAP) -c $< -o $@

$(B)/user/%.o: user/%.c $(B)/.deps
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) $(shell pkg-config --cflags $(LIBS)) -MMD -MP -c $< -o $@

$(B)/mptcp-bpf: $(UOBJ)
	$(Q)$(CC) $(CFLAGS) -o $@ $^ $(shell pkg-config --libs $(LINK))

$(B)/relay: scripts/relay.c
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) -o $@ $<

$(B)/tests/mpio: $(sort $(wildcard tests/tools/mpio*.c)) $(wildcard tests/tools/mpio*.h)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) -o $@ $(filter %.c,$^) -lpthread -lm

$(B)/tests/kernel/%: tests/kernel/%.c
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) -o $@ $<

$(B)/tests/types $(B)/tests/foreign: $(B)/tests/%: tests/tools/%.c
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) -o $@ $< $(shell pkg-config --cflags --libs libxdp libbpf)

$(B)/tests/%.so: tests/tools/%.c
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) $(CFLAGS) -shared -fPIC -o $@ $<

demo: setup
	$(Q)$(MAKE) all tools
	$(Q)scripts/demo

setup:
	$(Q)scripts/setup

install: all
	$(Q)install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/include/mptcp_bpf $(DESTDIR)$(PREFIX)/share/man/man8 \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions $(DESTDIR)$(PREFIX)/share/doc/mptcp-bpf/examples \
		$(DESTDIR)$(PREFIX)/lib/systemd/system
	$(Q)install -m 755 $(B)/mptcp-bpf $(DESTDIR)$(PREFIX)/bin/
	$(Q)install -m 644 include/mptcp_bpf/*.h bpf/lib/mptcp_bpf/*.h $(DESTDIR)$(PREFIX)/include/mptcp_bpf/
	$(Q)install -m 644 examples/*.bpf.c $(DESTDIR)$(PREFIX)/share/doc/mptcp-bpf/examples/
	$(Q)install -m 644 dist/grafana.json $(DESTDIR)$(PREFIX)/share/doc/mptcp-bpf/
	$(Q)install -m 644 man/mptcp-bpf.8 $(DESTDIR)$(PREFIX)/share/man/man8/
	$(Q)install -m 644 completion/mptcp-bpf.bash $(DESTDIR)$(PREFIX)/share/bash-completion/completions/mptcp-bpf
	$(Q)install -m 644 systemd/mptcp-bpf@.service systemd/mptcp-bpf-agent.service $(DESTDIR)$(PREFIX)/lib/systemd/system/

clean:
	$(Q)rm -rf $(B)

.PHONY: all tools clean cost demo setup lint test test-kernels test-package tests install
include tests/rules.mk tests/bench/rules.mk

.DELETE_ON_ERROR:
-include $(shell find $(B) -name '*.d' 2>/dev/null)
