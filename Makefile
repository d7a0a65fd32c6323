# SPDX-License-Identifier: GPL-2.0-or-later
#
# early/ is built twice: by klcc into the static binary of the boot, and by the host's compiler for
# the host command, the unit tests and the sanitizers. The flags of the two never mix: dpkg's CFLAGS
# break klcc. All output lies in build/.

VERSION := $(shell sed -n '1s/^[^(]*(\([^)]*\)).*/\1/p' debian/changelog)

CC ?= cc
AR ?= ar
KLCC ?= klcc
PKG_CONFIG ?= pkg-config
CLANG_FORMAT ?= $(firstword $(shell command -v clang-format-14 clang-format) clang-format)
SHELLCHECK ?= shellcheck
prefix ?= /usr
sysconfdir ?= /etc

B := build
comma := ,

# One word and the file for each step; V=1 shows the commands.
ifeq ($(V),1)
quiet = $(2)
else
quiet = @printf '  %-7s %s\n' '$(1)' '$@'; $(2)
endif

warnings := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wundef -Wvla \
	-Wpointer-arith -Wwrite-strings -Wno-missing-field-initializers
cppflags := -DVERSION='"$(VERSION)"' -I. -Ihook

# --- the boot half

early_src := $(sort $(wildcard early/*.c))

# True when klcc takes this flag: not every architecture and compiler has each.
klcc_has = $(shell $(KLCC) $(1) -c -o /dev/null -x c /dev/null >/dev/null 2>&1 && echo '$(1)')
# As small as the compiler can: an -O of ours makes klcc drop its own flags for that, so they are
# all said here. No branch protection: the kernel enforces none on a static program, and its markers
# cost 400 bytes.
klcc_small = $(foreach flag,-Oz -fomit-frame-pointer -fno-asynchronous-unwind-tables \
	-fno-unwind-tables -mno-sse -mpreferred-stack-boundary=3 -falign-functions=1 \
	-falign-jumps=1 -falign-loops=1 -fno-jump-tables -fno-caller-saves \
	-fno-move-loop-invariants -fno-ipa-sra -fno-tree-forwprop -fno-tree-pta \
	-fno-expensive-optimizations -fno-if-conversion -fno-optimize-sibling-calls \
	-fno-forward-propagate -malign-data=abi -fwhole-program,\
	$(call klcc_has,$(flag)))
# No build ID: it would be that of the unstripped file, which knows the folder it was built in.
klcc_flags = -std=gnu11 -Os $(filter-out -Wshadow,$(warnings)) -ffunction-sections -fdata-sections \
	$(call klcc_has,-fstack-clash-protection) $(klcc_small)
# No relro: a static binary of klibc has nothing to make read-only, and asking for it pads the file
# up to a page. The small "common" page keeps .data right behind .rodata in the file; in memory it
# has a page of its own.
klcc_ldflags = -static -Wl,-z,noseparate-code -Wl,-z,norelro -Wl,-z,common-page-size=64 \
	-Wl,-z,noexecstack -Wl,--gc-sections -Wl,--build-id=none
# Asked of the compiler once, not for each object.
KLCC_FLAGS := $(klcc_flags)

STRIP ?= strip
stripflags := --strip-all -R .comment -R .note -R .note.gnu.property
static_bin := $(B)/early/vfio-early-bind

# --- the host half

CFLAGS ?= -O2 -g
host_packages := libkmod libmd libmnl mount smartcols libpci json-c libsystemd libarchive
host_cflags = -std=gnu11 $(warnings) $(shell $(PKG_CONFIG) --cflags $(host_packages))
host_libs = $(shell $(PKG_CONFIG) --libs $(host_packages))
host_cppflags := $(cppflags) -D_GNU_SOURCE
depflags := -MMD -MP

core_src := $(filter-out early/main.c,$(early_src))
hook_src := $(sort $(wildcard hook/*.c hook/*/*.c))
unit_src := $(sort $(wildcard tests/unit/test-*.c))
unit_lib := $(filter-out $(unit_src),$(sort $(wildcard tests/unit/*.c)))
unit_bin := $(unit_src:%.c=$(B)/%)
asan_bin := $(unit_src:%.c=$(B)/asan/%)
fakefs := $(B)/tests/tree/fakefs

.PHONY: all check test-suites check-boot check-static check-unit check-asan check-hook \
	check-hook-asan check-host check-host-asan check-changes \
	check-changes-asan check-tree check-cmdline check-cmdline-roots check-builders \
	check-fault check-fault-host check-fuzz fuzz check-coverage coverage \
	check-package check-packaging check-cross test bench demo \
	lint format deb install clean
.DELETE_ON_ERROR:
.SECONDARY:

# Each lies beside the code that it is about.
man_src := $(wildcard early/*.scd hook/*.scd hook/*/*.scd scripts/*.scd)
man_pages := $(patsubst %.scd,$(B)/man/%,$(notdir $(man_src)))

all: $(static_bin) $(B)/vfio-early $(man_pages)

$(man_pages): $(B)/man/%: $(man_src) Makefile
	@mkdir -p $(@D)
	$(call quiet,SCDOC,scdoc <$(filter %/$*.scd,$(man_src)) >$@)

# All rooms as one unit: what one place alone calls is then the compiler's to inline or to fit to
# it.
# That they keep to their walls is seen where they are compiled one by one, for the host.
$(B)/klibc/early.c: $(early_src) Makefile
	@mkdir -p $(@D)
	@printf '#include "%s"\n' $(early_src) >$@

$(B)/klibc/early.o: $(B)/klibc/early.c $(wildcard early/*.h) debian/changelog
	$(call quiet,KLCC,$(KLCC) $(KLCC_FLAGS) $(cppflags) -c -o $@ $<)

# klcc's objects have debugging information by default: strip as klibc strips its own programs.
$(static_bin): $(B)/klibc/early.o
	@mkdir -p $(@D)
	$(call quiet,LD,$(KLCC) $(KLCC_FLAGS) $(klcc_ldflags) -o $@.full $<)
	$(call quiet,STRIP,$(STRIP) $(stripflags) -o $@ $@.full)

$(B)/%.o: %.c Makefile debian/changelog
	@mkdir -p $(@D)
	$(call quiet,CC,$(CC) $(host_cflags) $(CFLAGS) $(CPPFLAGS) $(host_cppflags) $(depflags) \
		-c -o $@ $<)

$(B)/early/libearly.a: $(core_src:%.c=$(B)/%.o)
	@rm -f $@
	$(call quiet,AR,$(AR) rcs $@ $^)

# The command without its main, for the unit tests.
$(B)/hook/libhook.a: $(patsubst %.c,$(B)/%.o,$(filter-out hook/main.c,$(hook_src)))
	@rm -f $@
	$(call quiet,AR,$(AR) rcs $@ $^)

$(B)/vfio-early: $(B)/hook/main.o $(B)/hook/libhook.a $(B)/early/libearly.a
	$(call quiet,LD,$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(host_libs))

# --- tests

# Longest first, so that none is left alone at the end.
check_suites := fault-host changes fault lint cmdline host tree hook unit static
# The same again under sanitizers, and what only time finds: not for every edit.
long_suites := builders cmdline-roots package fuzz packaging asan changes-asan hook-asan host-asan \
	coverage

check-package: deb
	tests/package/run

check-packaging:
	tests/packaging/run

# By hand: minutes, as everything in it runs in an emulator.
check-cross:
	tests/cross/run

check-boot: deb
	tests/boot/run

test:
	tests/setup
	@$(MAKE) --no-print-directory -j2 test-suites

demo:
	tests/setup
	$(MAKE) deb
	tests/boot/demo

check-static: $(static_bin)
	tests/static $(static_bin)

check-unit: $(unit_bin)
	tests/unit/run $(unit_bin)

check-asan: $(asan_bin)
	tests/unit/run $(asan_bin)

check-hook: all
	tests/hook/run

check-hook-asan: $(B)/asan/vfio-early
	tests/hook/run $<

check-host: all
	tests/host/run

check-host-asan: $(B)/asan/vfio-early
	tests/host/run --command $<

check-changes: all
	tests/host/changes/run

check-changes-asan: all $(B)/asan/vfio-early
	tests/host/changes/run $(B)/asan/vfio-early

bench:
	tests/setup
	$(MAKE) all deb
	tests/bench/run

check-cmdline: all
	tests/cmdline/run

check-cmdline-roots: all
	tests/cmdline/roots

check-builders: deb
	tests/builders/run

check-tree: all $(fakefs)
	tests/tree/run

check-fault: $(static_bin) $(fakefs)
	tests/fault/run $(FAULT)

check-fault-host: all
	tests/fault/host $(FAULT)

$(B)/tests/tree/%.o: host_packages := fuse3

$(fakefs): $(patsubst %.c,$(B)/%.o,$(wildcard tests/tree/*.c))
	$(call quiet,LD,$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(shell $(PKG_CONFIG) --libs fuse3))

# Calls that a test makes fail.
$(B)/%/test-act: wrap_flags := $(foreach call,pipe2 fork poll waitpid readlinkat,\
	-Wl$(comma)--wrap=$(call))

$(B)/tests/unit/test-%: $(B)/tests/unit/test-%.o $(unit_lib:%.c=$(B)/%.o) $(B)/hook/libhook.a \
		$(B)/early/libearly.a
	$(call quiet,LD,$(CC) $(CFLAGS) $(LDFLAGS) $(wrap_flags) -o $@ $^ -lcmocka $(host_libs))

sanitize := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer

$(B)/asan/%.o: %.c Makefile debian/changelog
	@mkdir -p $(@D)
	$(call quiet,CC,$(CC) $(host_cflags) $(sanitize) $(host_cppflags) $(depflags) -c -o $@ $<)

$(B)/asan/libcore.a: $(patsubst %.c,$(B)/asan/%.o,$(filter-out hook/main.c,$(hook_src)) $(core_src))
	@rm -f $@
	$(call quiet,AR,$(AR) rcs $@ $^)

$(B)/asan/vfio-early: $(B)/asan/hook/main.o $(B)/asan/libcore.a
	$(call quiet,LD,$(CC) $(sanitize) -o $@ $^ $(host_libs))

# Line coverage of early/ by the unit tests and tests/tree, with a build of the host's compiler in
# which everything that early/ does is counted.
cover := -O0 -g --coverage -fprofile-update=atomic
cover_ldflags := -Wl,--wrap=_exit
cover_bin := $(unit_src:%.c=$(B)/cover/%) $(B)/cover/vfio-early-bind

check-coverage coverage: $(cover_bin) $(fakefs)
	tests/coverage/run $(cover_bin)

$(B)/cover/early/%.o: early/%.c Makefile debian/changelog
	@mkdir -p $(@D)
	$(call quiet,CC,$(CC) $(host_cflags) $(cover) $(host_cppflags) $(depflags) -c -o $@ $<)

$(B)/cover/vfio-early-bind: $(early_src:%.c=$(B)/cover/%.o) $(B)/tests/coverage/exit.o
	$(call quiet,LD,$(CC) $(cover) $(cover_ldflags) -o $@ $^)

$(B)/cover/tests/unit/test-%: $(B)/tests/unit/test-%.o $(unit_lib:%.c=$(B)/%.o) \
		$(B)/hook/libhook.a $(core_src:%.c=$(B)/cover/%.o) $(B)/tests/coverage/exit.o
	@mkdir -p $(@D)
	$(call quiet,LD,$(CC) $(cover) $(cover_ldflags) $(wrap_flags) -o $@ $^ -lcmocka \
		$(host_libs))

# clang's libFuzzer; each finds what it can in so many seconds.
CLANG ?= clang
SECONDS ?= 5
fuzz_flags := -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all \
	-fno-omit-frame-pointer
fuzzers := $(patsubst tests/fuzz/%.c,$(B)/fuzz/%,$(sort $(wildcard tests/fuzz/fuzz-*.c)))

check-fuzz fuzz: $(fuzzers)
	tests/fuzz/run $(SECONDS) $^

$(B)/fuzz/%.o: %.c Makefile debian/changelog
	@mkdir -p $(@D)
	$(call quiet,CLANG,$(CLANG) $(host_cflags) $(fuzz_flags) $(host_cppflags) $(depflags) \
		-c -o $@ $<)

$(B)/fuzz/libcore.a: $(patsubst %.c,$(B)/fuzz/%.o,$(filter-out hook/main.c,$(hook_src)) $(core_src))
	@rm -f $@
	$(call quiet,AR,$(AR) rcs $@ $^)

$(fuzzers): $(B)/fuzz/fuzz-%: $(B)/fuzz/tests/fuzz/fuzz-%.o $(B)/fuzz/tests/fuzz/fuzz.o \
		$(B)/fuzz/libcore.a
	$(call quiet,LD,$(CLANG) $(fuzz_flags) -fsanitize=fuzzer -o $@ $^ $(host_libs))

$(B)/asan/tests/unit/test-%: $(B)/asan/tests/unit/test-%.o $(unit_lib:%.c=$(B)/asan/%.o) \
		$(B)/asan/libcore.a
	$(call quiet,LD,$(CC) $(sanitize) $(wrap_flags) -o $@ $^ -lcmocka $(host_libs))

# tests/all prints one closing line for all suites named; one that fails does not hide the others.
# It runs them side by side, so what more than one of them would build is built before.
check_needs := all $(unit_bin) $(fakefs)
long_needs := deb $(asan_bin) $(B)/asan/vfio-early $(cover_bin) $(fuzzers)

check: $(check_needs)
	tests/all $(check_suites)

test-suites: $(check_needs) $(long_needs)
	FAULT=--all tests/all $(long_suites) $(check_suites) boot

lint:
	@CC='$(CC)' CLANG_FORMAT='$(CLANG_FORMAT)' SHELLCHECK='$(SHELLCHECK)' \
		LINT_CFLAGS='$(host_cflags)' tests/lint

format:
	$(CLANG_FORMAT) -i $(wildcard early/*.[ch] hook/*.[ch] hook/*/*.[ch] tests/*/*.[ch])

# --- the package

install: all
	install -D -m 0755 $(static_bin) $(DESTDIR)$(prefix)/lib/vfio-early/vfio-early-bind
	install -D -m 0755 scripts/vfio-early-images \
		$(DESTDIR)$(prefix)/lib/vfio-early/vfio-early-images
	install -D -m 0755 $(B)/vfio-early $(DESTDIR)$(prefix)/sbin/vfio-early
	install -D -m 0755 hook/system/initramfs-tools/hooks/vfio-early \
		$(DESTDIR)$(prefix)/share/initramfs-tools/hooks/vfio-early
	install -D -m 0755 hook/system/initramfs-tools/scripts/init-top/00-vfio-early \
		$(DESTDIR)$(prefix)/share/initramfs-tools/scripts/init-top/00-vfio-early
	install -D -m 0755 -t $(DESTDIR)$(prefix)/lib/dracut/modules.d/50vfio-early \
		hook/system/dracut/50vfio-early/module-setup.sh \
		hook/system/dracut/50vfio-early/vfio-early-cmdline.sh
	install -D -m 0644 -t $(DESTDIR)$(prefix)/lib/dracut/modules.d/50vfio-early \
		hook/system/dracut/50vfio-early/vfio-early.service
	install -D -m 0644 hook/system/udev/05-vfio-early.rules \
		$(DESTDIR)$(prefix)/lib/udev/rules.d/05-vfio-early.rules
	install -D -m 0755 hook/system/initramfs/post-update.d/vfio-early \
		$(DESTDIR)$(sysconfdir)/initramfs/post-update.d/vfio-early
	install -D -m 0644 hook/system/vfio-early.conf $(DESTDIR)$(sysconfdir)/vfio-early.conf
	install -D -m 0644 -t $(DESTDIR)$(prefix)/share/man/man5 $(filter %.5,$(man_pages))
	install -D -m 0644 -t $(DESTDIR)$(prefix)/share/man/man8 $(filter %.8,$(man_pages))
	install -D -m 0755 scripts/vfio-early-cmdline $(DESTDIR)$(prefix)/sbin/vfio-early-cmdline
	install -D -m 0644 -t $(DESTDIR)$(prefix)/lib/vfio-early/cmdline scripts/cmdline/*.sh
	install -D -m 0644 scripts/completion/vfio-early \
		$(DESTDIR)$(prefix)/share/bash-completion/completions/vfio-early

deb_file := $(B)/vfio-early_$(VERSION)_$(shell dpkg --print-architecture 2>/dev/null).deb

deb: $(deb_file)
	@ls $(deb_file)

# Out of a copy: dpkg-buildpackage writes beside the tree that it builds. The flags of this make do
# not reach it, nor do the tests run there a second time.
$(deb_file): $(shell find Makefile LICENSE debian early hook $(wildcard scripts) -type f)
	rm -rf $(B)/deb
	mkdir -p $(B)/deb/vfio-early-$(VERSION)
	tar -cf - --exclude=./$(B) --exclude=./.git . | tar -xf - -C $(B)/deb/vfio-early-$(VERSION)
	cd $(B)/deb/vfio-early-$(VERSION) && env -u MAKEFLAGS -u MFLAGS -u MAKELEVEL \
		DEB_BUILD_PROFILES=nocheck DEB_BUILD_OPTIONS=nocheck dpkg-buildpackage -us -uc -b
	cp $(B)/deb/$(@F) $@

clean:
	rm -rf $(B)

# By name: the scenarios of tests/boot are also called *.d.
-include $(wildcard $(addprefix $(B)/,$(addsuffix /*.d,early hook hook/* tests/unit tests/tree) \
	$(addprefix asan/,$(addsuffix /*.d,early hook hook/* tests/unit)) \
	$(addprefix fuzz/,$(addsuffix /*.d,early hook hook/* tests/fuzz))))
