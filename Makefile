# SPDX-License-Identifier: MIT
# Builds out of tree, per Lua version: build/$(LUA)/chainlink/{core,simulator}.so. `make help` lists the targets.

LUA ?= 5.4
# Set by the sanitizer targets: address, thread or fuzz (clang's libFuzzer). Such a build lives in a tree of its own.
SANITIZE ?=
# Set by `make coverage`: counts what is run, in a tree of its own too.
COVERAGE ?=
PREFIX ?= /usr/local
CFLAGS ?= -O2 -g

# ---- what to build with ----

ifeq ($(filter 5.5 5.4 5.3 5.1 luajit,$(LUA)),)
$(error LUA=$(LUA) is not supported: it may be 5.5, 5.4, 5.3, 5.1 or luajit)
endif
# Where the system has no 5.5, the one that scripts/setup ci made.
LUA_HOME := $(if $(filter 5.5,$(LUA)),$(if $(shell command -v lua5.5 lua55),,$(shell scripts/lua55 2>/dev/null)))
LUA_PKG_CONFIG := $(LUA_HOME:%=PKG_CONFIG_PATH=%/lib/pkgconfig) pkg-config
LUA_ABI := $(if $(filter luajit,$(LUA)),5.1,$(LUA))
LUA_NAMES := $(if $(filter luajit,$(LUA)),luajit,lua$(LUA) lua-$(LUA) lua$(subst .,,$(LUA)))
LUA_PC := $(or $(shell for p in $(LUA_NAMES); do $(LUA_PKG_CONFIG) --exists $$p 2>/dev/null && echo $$p && break; done),$(firstword $(LUA_NAMES)))
LUA_BIN := $(or $(LUA_HOME:%=%/bin/lua5.5),$(shell command -v $(LUA_NAMES) 2>/dev/null | head -n 1),$(firstword $(LUA_NAMES)))
MODULES := libcurl libwebsockets openssl libsecp256k1
# The modules of the rock chainlink-streams-relay are built where their libraries are.
HIREDIS := $(shell pkg-config --exists hiredis 2>/dev/null && echo hiredis)
RDKAFKA := $(shell pkg-config --exists "rdkafka >= 1.9" 2>/dev/null && echo rdkafka)
# Optional: report:compress() answers an error without the first, recordings in gzip and zstd without the others.
SNAPPY := $(shell pkg-config --exists snappy 2>/dev/null && echo snappy)
ZLIB := $(shell pkg-config --exists zlib 2>/dev/null && echo zlib)
ZSTD := $(shell pkg-config --exists "libzstd >= 1.4" 2>/dev/null && echo libzstd)
# libcurl and these three are loaded when they are first used.
LIBS := $(shell pkg-config --libs $(filter-out libcurl,$(MODULES)) 2>/dev/null) -lpthread -lm

WARNINGS := -Wall -Wextra -Wconversion -Wshadow
# A level that CPPFLAGS or CFLAGS ask for stands.
FORTIFY := $(if $(SANITIZE)$(COVERAGE)$(findstring _FORTIFY_SOURCE,$(CPPFLAGS) $(CFLAGS)),,-U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2)
# What this compiler has for this processor, of those.
has = $(shell $(CC) -Werror $(1) -x c -c -o /dev/null /dev/null 2>/dev/null && echo $(1))
HARDEN := -fstack-protector-strong $(call has,-fstack-clash-protection) $(call has,-fcf-protection) $(FORTIFY)
WITH_UNDEFINED := $(SANITIZE:address=address,undefined)
SANITIZERS := $(WITH_UNDEFINED:fuzz=fuzzer-no-link,address,undefined)
SANITIZER_FLAGS := $(if $(SANITIZE),-fsanitize=$(SANITIZERS) -fno-sanitize-recover=all -fno-omit-frame-pointer -O1)
COVERAGE_FLAGS := $(if $(COVERAGE),--coverage -fprofile-update=atomic -O0)
INCLUDES := -Isrc $(shell pkg-config --cflags $(MODULES) $(SNAPPY) $(ZLIB) $(ZSTD) 2>/dev/null) \
  $(if $(SNAPPY),-DCDS_WITH_SNAPPY) $(if $(ZLIB),-DCDS_WITH_ZLIB) $(if $(ZSTD),-DCDS_WITH_ZSTD)
LUA_INCLUDES := $(shell $(LUA_PKG_CONFIG) --cflags $(LUA_PC) 2>/dev/null)
LUA_LIBS := $(shell $(LUA_PKG_CONFIG) --libs $(LUA_PC) 2>/dev/null)
COMPILE = $(CC) -std=gnu11 $(CPPFLAGS) $(INCLUDES) $(CFLAGS) $(WARNINGS) $(HARDEN) $(SANITIZER_FLAGS) $(COVERAGE_FLAGS) -fPIC -fvisibility=hidden -pthread -MMD -MP
LINK = $(CC) $(SANITIZER_FLAGS) $(COVERAGE_FLAGS) -pthread -Wl,-z,relro,-z,now -Wl,--as-needed $(LDFLAGS)

# ---- what to build ----

TREE := build$(patsubst fuzz,/fuzz,$(patsubst thread,/tsan,$(patsubst address,/asan,$(SANITIZE))))$(if $(COVERAGE),/coverage)
OUT := $(TREE)/$(LUA)
# A sanitizer's library must be the process's first: its builds have an interpreter of their own.
ifneq ($(SANITIZE),)
LUA_BIN := $(CURDIR)/$(OUT)/lua
INTERPRETER := $(OUT)/lua
endif
ENGINE := $(wildcard $(foreach layer,base codec crypto order net context rest stream record client web,src/$(layer)/*.c))
SIMULATOR := $(wildcard src/simulator/*.c)
SIMULATOR_SHARES := $(wildcard src/base/*.c src/codec/hex.c src/crypto/hmac.c src/crypto/keccak.c)
REDIS := src/relay/poller.c src/relay/redis.c src/relay/secure.c src/net/tls.c src/net/ws_tls.c
KAFKA := src/relay/poller.c src/relay/kafka.c
BINDING := $(filter-out $(addprefix src/lua/,lsimulator.c lredis.c lkafka.c),$(wildcard src/lua/*.c))
RELAY_MODULES := $(HIREDIS:hiredis=$(OUT)/chainlink/redis.so) $(RDKAFKA:rdkafka=$(OUT)/chainlink/kafka.so)
# Those that fail each allocation in turn take the longest: they go first. The relay's are built where their libraries are.
# librdkafka begins its threads by C11's thrd_create, of which ThreadSanitizer does not know.
NO_C_TESTS := $(if $(HIREDIS),,$(wildcard spec/c/test_redis*.c)) \
  $(if $(and $(RDKAFKA),$(filter-out thread,$(or $(SANITIZE),plain))),,$(wildcard spec/c/test_kafka*.c))
# WITHOUT: names of tests to leave out.
C_TESTS := $(filter-out $(addprefix $(TREE)/c/,$(WITHOUT)),$(patsubst spec/c/%.c,$(TREE)/c/%, \
  $(wildcard spec/c/test_torture*.c) $(filter-out spec/c/test_torture% $(NO_C_TESTS),$(wildcard spec/c/test_*.c))))
LUA_C_TESTS := $(addprefix $(TREE)/c/,test_torture_lua test_states test_fork_lua test_wait_lua test_quick_number \
  test_core test_lfile)

ENV_PATHS := export LUA_PATH='$(CURDIR)/lua/?.lua;$(CURDIR)/lua/?/init.lua;;' LUA_CPATH='$(CURDIR)/$(OUT)/?.so;;'
ENV_EXPORTS := $(ENV_PATHS); export PATH='$(CURDIR)/$(OUT)/bin':\"\$$PATH\"
# `make V=1` shows the commands.
Q := $(if $(V),,@)
object = $(patsubst src/%.c,$(TREE)/obj/%.o,$(1))
binding_object = $(patsubst src/%.c,$(OUT)/obj/%.o,$(1))

.PHONY: all deps help env install uninstall demo bench clean format docs
.PHONY: test test-c test-lua fuzz test-all-luas test-asan test-tsan test-valgrind test-onchain interop lint layers symbols luarocks rockspec
.DELETE_ON_ERROR:
.SECONDARY:

all: $(OUT)/chainlink/core.so $(OUT)/chainlink/simulator.so $(RELAY_MODULES) $(OUT)/bin/chainlink-streams $(INTERPRETER)

$(OUT)/chainlink/core.so: $(call object,$(ENGINE)) $(call binding_object,$(BINDING))
	@mkdir -p $(@D)
	@echo "  link $@"
	$(Q)$(LINK) -shared -o $@ $^ $(LIBS)

$(OUT)/chainlink/simulator.so: $(call object,$(SIMULATOR) $(SIMULATOR_SHARES)) $(call binding_object,$(wildcard src/lua/lsimulator.c))
	@mkdir -p $(@D)
	@echo "  link $@"
	$(Q)$(LINK) -shared -o $@ $^ $(LIBS)

$(OUT)/chainlink/redis.so: $(call object,$(REDIS) $(wildcard src/base/*.c)) $(call binding_object,src/lua/lredis.c)
	@mkdir -p $(@D)
	@echo "  link $@"
	$(Q)$(LINK) -shared -o $@ $^ $(shell pkg-config --libs hiredis) $(LIBS)

$(OUT)/chainlink/kafka.so: $(call object,$(KAFKA) $(wildcard src/base/*.c)) $(call binding_object,src/lua/lkafka.c)
	@mkdir -p $(@D)
	@echo "  link $@"
	$(Q)$(LINK) -shared -o $@ $^ $(shell pkg-config --libs rdkafka) $(LIBS)

$(OUT)/obj/lua/%.o: src/lua/%.c Makefile | deps
	@mkdir -p $(@D)
	@echo "  cc $<"
	$(Q)$(COMPILE) $(LUA_INCLUDES) -c -o $@ $<

$(TREE)/obj/%.o: src/%.c Makefile | deps
	@mkdir -p $(@D)
	@echo "  cc $<"
	$(Q)$(COMPILE) -c -o $@ $<

$(OUT)/lua: spec/c/lua_host.c Makefile | deps
	@mkdir -p $(@D)
	@echo "  cc $<"
	$(Q)$(COMPILE) $(LUA_INCLUDES) -MF $@.d -MT $@ -o $@ $< $(LUA_LIBS)

# Built again when one of them comes or goes.
$(call object,src/codec/snappy.c src/base/gzip.c src/base/zstd.c): $(TREE)/with-$(or $(SNAPPY),no)-$(or $(ZLIB),no)-$(or $(ZSTD),no)
$(TREE)/with-%: always
	@[ -e $@ ] || { mkdir -p $(@D) && rm -f $(TREE)/with-* && touch $@; }

# What is missing is made when somebody older asks for it, and else for nobody (.SECONDARY), unless it asks for this.
.PHONY: always
always:

# The command, usable from the checkout whatever the working directory.
$(OUT)/bin/chainlink-streams: Makefile
	@mkdir -p $(@D)
	@{ echo '#!/bin/sh'; echo "$(ENV_EXPORTS)"; \
	   echo "exec $(LUA_BIN) '$(CURDIR)/bin/chainlink-streams' \"\$$@\""; } > $@
	@chmod +x $@

deps:
	@! pkg-config --exists "libwebsockets = 4.5.0" || \
	  { echo "libwebsockets 4.5.0 tells control frames as messages: it may be 4.1 to 4.4, or 4.5.1 and later."; exit 1; }
	@$(LUA_PKG_CONFIG) --exists --print-errors $(MODULES) "libwebsockets >= 4.1" "openssl >= 3" $(LUA_PC) || \
	  { echo "Something to build with is missing: scripts/setup $(if $(filter 5.5,$(LUA)),ci,demo) installs it."; exit 1; }

env:
	@echo "$(ENV_EXPORTS)" | sed 's/; /\n/'

# ---- C tests: everything but the binding, in an archive; locks.c watches the locks, blocks.c counts the memory ----

COUNT_BLOCKS := $(foreach name,malloc calloc realloc strdup strndup free free_secret,-Wl,--wrap=cds_$(name)) \
  -Wl,--wrap=pthread_mutex_init -Wl,--wrap=pthread_mutex_destroy

$(TREE)/c/libcds.a: $(call object,$(ENGINE) $(SIMULATOR))
	@mkdir -p $(@D)
	@rm -f $@
	@echo "  ar $@"
	$(Q)$(AR) rcs $@ $^

$(TREE)/c/%.o: spec/c/%.c Makefile | deps
	@mkdir -p $(@D)
	@echo "  cc $<"
	$(Q)$(COMPILE) -Ispec/c -c -o $@ $<

$(TREE)/c/%: $(TREE)/c/%.o $(TREE)/c/locks.o $(TREE)/c/blocks.o $(TREE)/c/libcds.a
	@echo "  link $@"
	$(Q)$(LINK) $(COUNT_BLOCKS) -o $@ $(filter %.o,$^) $(filter %.a,$^) $(LIBS)

# The relay is no part of the archive.
$(TREE)/c/test_poller: $(call object,src/relay/poller.c)
$(TREE)/c/test_secure: $(call object,src/relay/secure.c)
$(filter $(TREE)/c/test_redis%,$(C_TESTS)): $(call object,$(REDIS))
$(filter $(TREE)/c/test_redis%,$(C_TESTS)): private LIBS += $(shell pkg-config --libs hiredis 2>/dev/null)
$(filter $(TREE)/c/test_kafka%,$(C_TESTS)): $(call object,$(KAFKA))
$(filter $(TREE)/c/test_kafka%,$(C_TESTS)): private LIBS += $(shell pkg-config --libs rdkafka 2>/dev/null)

# What is measured has no watchers in it.
$(TREE)/c/bench_%: $(TREE)/c/bench_%.o $(TREE)/c/libcds.a
	@echo "  link $@"
	$(Q)$(LINK) -o $@ $^ $(LIBS)

# A host of its own for the module, with a limited memory; built again when it is to be of another Lua.
$(LUA_C_TESTS): $(OUT)/chainlink/core.so
$(LUA_C_TESTS:=.o): $(TREE)/lua-is-$(LUA)
$(TREE)/lua-is-%: always
	@[ -e $@ ] || { mkdir -p $(@D) && rm -f $(TREE)/lua-is-* && touch $@; }
$(LUA_C_TESTS:=.o): private INCLUDES += $(LUA_INCLUDES)
$(LUA_C_TESTS): private LIBS += $(LUA_LIBS)

test-c: $(C_TESTS)
	@$(USE_BUILD) scripts/run-c-tests $(C_TESTS)

# ---- fuzzing ----

$(TREE)/%: fuzz/%.c $(TREE)/c/libcds.a Makefile | deps
	@echo "  cc $<"
	$(Q)$(COMPILE) -fsanitize=fuzzer -Ispec/c -MF $@.d -MT $@ -o $@ $< $(TREE)/c/libcds.a $(LIBS)

SECONDS ?= 60
fuzz:
	@$(MAKE) --no-print-directory CC=clang SANITIZE=fuzz $(patsubst fuzz/%.c,build/fuzz/%,$(wildcard fuzz/fuzz_*.c))
	@scripts/fuzz '$(SECONDS)' $(patsubst fuzz/%.c,build/fuzz/%,$(wildcard fuzz/fuzz_*.c))

# ---- specs, against the build in OUT ----

SPECS ?= $(sort $(dir $(wildcard spec/*/*_spec.lua)))
# What every Lua runs: all units, and the specs that meet the network the most.
CORE_SPECS := $(wildcard spec/unit) $(wildcard spec/integration/rest_spec.lua spec/integration/stream_spec.lua)
USE_BUILD = $(ENV_PATHS); export PATH='$(CURDIR)/$(OUT)/bin':"$$PATH" LUA_BIN=$(LUA_BIN);
RUN_SPECS = $(USE_BUILD) scripts/run-specs
# Most tests wait for something most of their time, so more of them run at once than there are processors.
MANY_AT_ONCE = export JOBS=$${JOBS:-$$((3 * $$(nproc)))};

test:
	@scripts/setup test
	@$(MAKE) --no-print-directory all
	@$(MANY_AT_ONCE) scripts/total "make test" \
	  C "$(MAKE) --no-print-directory test-c" Lua "$(MAKE) --no-print-directory test-lua"

test-lua: all
	@$(RUN_SPECS) $(SPECS)

# Lua 5.5 where it is: scripts/setup ci builds it where the system has none.
HAS_55 = $(shell command -v lua5.5 lua55 || scripts/lua55 2>/dev/null)
test-all-luas:
	@$(if $(HAS_55),,echo '######## NOT TESTED on Lua 5.5, which is missing: scripts/setup ci builds it')
	@scripts/total "make test-all-luas" $(foreach lua,5.1 5.3 $(if $(HAS_55),5.5) luajit, \
	  "Lua $(lua)" '$(MAKE) --no-print-directory LUA=$(lua) test-lua SPECS="$(CORE_SPECS)"')

# Each event loop that Debian has, and nginx, in each Lua that it has it for.
.PHONY: test-hosts
test-hosts:
	@scripts/total "make test-hosts" $(foreach lua,5.4 5.3 5.1 luajit, "Lua $(lua)" \
	  'EVERY_HOST="cqueues luv prometheus_client prometheus copas chromedriver $(if $(filter luajit,$(lua)),love nginx)" $(MAKE) --no-print-directory LUA=$(lua) test-lua SPECS=spec/hosts')

# The specs of nginx with a sanitizer's build of the module in it; what drives it is the plain build.
.PHONY: test-nginx test-in-nginx
test-nginx:
	@scripts/total "make test-nginx" $(foreach kind,address thread, \
	  "$(kind)" '$(MAKE) --no-print-directory LUA=luajit CHECK=$(kind) test-in-nginx')

NGINX_TREE := build/$(if $(filter thread,$(CHECK)),tsan,asan)
test-in-nginx: all
	@$(MAKE) --no-print-directory SANITIZE=$(CHECK) $(NGINX_TREE)/luajit/chainlink/core.so
	@$(USE_BUILD) export EVERY_HOST=nginx NGINX_BUILD=$(CURDIR)/$(NGINX_TREE)/luajit \
	  NGINX_CHECKER=$$($(CC) -print-file-name=lib$(notdir $(NGINX_TREE)).so); \
	scripts/sanitize $(CHECK) $(NGINX_TREE)/reports/nginx scripts/run-specs $(wildcard spec/hosts/nginx*_spec.lua)

# ---- the slow checkers ----

# Of the slow checkers' builds and settings the layout of the project is no concern.
CHECKED_SPECS := $(filter-out spec/meta/,$(SPECS))

test-asan:
	@$(MAKE) --no-print-directory SANITIZE=address test-sanitized
test-tsan:
	@$(MAKE) --no-print-directory SANITIZE=thread test-sanitized

.PHONY: test-sanitized
test-sanitized: all $(C_TESTS)
	@$(USE_BUILD) $(MANY_AT_ONCE) export LIMIT=600; scripts/total "with SANITIZE=$(SANITIZE)" \
	  C "scripts/sanitize $(SANITIZE) $(TREE)/reports/c scripts/run-c-tests $(C_TESTS)" \
	  Lua "scripts/sanitize $(SANITIZE) $(TREE)/reports/lua scripts/run-specs $(CHECKED_SPECS)"

# Under ASan, with a collection at each allocation and a finalizer in each that asks the binding for something.
.PHONY: test-gc test-collecting
GC_SPECS := $(patsubst %,spec/%_spec.lua,unit/errors unit/history unit/report unit/schemas unit/signers unit/snappy integration/rest integration/gc)
test-gc:
	@$(MAKE) --no-print-directory SANITIZE=address test-collecting

test-collecting: all
	@$(USE_BUILD) $(MANY_AT_ONCE) export LIMIT=600 BUSTED_FLAGS=--helper=spec/support/collecting.lua; \
	scripts/sanitize $(SANITIZE) $(TREE)/reports/gc scripts/run-specs $(GC_SPECS)

# What the C tests and the specs run of the folders that a target is set for.
.PHONY: coverage coverage-counted
coverage:
	@scripts/setup coverage
	@$(MAKE) --no-print-directory COVERAGE=1 coverage-counted

coverage-counted: all $(C_TESTS)
	@find $(TREE) -name '*.gcda' -delete
	@$(USE_BUILD) $(MANY_AT_ONCE) scripts/total "make coverage" \
	  C "scripts/run-c-tests $(C_TESTS)" Lua "scripts/run-specs $(CHECKED_SPECS)" \
	  coverage "scripts/coverage $(TREE) $(addprefix src/,codec crypto order context rest stream record client)"

VALGRIND := valgrind --quiet --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=definite \
  --show-leak-kinds=definite --suppressions=spec/support/valgrind.supp
# Reading the system's certificate authorities again and again would take most of the time.
NO_AUTHORITIES := export SSL_CERT_FILE=/dev/null SSL_CERT_DIR=/nonexistent;
# One thread at a time, many times slower: what depends on keeping up with a load (2,000 messages a second) is left out,
# and what looks at the process's signals.
test-valgrind: all $(C_TESTS)
	@$(NO_AUTHORITIES) $(USE_BUILD) $(MANY_AT_ONCE) \
	export WRAP="$(VALGRIND)" LIMIT=900 SEEDS=40 BUSTED_FLAGS=--exclude-tags=load,native; \
	scripts/total "make test-valgrind" \
	  C "scripts/run-c-tests $(filter-out $(LUA_C_TESTS),$(C_TESTS))" Lua "scripts/run-specs $(CHECKED_SPECS)"

# The verifier contracts on an Ethereum node of our own.
test-onchain: all
	@$(USE_BUILD) export LUA_BIN=$(LUA_BIN); timeout -k 10 580 spec/onchain/run.sh

# Random faults against a stream, judged by what the service made; the same for long, judged by memory. Lua 5.4. With
# SANITIZE=address or thread the client and the service are such builds, and their reports fail the run.
SEED ?= 1
MINUTES ?= 1
FEEDS ?= 610
ORDER ?= feed
ORIGINS ?= two
.PHONY: chaos chaos-valgrind soak
chaos: all
	@$(USE_BUILD) $(if $(SANITIZE),scripts/sanitize $(SANITIZE) $(TREE)/reports/chaos-$(ORIGINS)) \
	scripts/for-minutes '$(MINUTES)' 600 $(WRAP) $(LUA_BIN) spec/chaos/run.lua $(SEED) $(MINUTES) $(FEEDS) $(ORDER) $(ORIGINS)

# A seed each plain, under ASan by the order of arrival, under TSan, and under that with one connection, whose work the
# script does while it waits; `make -j4` for all at once.
.PHONY: chaos-each chaos-plain chaos-address chaos-thread chaos-led
chaos-each: chaos-plain chaos-address chaos-thread chaos-led
chaos-plain:
	@$(MAKE) --no-print-directory chaos SEED=$(SEED)
chaos-address:
	@$(MAKE) --no-print-directory chaos SEED=$$(($(SEED) + 1)) SANITIZE=address ORDER=arrival
chaos-thread:
	@$(MAKE) --no-print-directory chaos SEED=$$(($(SEED) + 2)) SANITIZE=thread
chaos-led:
	@$(MAKE) --no-print-directory chaos SEED=$$(($(SEED) + 3)) SANITIZE=thread FEEDS=90 ORIGINS=one

# Valgrind runs one thread at a time, many times slower: 150 feeds are what it bears.
chaos-valgrind:
	@$(NO_AUTHORITIES) $(MAKE) --no-print-directory chaos WRAP="$(VALGRIND)" FEEDS=150

soak: all
	@$(USE_BUILD) scripts/for-minutes '$(MINUTES)' 120 $(LUA_BIN) spec/chaos/soak.lua $(MINUTES)

# Bars, averages and guards of random reports against a computation in Python; the specs do 20,000.
REPORTS ?= 1000000
.PHONY: bars-check
bars-check: all
	@$(USE_BUILD) python3 spec/bars/check.py $(LUA_BIN) $(REPORTS) $(SEED)

# Two relays, Redis, a reader and a group, each killed at random; SERVERS=3 for a cluster, SERVERS=kafka. RATE is of
# each feed.
.PHONY: relay-check
relay-check: FEEDS := $(if $(filter command environment,$(firstword $(origin FEEDS))),$(FEEDS),100)
relay-check: all
	@$(USE_BUILD) scripts/for-minutes '$(MINUTES)' 1200 $(LUA_BIN) spec/relay/run.lua $(SEED) $(MINUTES) $(FEEDS) $(or $(RATE),20) $(or $(SERVERS),1)

# A day of 20 feeds from the simulator, killed 20 times: the same bytes as of a run that was not. The rate limit makes it
# take a quarter of an hour.
.PHONY: history-check
history-check: all
	@$(USE_BUILD) export KILLS=20 HISTORY_FEEDS=20 HISTORY_SECONDS=86400 HISTORY_LIMIT=3000 LIMIT=6000; \
	scripts/run-specs spec/integration/history_spec.lua

# Every history of one feed of up to so many steps, against what is promised; and faults that this must find.
DEPTH ?= 7
.PHONY: model model-faults
$(TREE)/model: spec/model/model.c $(call object,$(filter-out %/feed_set.c,$(wildcard src/order/*.c))) Makefile
	@echo "  cc $<"
	$(Q)$(COMPILE) -MF $@.d -MT $@ -o $@ $(filter %.c %.o,$^)

model: $(TREE)/model
	@$< $(DEPTH)

model-faults:
	@spec/model/faults 6

# Plants small faults one after the other, and tells which ones no test notices. The whole takes days: a sample by SEED,
# so many of each folder, or FILES alone. JOBS at a time, as most tests wait.
.PHONY: mutants
mutants: MINUTES = 10
mutants: FLOOR ?= 80
mutants:
	@scripts/setup ci
	@JOBS=$${JOBS:-$$((2 * $$(nproc)))} FILES="$(FILES)" NEAR=$(NEAR) CHECKED=$(CHECKED) SAMPLE=$(SAMPLE) SEED=$(SEED) MINUTES=$(MINUTES) FLOOR=$(FLOOR) \
	LUA_BIN=$(LUA_BIN) $(LUA_BIN) spec/mutants/run.lua

interop: all
	@$(USE_BUILD) timeout -k 10 540 spec/interop/run.sh

lint:
	@LUA_CFLAGS="$(INCLUDES) $(LUA_INCLUDES)" scripts/lint

# The examples and the documentation against types/chainlink.lua.
.PHONY: types
types:
	@$(LUA_BIN) spec/types/run.lua

NOT_BUILT := $(if $(HIREDIS),,$(filter %/redis.c,$(REDIS)) src/lua/lredis.c) $(if $(RDKAFKA),,$(filter %/kafka.c,$(KAFKA)) src/lua/lkafka.c)
layers: $(call object,$(filter-out $(NOT_BUILT),$(ENGINE) $(SIMULATOR) $(sort $(REDIS) $(KAFKA)))) \
  $(call binding_object,$(filter-out $(NOT_BUILT),$(wildcard src/lua/*.c)))
	@NOT_BUILT='$(NOT_BUILT)' $(LUA_BIN) scripts/layers src $(TREE)/obj $(OUT)/obj

symbols: $(OUT)/chainlink/core.so $(OUT)/chainlink/simulator.so $(RELAY_MODULES)
	@scripts/symbols $^

luarocks:
	@timeout -k 10 280 scripts/test-luarocks

# ---- for people ----

demo:
	@scripts/setup demo
	@$(MAKE) --no-print-directory -s all
	@$(USE_BUILD) examples/demo.sh

.PHONY: demo-web demo-page
demo-web:
	@if LUA=luajit scripts/setup nginx; then $(MAKE) --no-print-directory -s LUA=luajit BY=nginx demo-page; else \
	  echo "Without nginx and its Lua module \`chainlink-streams serve\` serves the page." >&2; \
	  scripts/setup demo && $(MAKE) --no-print-directory -s BY=web demo-page; fi

demo-page: all
	@scripts/uplot || echo "Without it the page has no charts." >&2
	@$(USE_BUILD) examples/demo.sh $(BY)

BENCH_RUNS ?= 5
BENCH_REPORTS ?= 20000
BENCHES := $(patsubst spec/c/%.c,$(TREE)/c/%,$(wildcard spec/c/bench_*.c))
bench: all $(BENCHES)
	@$(USE_BUILD) bench/run $(TREE)/c $(BENCH_RUNS) $(BENCH_REPORTS)

# A recording of so many bytes, replayed at once.
.PHONY: bench-replay
BENCH_BYTES ?= 1000000000
bench-replay: all
	@$(USE_BUILD) $(LUA_BIN) bench/replay.lua $(BENCH_BYTES) $(BENCH_RUNS)

# Instructions of a report's stages, beside what they were.
.PHONY: bench-check
bench-check: all $(BENCHES)
	@$(USE_BUILD) $(LUA_BIN) bench/check.lua $(TREE)/c

# What the next two are measured on.
$(TREE)/peers/source: bench/peers/source.c $(TREE)/c/libcds.a Makefile | deps
	@mkdir -p $(@D)
	@echo "  cc $<"
	$(Q)$(COMPILE) -Ispec/c -MF $@.d -MT $@ -o $@ $< $(TREE)/c/libcds.a $(LIBS)

# Beside the official SDKs for Rust and TypeScript and the Python package, which are got by their versions.
.PHONY: bench-peers
bench-peers: all $(TREE)/peers/source
	@$(MAKE) --no-print-directory LUA=luajit all
	@$(USE_BUILD) bench/peers/run.sh $(BENCH_RUNS) $(ROWS)

# How a report's cost grows with feeds, origins, connections, the queue and history.
.PHONY: bench-growth
bench-growth: all $(TREE)/peers/source
	@$(USE_BUILD) folder=$$(mktemp -d) && $(LUA_BIN) bench/growth.lua "$$folder" $(BENCH_RUNS) $(ROWS); status=$$?; rm -rf "$$folder"; exit $$status

# What a feed costs an nginx, by wrk: medians of so many rounds, with so many reports a second.
.PHONY: bench-nginx
NGINX_REPORTS ?= 1000
bench-nginx:
	@scripts/setup ci
	@$(MAKE) --no-print-directory LUA=luajit bench-in-nginx

.PHONY: bench-in-nginx
bench-in-nginx: all
	@$(USE_BUILD) $(LUA_BIN) bench/nginx.lua $(BENCH_RUNS) 10 $(NGINX_REPORTS)

format:
	clang-format -i $(wildcard src/*/*.[ch] spec/c/*.[ch] spec/model/*.[ch] fuzz/*.[ch])

rockspec:
	$(LUA_BIN) scripts/rockspec

docs: all
	@$(USE_BUILD) $(LUA_BIN) scripts/schema-table

# Manual pages and completions, made of the table of commands; every Lua makes the same.
.PHONY: man
GENERATED := $(TREE)/manual
man: $(GENERATED)/made
$(GENERATED)/made: scripts/manual $(wildcard lua/chainlink/*.lua lua/chainlink/*/*.lua lua/chainlink/*/*/*.lua) | all
	@rm -rf $(@D) && mkdir -p $(@D)
	@$(USE_BUILD) $(LUA_BIN) scripts/manual $(@D)
	@touch $@

# PREFIX, DESTDIR and the rest reach the script by the environment, whatever is in them.
install uninstall: export PREFIX := $(PREFIX)
install uninstall: export DESTDIR := $(DESTDIR)
install uninstall: export LUA_ABI := $(LUA_ABI)
install uninstall: export LUA_BIN := $(LUA_BIN)
install uninstall: export OUT := $(OUT)
install uninstall: export GENERATED := $(GENERATED)
install: all man
	@scripts/install install
uninstall:
	@scripts/install uninstall

# ---- packages and releases: packaging/README.md ----

.PHONY: deb deb-try deb-check dist dist-check release-check lint-packaging
deb:
	@scripts/setup deb
	@scripts/deb

# In a root of its own, of the release of Debian that they were built on.
SUITE ?= $(shell . /etc/os-release && echo $$VERSION_CODENAME)
deb-check: deb
	@ALSO="$$(ls build/deb/*.deb)" scripts/test-in-root $(SUITE) deb-try
deb-try:
	@scripts/deb-try

dist:
	@scripts/dist
dist-check:
	@timeout -k 10 600 scripts/dist-check
.PHONY: site
site:
	@scripts/site
lint-packaging:
	@scripts/lint-packaging
release-check: all
	@$(USE_BUILD) scripts/release-check

help:
	@echo 'make [LUA=5.5|5.4|5.3|5.1|luajit]  build            make env      eval "$$(make -s env)" to use the build'
	@echo 'make demo                       watch it run     make install  PREFIX=/usr/local DESTDIR='
	@echo 'make demo-web                   watch it in a browser'
	@echo 'make uninstall                  takes away what that put there   make man     manual pages and completions'
	@echo 'make test                       everything that a change must pass: test-c test-lua'
	@echo 'make test-hosts                 the event loops, in each Lua   make test-nginx   nginx, under ASan and TSan'
	@echo 'make test-all-luas test-asan test-gc test-tsan test-valgrind interop test-onchain   the wider suites'
	@echo 'make coverage                   what the tests run of the codec, crypto and client'
	@echo 'make fuzz SECONDS=60               the fuzz targets, so long each'
	@echo 'make history-check                 a day of 20 feeds into a file, killed 20 times'
	@echo 'make model DEPTH=7                 every history of a feed up to so many steps   make model-faults'
	@echo 'make chaos SEED=1 MINUTES=1        random faults, and nothing may be lost; ORDER=arrival   make soak MINUTES=10'
	@echo 'make bars-check REPORTS=1000000    bars and averages of random reports against Python'
	@echo 'make relay-check MINUTES=3 FEEDS=100 RATE=20      relays and Redis, killed at random; SERVERS=3: a cluster'
	@echo 'make mutants FILES=src/codec       which planted faults no test notices; SEED= SAMPLE= MINUTES= JOBS='
	@echo 'make lint types layers symbols luarocks                        the checks'
	@echo 'make deb deb-check dist dist-check release-check lint-packaging site   packages and releases'
	@echo 'make bench bench-check bench-growth bench-nginx bench-peers bench-replay format docs rockspec clean'

clean:
	rm -rf build

-include $(wildcard $(TREE)/obj/*/*.d $(OUT)/obj/lua/*.d $(TREE)/c/*.d $(TREE)/*.d $(TREE)/peers/*.d)
