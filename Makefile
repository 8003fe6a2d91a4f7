# SPDX-License-Identifier: Apache-2.0
# `make demo` and `make check` are all that one needs; `make help` says more.
FLAVOUR ?= release
BUILD   := build/$(FLAVOUR)
PREFIX  ?= /usr/local
ROOMS   := core query ingest analyzers store sinks pipeline simulate cli
SETUP   ?= tools/setup.sh
DEMO    ?= demo/like-service

WARN := -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes \
  -Wmissing-prototypes -Wcast-qual -Wcast-align -Wwrite-strings -Wundef \
  -Wvla -Wformat=2 -Wswitch-enum -Wimplicit-fallthrough -Wnull-dereference \
  -Wdouble-promotion -Wconversion -Wno-sign-conversion -Wfloat-equal
# A compiler newer than ours may warn of more: make WERROR=
WERROR ?= -Werror
OPT    ?= -O2 -g

# What a flavour changes; each has its own folder below build/.
CC_clang   := clang
CC_fuzz    := clang
# Instrumented code makes gcc see null pointers that are none.
SOFT       := -Wno-null-dereference -Wno-maybe-uninitialized
BOTH := -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
SAN_asan   := $(BOTH) $(SOFT)
SAN_ubsan  := -fsanitize=undefined -fno-sanitize-recover=all $(SOFT)
SAN_tsan   := -fsanitize=thread $(SOFT)
SAN_fuzz   := -fsanitize=fuzzer-no-link $(BOTH)
SAN_cov    := --coverage -fprofile-update=atomic -O1 $(SOFT)
ISAL_noisal := no
LTO_release := -flto=auto -O3
ifdef CC_$(FLAVOUR)
CC := $(CC_$(FLAVOUR))
endif
# ISA-L in- and deflates where its header is, zlib elsewhere.
ISAL ?= $(or $(ISAL_$(FLAVOUR)),$(if $(wildcard /usr/include/isa-l.h),yes,no))
BY := $(if $(filter yes,$(ISAL)),isal,zlib)
CHOSEN := ingest/inflate_$(BY).c core/pack_$(BY).c ingest/marks_$(if $(filter x86_64-%,$(shell $(CC) -dumpmachine)),x86,any).c

COMMON = $(OPT) $(LTO_$(FLAVOUR:noisal=release)) $(SAN_$(FLAVOUR)) -pthread
ALL_CFLAGS = -std=c11 -D_GNU_SOURCE -I. $(WARN) $(WERROR) $(COMMON) \
  $(CPPFLAGS) $(CFLAGS)
# Without the warnings: seen across files, they are of inlined library code.
LINK = $(CC) $(COMMON) $(CFLAGS) $(LDFLAGS)
LIBS := -lyyjson -lpcre2-8 -lz -lxxhash -lsqlite3 -lyaml -lm \
  $(if $(filter yes,$(ISAL)),-lisal)

SRC  := $(filter-out cli/main.c core/pack_%.c ingest/inflate_%.c ingest/marks_%.c,\
  $(wildcard $(ROOMS:%=%/*.c))) $(wildcard $(CHOSEN))
OBJ  := $(SRC:%.c=$(BUILD)/%.o)
MAIN := $(BUILD)/cli/main.o
UNIT := $(patsubst %.c,$(BUILD)/%.o,$(if $(filter tsan,$(FLAVOUR)),\
  tests/unit/plain.c $(wildcard tests/unit/pipeline/*.c),$(wildcard tests/unit/*/*.c)))
FUZZ := $(patsubst %.c,$(BUILD)/%,$(wildcard tests/fuzz/fuzz_*.c))
MAKEFLAGS += --no-print-directory

.PHONY: all demo check unit test asan ubsan tsan clang noisal lint fmt fuzz fuzzers bench bench-record cov \
  quality quality-record conformance man install uninstall clean help setup-check setup-clang setup-lint FORCE
all: $(BUILD)/telltale

# One short line a file: V=1 shows the commands, -s nothing.
SHORT = $(if $(V),,@$(if $(findstring s,$(firstword -$(MAKEFLAGS))),,echo '  $1 $@';) )
$(BUILD)/telltale: $(MAIN) $(OBJ) $(BUILD)/objects
	$(call SHORT,LD)$(LINK) -o $@ $(filter %.o,$^) $(LIBS)

$(BUILD)/unit: $(UNIT) $(OBJ) $(BUILD)/objects
	$(call SHORT,LD)$(LINK) -o $@ $(filter %.o,$^) -lcriterion $(LIBS)

$(FUZZ): %: %.o $(OBJ) $(BUILD)/objects
	$(call SHORT,LD)$(LINK) -fsanitize=fuzzer -o $@ $(filter %.o,$^) $(LIBS)

$(BUILD)/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call SHORT,CC)$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# Written anew when they change: other flags compile, other files link again.
$(BUILD)/flags: SAY = $(CC) $(ALL_CFLAGS)
$(BUILD)/objects: SAY = $(OBJ) $(UNIT) $(LIBS) $(LDFLAGS)
$(BUILD)/flags $(BUILD)/objects: FORCE
	@mkdir -p $(@D); echo '$(SAY)' | cmp -s - $@ || echo '$(SAY)' >$@

# On a fresh machine this file is not there: make makes it, which installs
# what the build needs, and starts again.
build/ready.mk: tools/setup.sh
	@$(SETUP) build
	@mkdir -p build; echo '# What the build needs is there.' >$@
ifneq ($(filter-out clean help uninstall,$(or $(MAKECMDGOALS),all)),)
include build/ready.mk
endif

demo:
	@$(MAKE) all
	$(BUILD)/telltale replay $(DEMO)

check: setup-check
	@$(MAKE) test
asan ubsan tsan noisal: setup-check
clang: setup-clang
asan ubsan tsan noisal clang:
	@TEST_TIMEOUT=900 $(MAKE) FLAVOUR=$@ test
setup-check setup-clang setup-lint:
	@$(SETUP) $(@:setup-%=%)

# make test ONLY=e2e; make unit FILTER='str/*'
test: all $(BUILD)/unit
	@BUILD=$(BUILD) tests/run.sh $(ONLY)
unit: $(BUILD)/unit
	$< $(if $(FILTER),--filter '$(FILTER)')

lint fmt: setup-lint
	@tools/lint.sh $(@:lint=)
fuzz: setup-clang
	+@tools/fuzz.sh
fuzzers: $(FUZZ)
conformance: setup-check all ; @TEST_TIMEOUT=1800 CONFORMANCE=$(or $(SERVERS),all) BUILD=$(BUILD) tests/run.sh conformance
bench bench-record: ; @$(SETUP) bench && $(MAKE) all && bench/run.sh $(@:bench%=%)
quality quality-record: setup-check all ; @tests/quality/catalogue.py $(if $(@:quality=),--record)
cov: setup-check
	@find build/cov -name '*.gcda' -delete 2>/dev/null || :
	@TEST_TIMEOUT=900 $(MAKE) FLAVOUR=cov test; tools/cov.sh build/cov
man: all
	$(BUILD)/telltale help --man >docs/telltale.1
	$(BUILD)/telltale help --man-config >docs/telltale.yaml.5
	$(BUILD)/telltale help --fields >docs/fields.md
MANS := $(wildcard docs/*.[1-8])
MAN_TO = $(DEST)/share/man/man$(subst .,,$(suffix $1))/$(notdir $1)
BASH_TO = $(DEST)/share/bash-completion/completions/telltale
DEST := $(DESTDIR)$(PREFIX)
install: all
	install -D -m 755 $(BUILD)/telltale $(DEST)/bin/telltale
	set -e; $(foreach m,$(MANS),install -D -m 644 $m $(call MAN_TO,$m);)
	mkdir -p $(dir $(BASH_TO))
	$(BUILD)/telltale completion bash >$(BASH_TO)
uninstall:
	rm -f $(DEST)/bin/telltale $(BASH_TO) $(foreach m,$(MANS),$(call MAN_TO,$m))
clean: ; rm -rf build
help: ; @sed -n 's/^#: //p' Makefile
#: make             build/release/telltale
#: make demo        install what is missing, build, replay the demo archive
#: make check       install what tests need, build, run all tests
#: make asan        the same tests with gcc's sanitizers; also ubsan alone, tsan
#: make clang       the same tests, built by clang; noisal: without ISA-L
#: make unit        only the unit tests: FILTER='str/*'
#: make lint fmt    all checks of the sources; format them
#: make fuzz        a short run of every fuzz target; conformance: all servers
#: make bench       measure speed; quality: what is found; each -record; cov
#: make man         write docs/telltale.1 and fields.md from the program
#: make install     DESTDIR= PREFIX=/usr/local; also uninstall
#: Variables: FLAVOUR CC CFLAGS LDFLAGS OPT WERROR= ISAL=no SETUP=true V=1

-include $(OBJ:.o=.d) $(MAIN:.o=.d) $(UNIT:.o=.d) $(FUZZ:%=%.d)
