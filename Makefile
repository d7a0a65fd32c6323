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

# WORDS=codes: a build of its own in which every sentence is replaced by its code (early/code.h), as
# proof that nothing reads a sentence.
B := $(if $(filter codes,$(WORDS)),build/codes,build)
comma := ,

# What both halves are called: known to one object of each, so that a new version compiles one file.
version_objects := $(patsubst %,$(B)/%/version.o,klibc early asan/early cover/early fuzz/early)

# One word and the file for each step; V=1 shows the commands, make -s nothing.
ifeq ($(V),1)
quiet = $(2)
else ifneq (,$(findstring s,$(firstword -$(MAKEFLAGS))))
quiet = @$(2)
else
quiet = @printf '  %-7s %s\n' '$(1)' '$@'; $(2)
endif

warnings := -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wundef -Wvla \
	-Wpointer-arith -Wwrite-strings -Wformat-security -Wno-missing-field-initializers
cppflags := -I. -Ihook
ifeq ($(WORDS),codes)
cppflags += -DWORDS_ARE_CODES
# A code says less than its sentence.
warnings += -Wno-format-extra-args
# Nobody keeps it. Without optimization the compiler guesses at lengths.
CFLAGS ?= -O0
warnings += -Wno-format-truncation
endif

# --- the boot half

early_src := $(sort $(wildcard early/*.c))

# The flag, when klcc takes it: not every architecture and compiler has each.
klcc_has = $(shell $(KLCC) $(1) -c -o /dev/null -x c /dev/null >/dev/null 2>&1 && echo '$(1)')
# As small as the compiler can: an -O of ours makes klcc drop its own flags for that, so they are
# all said here. No branch protection: the kernel enforces none on a static program, and its markers
# cost 400 bytes.
klcc_small = $(foreach flag,-Oz -fomit-frame-pointer -fno-asynchronous-unwind-tables \
	-fno-unwind-tables -mno-sse -mpreferred-stack-boundary=3 -falign-functions=1 \
	-falign-jumps=1 -falign-loops=1 -fno-jump-tables -fno-caller-saves -fshort-enums \
	-fno-move-loop-invariants -fno-ipa-sra -fno-ipa-modref -fno-tree-fre \
	-fno-tree-forwprop -fno-tree-pta \
	-fno-expensive-optimizations -fno-if-conversion -fno-optimize-sibling-calls \
	-fno-forward-propagate -fno-inline-functions-called-once -fno-ssa-phiopt \
	-fno-cse-follow-jumps -fira-region=all -fno-tree-loop-im -fno-tree-dominator-opts \
	-fno-tree-tail-merge -fno-shrink-wrap -mskip-rax-setup -malign-data=abi \
	-mcmodel=tiny -fwhole-program,\
	$(call klcc_has,$(flag)))
# No build ID: it would be that of the unstripped file, which knows the folder it was built in.
# A parameter that only says whose root it is has no use here (SYSFS_ROOT).
klcc_flags = -std=gnu11 -Os $(filter-out -Wshadow,$(warnings)) -Wno-unused-parameter \
	-ffunction-sections -fdata-sections \
	$(call klcc_has,-fstack-clash-protection) $(klcc_small)
# No relro: a static binary of klibc has nothing to make read-only, and asking for it pads the file
# up to a page. The small "common" page keeps .data right behind .rodata in the file; in memory it
# has a page of its own.
klcc_ldflags = -static -Wl,-z,noseparate-code -Wl,-z,norelro -Wl,-z,common-page-size=64 \
	-Wl,-z,noexecstack -Wl,--gc-sections -Wl,--build-id=none
# Asked of the compiler once, and kept.
klcc_flags_file := $(B)/klibc/flags
KLCC_FLAGS = $(strip $(file <$(klcc_flags_file)))

STRIP ?= strip
# Nothing reads the table of sections at boot, and it costs 350 bytes. binutils from 2.41 can do
# without.
no_sections := --strip-section-headers
strip_headers = $(if $(findstring $(no_sections),$(shell $(STRIP) --help)),$(no_sections))
stripflags := --strip-all -R .comment -R .note -R .note.gnu.property $(strip_headers)
static_bin := $(B)/early/vfio-early-bind

# --- the host half

CFLAGS ?= -O2 -g
host_packages := libkmod libmd libmnl mount smartcols libpci json-c libsystemd libarchive
# once NAME,COMMAND: what COMMAND prints; runs it when first asked for.
once = $(or $(once_$(1)),$(eval once_$(1) := $(shell $(2)))$(once_$(1)))
host_cflags = -std=gnu11 $(warnings) $(call once,cflags,$(PKG_CONFIG) --cflags $(host_packages))
host_libs = $(call once,libs,$(PKG_CONFIG) --libs $(host_packages))
host_cppflags := $(cppflags) -D_GNU_SOURCE
depflags := -MMD -MP

core_src := $(filter-out early/main.c,$(early_src))
hook_src := $(sort $(wildcard hook/*.c hook/*/*.c))
unit_src := $(sort $(wildcard tests/unit/test-*.c))
unit_lib := $(filter-out $(unit_src),$(sort $(wildcard tests/unit/*.c)))
unit_bin := $(unit_src:%.c=$(B)/%)
asan_bin := $(unit_src:%.c=$(B)/asan/%)
fakefs := $(B)/tests/tree/fakefs
fault_host := $(B)/tests/fault/host

.PHONY: all help setup test demo demo-root demo-deb bench check test-suites lint format deb \
	install uninstall clean completion-table picture \
	fuzz coverage FORCE $(addprefix check-,static unit asan hook hook-asan host host-asan \
	report fixes changes changes-asan tree fault fault-host fuzz coverage cmdline \
	cmdline-roots builders completion package packaging kernel next boot cross)
.DELETE_ON_ERROR:
.SECONDARY:

# Each lies beside the code that it is about.
man_src := $(wildcard early/*.scd hook/*.scd hook/*/*.scd scripts/*.scd)
man_pages := $(patsubst %.scd,$(B)/man/%,$(notdir $(man_src)))

# For each shell, all from one table. fish looks for a file of each program.
completion := $(addprefix $(B)/completion/,bash zsh vfio-early.fish vfio-early-cmdline.fish)

all: $(static_bin) $(B)/vfio-early $(B)/vfio-early-cmdline
all: $(man_pages) $(completion) ## both halves and the man pages, in build/

help: ## this list
	@awk -F ':.*## ' '/^[a-z][a-z -]*:.*## / { printf "make %-20s %s\n", $$1, $$2 }' Makefile
	@echo 'V=1 shows every command and what it says.'

# scdoc begins a paragraph behind each heading and before each end of an indent; mandoc warns of
# those, as they are empty. A page that has a table says so in its first line: man(1) runs tbl(1)
# by it where nothing else asks for it. A cell of one word is no text block, whose width tbl chooses
# without a look at it: a long code would not fit.
man_table := awk '{ line[NR] = $$0 } /^\.TS/ { has_table = 1 } \
	END { \
		if (has_table) print "\047\\\" t"; \
		for (i = 1; i <= NR; i++) { \
			text = line[i]; \
			while (text ~ /T\{$$/ && line[i + 1] !~ / / && line[i + 2] ~ /^T\}/) { \
				sub(/T\{$$/, "", text); \
				text = text line[i + 1] substr(line[i + 2], 3); \
				i += 2 \
			} \
			print text \
		} \
	}'
man_tidy := awk '/^\.PP?$$/ { due = !heading; next } \
	/^\.(SH|SS|TH)/ { due = 0; heading = 1; print; next } \
	/^\.RE$$/ { print; next } \
	{ if (due) print ".PP"; due = heading = 0; print }'

$(man_pages): $(B)/man/%: $(man_src) Makefile
	@mkdir -p $(@D)
	$(call quiet,SCDOC,scdoc <$(filter %/$*.scd,$(man_src)) >$(B)/$*.roff && \
		$(man_tidy) <$(B)/$*.roff | $(man_table) >$@ && [ -s $@ ])

$(completion): $(wildcard scripts/completion/*) Makefile
	@mkdir -p $(@D)
	$(call quiet,AWK,awk -v shell=$(or $(patsubst .%,%,$(suffix $@)),$(@F)) \
		-v only=$(if $(suffix $@),$(basename $(@F))) -v values=$(libdir)/complete \
		-f scripts/completion/generate.awk scripts/completion/table \
		scripts/completion/$(or $(patsubst .%,%,$(suffix $@)),$(@F)) >$@)

completion-table: all ## after a change of commands or options: what the shells complete
	tests/completion/table >$(B)/completion/table
	cp $(B)/completion/table scripts/completion/table

# The file is written only when it says something else.
$(B)/version: FORCE
	@mkdir -p $(@D)
	@echo '$(VERSION)' | cmp -s - $@ || echo '$(VERSION)' >$@

$(version_objects): $(B)/version
$(version_objects): host_cppflags += -DVERSION='"$(VERSION)"'

$(klcc_flags_file): Makefile
	@mkdir -p $(@D)
	@echo '$(strip $(klcc_flags))' >$@

# All rooms as one unit: what one place alone calls is then the compiler's to inline or to fit to
# it.
# That they keep to their walls is seen where they are compiled one by one, for the host.
$(B)/klibc/early.c: $(early_src) Makefile
	@mkdir -p $(@D)
	@printf '#include "%s"\n' $(filter-out early/version.c,$(early_src)) >$@

$(B)/klibc/early.o: $(B)/klibc/early.c $(wildcard early/*.h) $(klcc_flags_file)
	$(call quiet,KLCC,$(KLCC) $(KLCC_FLAGS) $(cppflags) -c -o $@ $<)

# Not -fwhole-program: what it defines is for the other unit.
$(B)/klibc/version.o: early/version.c early/version.h $(klcc_flags_file)
	$(call quiet,KLCC,$(KLCC) $(filter-out -fwhole-program,$(KLCC_FLAGS)) $(host_cppflags) \
		-c -o $@ $<)

# klcc's objects have debugging information by default: strip as klibc strips its own programs.
$(static_bin): $(B)/klibc/early.o $(B)/klibc/version.o
	@mkdir -p $(@D)
	$(call quiet,LD,$(KLCC) $(KLCC_FLAGS) $(klcc_ldflags) -o $@.full $^)
	$(call quiet,STRIP,$(STRIP) $(stripflags) -o $@ $@.full)

$(B)/%.o: %.c Makefile
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

# Beside the command, where it looks for it.
$(B)/vfio-early-cmdline $(B)/asan/vfio-early-cmdline:
	@mkdir -p $(@D)
	@ln -sfn $(CURDIR)/scripts/vfio-early-cmdline $@

# --- tests

# In memory, where that can be.
scratch := tests/scratch

# For every edit. Longest first, so that none is left alone at the end.
check_suites := fault host report lint tree hook unit completion fixes static
# Not for every edit: what changes a host or its boot loader, every call of its command, a build
# without sentences, roots.
long_suites := changes-asan fault-host builders cmdline-roots fuzz packaging words cmdline asan \
	hook-asan host-asan coverage words-guests
# Of these, and of changes, the same cases are run sanitized, where they show more; what the
# package's own build makes is run by builders, package, words and every guest.
run_sanitized := unit hook host report

check-package: deb ## install, configure, upgrade, remove, purge in Debian roots
	$(scratch) tests/package/run

check-packaging: deb ## builds that differ make the same file; lintian, blhc
	tests/packaging/run

check-cross: ## by hand, minutes: the package cross-built for arm64
	tests/cross/run

check-mutants: all $(unit_bin) $(fakefs) ## by hand: plants faults, one by one: is it noticed?
	tests/mutants/run $(MUTANTS)

check-boot: deb ## Debian in QEMU
	tests/boot/run

check-walks: deb ## by hand: from apply to purge with each boot loader, trials, apply --now
	tests/boot/run tests/boot/walks/*

check-kernel: all ## kernels of Debian 12 and 13 in QEMU, with no distribution
	$(scratch) tests/kernel/run

check-next: all ## by hand: the same on the newest kernel of sid
	$(scratch) tests/kernel/run -k next

setup: ## install what building and testing needs (as root; else says how)
	@tests/setup

test: setup ## every test: lint, units, fake machines, faults, fuzz, roots, guests
	@$(MAKE) --no-print-directory -j2 test-suites

# The root is made while the tools are installed and the package is built.
demo: ## boot a Debian kernel in QEMU with an image of ours: who has each device
	@tests/setup root
	@$(MAKE) --no-print-directory -j2 demo-root demo-deb
	@tests/boot/demo

demo-root:
	@tests/boot/demo --root

demo-deb:
	@tests/setup demo
	@$(MAKE) --no-print-directory deb

check-static: $(static_bin) ## what the binary of the boot is: static, small
	tests/static $(static_bin)

check-unit: $(unit_bin) ## unit tests
	$(scratch) tests/unit/run $(unit_bin)

check-asan: $(asan_bin) ## unit tests, sanitized
	$(scratch) tests/unit/run $(asan_bin)

check-hook: all ## what the host half makes of configs: plans
	$(scratch) tests/hook/run

check-hook-asan: $(B)/asan/vfio-early ## the same, sanitized
	$(scratch) tests/hook/run $<

check-host: all ## the reading commands, on recorded machines
	$(scratch) tests/host/run

check-report: all ## bug reports: the commands say of one what they say of its machine
	$(scratch) tests/host/report

check-fixes: all ## next steps that the commands print can be typed
	$(scratch) tests/host/fixes

check-words: all $(fakefs) ## codes decide: a build without sentences does the same
	@$(MAKE) --no-print-directory WORDS=codes all build/codes/tests/tree/vfio-early-bind
	$(scratch) tests/words/run

check-words-guests: all ## the same of its boot half, in two guests
	@$(MAKE) --no-print-directory WORDS=codes all
	$(scratch) tests/kernel/run -c -k 6.12 -a amd64 -j 1 group-claim module-missing-release

check-host-asan: $(B)/asan/vfio-early ## the same, sanitized
	$(scratch) tests/host/run --command $<
	$(scratch) tests/host/report --command $<

check-changes: all ## the commands that change a host, and take it back
	$(scratch) tests/host/changes/run

check-changes-asan: all $(B)/asan/vfio-early ## the same, sanitized
	$(scratch) tests/host/changes/run $(B)/asan/vfio-early

bench: setup ## by hand: measures, draws the picture of README.md
	$(MAKE) all deb $(fakefs)
	tests/bench/run

check-completion: all ## what bash, zsh and fish offer; the table has every option
	$(scratch) tests/completion/run

picture: all ## by hand: draws the terminal session of README.md
	tests/picture/run

check-cmdline: all ## kernel parameters, by boot loader
	$(scratch) tests/cmdline/run

check-cmdline-roots: all ## the same with the loaders' own programs
	$(scratch) tests/cmdline/roots

check-builders: deb ## apply, verify and undo with real image builders
	$(scratch) tests/builders/run

check-tree: all $(fakefs) ## the binary of the boot on modelled machines
	$(scratch) tests/tree/run

check-fault: $(static_bin) $(fakefs) ## each of its system calls fails (FAULT=--all: each time)
	$(scratch) tests/fault/run $(FAULT)

check-fault-host: all $(fault_host) ## the same of the host command
	$(scratch) tests/fault/host $(FAULT)

fuse_cflags = $(call once,fuse,$(PKG_CONFIG) --cflags fuse3)
$(B)/tests/tree/%.o: host_cflags = -std=gnu11 $(warnings) $(fuse_cflags)

# Where groups are late (early/pci.h): the static binary of x86 is free of that.
host_bind := $(B)/tests/tree/vfio-early-bind
$(host_bind): $(B)/early/main.o $(B)/early/libearly.a
	@mkdir -p $(@D)
	$(call quiet,LD,$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^)

$(fakefs): $(patsubst %.c,$(B)/%.o,$(wildcard tests/tree/*.c)) | $(host_bind)
	$(call quiet,LD,$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(shell $(PKG_CONFIG) --libs fuse3))

$(fault_host): $(B)/tests/fault/host.o
	$(call quiet,LD,$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $^)

# Calls that a test makes fail.
$(B)/%/test-act: wrap_flags := $(foreach call,pipe2 fork poll waitpid readlinkat,\
	-Wl$(comma)--wrap=$(call))

$(B)/tests/unit/test-%: $(B)/tests/unit/test-%.o $(unit_lib:%.c=$(B)/%.o) $(B)/hook/libhook.a \
		$(B)/early/libearly.a
	$(call quiet,LD,$(CC) $(CFLAGS) $(LDFLAGS) $(wrap_flags) -o $@ $^ -lcmocka $(host_libs))

# Not optimized, with the lines of a report and no more for debuggers: making it takes four times
# as long else, and its tests no longer. The compiler only guesses at lengths then.
sanitize := -O0 -g1 -fsanitize=address,undefined -fno-sanitize-recover=all \
	-fno-omit-frame-pointer -Wno-format-truncation

$(B)/asan/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(call quiet,CC,$(CC) $(host_cflags) $(sanitize) $(host_cppflags) $(depflags) -c -o $@ $<)

$(B)/asan/libcore.a: $(patsubst %.c,$(B)/asan/%.o,$(filter-out hook/main.c,$(hook_src)) $(core_src))
	@rm -f $@
	$(call quiet,AR,$(AR) rcs $@ $^)

$(B)/asan/vfio-early: $(B)/asan/hook/main.o $(B)/asan/libcore.a | $(B)/asan/vfio-early-cmdline
	$(call quiet,LD,$(CC) $(sanitize) -o $@ $^ $(host_libs))

# Line coverage of early/ by the unit tests and tests/tree, with a build of the host's compiler in
# which everything that early/ does is counted.
cover := -O0 -g --coverage -fprofile-update=atomic
cover_ldflags := -Wl,--wrap=_exit
cover_bin := $(unit_src:%.c=$(B)/cover/%) $(B)/cover/vfio-early-bind

check-coverage coverage: $(cover_bin) $(fakefs) ## which lines of early/ no test runs
	$(scratch) tests/coverage/run $(cover_bin)

$(B)/cover/early/%.o: early/%.c Makefile
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
fuzz_flags := -O1 -gline-tables-only -fsanitize=fuzzer-no-link,address,undefined \
	-fno-sanitize-recover=all -fno-omit-frame-pointer
fuzzers := $(patsubst tests/fuzz/%.c,$(B)/fuzz/%,$(sort $(wildcard tests/fuzz/fuzz-*.c)))

check-fuzz fuzz: $(fuzzers) ## damaged input, SECONDS=5 for each fuzzer
	tests/fuzz/run $(SECONDS) $^

$(B)/fuzz/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(call quiet,CLANG,$(CLANG) $(host_cflags) $(fuzz_flags) $(host_cppflags) $(depflags) \
		-c -o $@ $<)

# What they reach: those who read text, not all that stands above them.
fuzzed := $(core_src) $(wildcard hook/util/*.c) hook/host/boot_report.c hook/image/image.c \
	$(patsubst %,hook/record/%.c,pack replay tree)
$(B)/fuzz/libcore.a: $(fuzzed:%.c=$(B)/fuzz/%.o)
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
long_needs := deb $(fault_host) $(asan_bin) $(B)/asan/vfio-early $(cover_bin) $(fuzzers)

check: $(check_needs) ## for every edit: lint, units, modelled machines, calls that fail
	tests/all $(check_suites)

# With every call, fault-host takes long.
test-suites: $(check_needs) $(long_needs)
	FAULT=--all tests/all boot kernel package $(long_suites) \
		$(filter-out $(run_sanitized),$(check_suites))

lint: all $(B)/early/main.o ## the rules of this tree that a program can check
	@CC='$(CC)' CLANG_FORMAT='$(CLANG_FORMAT)' SHELLCHECK='$(SHELLCHECK)' \
		LINT_CFLAGS='$(host_cflags)' tests/lint

format: ## lays C out by .clang-format
	$(CLANG_FORMAT) -i $(wildcard early/*.[ch] hook/*.[ch] hook/*/*.[ch] tests/*/*.[ch])

# --- the package

# What is installed, as MODE:SOURCE:DESTINATION.
libdir := $(prefix)/lib/vfio-early
sharedir := $(prefix)/share
bashdir := $(sharedir)/bash-completion/completions
fishdir := $(sharedir)/fish/vendor_completions.d
dracutdir := $(prefix)/lib/dracut/modules.d/50vfio-early
system := hook/system
# In these targets the units are wanted, as installed: nothing is to be enabled.
unit := vfio-early-trial.service
unitdir := $(prefix)/lib/systemd/system
unit_links := $(foreach target,sysinit emergency rescue,$(unitdir)/$(target).target.wants/$(unit)) \
	$(unitdir)/multi-user.target.wants/vfio-early-vfs.service
installed := \
	0755:$(static_bin):$(libdir)/vfio-early-bind \
	0755:scripts/vfio-early-images:$(libdir)/vfio-early-images \
	0755:$(system)/root-missing:$(libdir)/root-missing \
	$(foreach file,$(wildcard scripts/cmdline/*.sh),\
		0644:$(file):$(libdir)/cmdline/$(notdir $(file))) \
	0755:$(B)/vfio-early:$(prefix)/sbin/vfio-early \
	0755:scripts/vfio-early-cmdline:$(prefix)/sbin/vfio-early-cmdline \
	$(foreach file,hooks/vfio-early scripts/init-top/00-vfio-early \
		$(patsubst %,scripts/%/vfio-early,local-block local-premount panic),\
		0755:$(system)/initramfs-tools/$(file):$(sharedir)/initramfs-tools/$(file)) \
	$(foreach file,module-setup.sh $(patsubst %,vfio-early-%.sh,cmdline settled timeout),\
		0755:$(system)/dracut/50vfio-early/$(file):$(dracutdir)/$(file)) \
	0644:$(system)/dracut/50vfio-early/vfio-early.service:$(dracutdir)/vfio-early.service \
	$(foreach file,05-vfio-early.rules 90-vfio-early.rules,\
		0644:$(system)/udev/$(file):$(prefix)/lib/udev/rules.d/$(file)) \
	$(foreach file,$(unit) vfio-early-vfs.service \
		$(patsubst %,vfio-early-%@.service,vfs vfs-again),\
		0644:$(system)/systemd/$(file):$(unitdir)/$(file)) \
	$(foreach file,initramfs/post-update.d/vfio-early update-motd.d/60-vfio-early,\
		0755:$(system)/$(file):$(sysconfdir)/$(file)) \
	0644:$(system)/vfio-early.conf:$(sysconfdir)/vfio-early.conf \
	$(foreach page,$(man_pages),\
		0644:$(page):$(sharedir)/man/man$(subst .,,$(suffix $(page)))/$(notdir $(page))) \
	0755:scripts/completion/values:$(libdir)/complete \
	$(foreach program,vfio-early vfio-early-cmdline,\
		0644:$(B)/completion/bash:$(bashdir)/$(program) \
		0644:$(B)/completion/$(program).fish:$(fishdir)/$(program).fish) \
	0644:$(B)/completion/zsh:$(sharedir)/zsh/vendor-completions/_vfio-early

part = $(word $(2),$(subst :, ,$(1)))
define install_one
install -D -m $(call part,$(1),1) $(call part,$(1),2) $(DESTDIR)$(call part,$(1),3)

endef
define uninstall_one
rm -f $(DESTDIR)$(call part,$(1),3)

endef

install: all ## below DESTDIR, prefix and sysconfdir
	$(foreach file,$(installed),$(call install_one,$(file)))
	@for link in $(unit_links); do \
		mkdir -p "$(DESTDIR)$${link%/*}" && \
			ln -sf "../$${link##*/}" "$(DESTDIR)$$link" || exit; \
	done

# A config that is no longer the one that was installed is the administrator's, and stays.
uninstall: ## what install put there, without a changed config
	@! [ -e $(DESTDIR)$(sysconfdir)/vfio-early.conf ] || \
		cmp -s $(system)/vfio-early.conf $(DESTDIR)$(sysconfdir)/vfio-early.conf || \
		echo 'kept: $(DESTDIR)$(sysconfdir)/vfio-early.conf, which was changed'
	$(foreach file,$(filter-out %:$(sysconfdir)/vfio-early.conf,$(installed)),\
		$(call uninstall_one,$(file)))
	rm -f $(addprefix $(DESTDIR),$(unit_links))
	@! cmp -s $(system)/vfio-early.conf $(DESTDIR)$(sysconfdir)/vfio-early.conf || \
		rm -f $(DESTDIR)$(sysconfdir)/vfio-early.conf
	@for dir in $(libdir)/cmdline $(libdir) $(dracutdir); do \
		[ ! -d "$(DESTDIR)$$dir" ] || rmdir --ignore-fail-on-non-empty "$(DESTDIR)$$dir"; \
	done
	@[ -n '$(DESTDIR)' ] || \
		echo 'The images still have vfio-early in them until they are made again.'

deb_file := $(B)/vfio-early_$(VERSION)_$(shell dpkg --print-architecture 2>/dev/null).deb

deb: $(deb_file) ## the package, in build/
	@ls $(deb_file)

# Out of a copy: dpkg-buildpackage writes beside the tree that it builds. The flags of this make do
# not reach it, nor do the tests run there a second time. The log is for tests/packaging, in a
# language that blhc reads.
deb_tree := $(B)/deb/vfio-early-$(VERSION)
$(deb_file): $(shell find Makefile LICENSE debian early hook $(wildcard scripts) -type f)
	@rm -rf $(B)/deb
	@mkdir -p $(deb_tree)
	@tar -cf - --exclude=./$(B) --exclude=./.git . | tar -xf - -C $(deb_tree)
	$(call quiet,DEB,tests/step $(B)/deb.log \
		env -C $(deb_tree) -u MAKEFLAGS -u MFLAGS -u MAKELEVEL -u V LC_ALL=C \
		DEB_BUILD_PROFILES=nocheck DEB_BUILD_OPTIONS=nocheck \
		dpkg-buildpackage -us -uc)
	@cp $(B)/deb/$(@F) $@

clean: ## removes build/
	rm -rf $(B)

# By name: the scenarios of tests/boot are also called *.d.
-include $(wildcard $(addprefix $(B)/,$(addsuffix /*.d,early hook hook/* tests/unit tests/tree) \
	$(addprefix asan/,$(addsuffix /*.d,early hook hook/* tests/unit)) \
	$(addprefix fuzz/,$(addsuffix /*.d,early hook hook/* tests/fuzz))))
