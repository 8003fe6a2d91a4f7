# SPDX-License-Identifier: Apache-2.0
# make demo, make check; `make help` says the rest.
FLAVOUR ?= release
BUILD   := build/$(FLAVOUR)
PREFIX  ?= /usr/local
CC      ?= cc
ROOMS   := core query ingest analyzers store sinks pipeline cli

WARN := -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes \
  -Wmissing-prototypes -Wcast-qual -Wcast-align -Wwrite-strings -Wundef \
  -Wvla -Wformat=2 -Wswitch-enum -Wimplicit-fallthrough -Wnull-dereference \
  -Wdouble-promotion -Wconversion -Wno-sign-conversion -Wfloat-equal -Werror
OPT      := -O2 -g
LTO      := -flto=auto
SAN      :=
ifeq ($(FLAVOUR),clang)
CC  := clang
LTO :=
endif
ifeq ($(FLAVOUR),asan)
SAN := -fsanitize=address -fno-omit-frame-pointer
LTO :=
endif
ifeq ($(FLAVOUR),ubsan)
SAN := -fsanitize=undefined -fno-sanitize-recover=all
LTO :=
endif
ifeq ($(FLAVOUR),tsan)
SAN := -fsanitize=thread
LTO :=
endif
# ISA-L is taken where its header is, unless ISAL=no.
ISAL ?= $(if $(wildcard /usr/include/isa-l.h /usr/include/isa-l/igzip_lib.h),yes,no)
ifeq ($(FLAVOUR),noisal)
ISAL := no
endif
INFLATE := $(if $(filter yes,$(ISAL)),ingest/inflate_isal.c,ingest/inflate_zlib.c)

CFLAGS_ALL := -std=c11 -D_GNU_SOURCE -I. $(OPT) $(LTO) $(SAN) $(WARN) -pthread $(CFLAGS)
LIBS := -lyyjson -lpcre2-8 -lz -lxxhash -lsqlite3 -lm -pthread \
  $(if $(filter yes,$(ISAL)),-lisal)

SRC  := $(filter-out cli/main.c ingest/inflate_%.c,$(foreach r,$(ROOMS),$(wildcard $(r)/*.c))) $(wildcard $(INFLATE))
OBJ  := $(SRC:%.c=$(BUILD)/%.o)
MAIN := $(BUILD)/cli/main.o
UNIT := $(patsubst %.c,$(BUILD)/%.o,$(wildcard tests/unit/*/*.c))

.PHONY: all unit clean
all: $(BUILD)/telltale

$(BUILD)/telltale: $(MAIN) $(OBJ)
	$(CC) $(CFLAGS_ALL) $(LDFLAGS) -o $@ $^ $(LIBS)

$(BUILD)/unit: $(UNIT) $(OBJ)
	$(CC) $(CFLAGS_ALL) $(LDFLAGS) -o $@ $^ -lcriterion $(LIBS)

# make unit FILTER='str/*'
unit: $(BUILD)/unit
	$< $(if $(FILTER),--filter '$(FILTER)')

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS_ALL) -MMD -MP -c -o $@ $<

clean:
	rm -rf build

-include $(OBJ:.o=.d) $(MAIN:.o=.d) $(UNIT:.o=.d)
