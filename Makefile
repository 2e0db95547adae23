# SPDX-License-Identifier: MIT
# Builds out of tree, per Lua version: build/$(LUA)/chainlink/{core,simulator}.so. `make help` lists the targets.

LUA ?= 5.4
# Set by the sanitizer targets: address or thread. Such a build lives in a tree of its own.
SANITIZE ?=
PREFIX ?= /usr/local
CFLAGS ?= -O2 -g

# ---- what to build with ----

LUA_ABI := $(if $(filter luajit,$(LUA)),5.1,$(LUA))
LUA_NAMES := $(if $(filter luajit,$(LUA)),luajit,lua$(LUA) lua-$(LUA) lua$(subst .,,$(LUA)))
LUA_PC := $(or $(shell for p in $(LUA_NAMES); do pkg-config --exists $$p 2>/dev/null && echo $$p && break; done),$(firstword $(LUA_NAMES)))
LUA_BIN := $(or $(shell command -v $(LUA_NAMES) 2>/dev/null | head -n 1),$(firstword $(LUA_NAMES)))
MODULES := libcurl libwebsockets openssl libsecp256k1
LIBS := $(shell pkg-config --libs $(MODULES) 2>/dev/null) -lpthread -lm

WARNINGS := -Wall -Wextra -Wconversion -Wshadow
HARDEN := -fstack-protector-strong $(if $(SANITIZE),,-D_FORTIFY_SOURCE=2)
SANITIZERS := $(SANITIZE:address=address,undefined)
SANITIZER_FLAGS := $(if $(SANITIZE),-fsanitize=$(SANITIZERS) -fno-sanitize-recover=all -fno-omit-frame-pointer -O1)
INCLUDES := -Isrc $(shell pkg-config --cflags $(MODULES) 2>/dev/null)
LUA_INCLUDES := $(shell pkg-config --cflags $(LUA_PC) 2>/dev/null)
COMPILE = $(CC) -std=gnu11 $(CPPFLAGS) $(INCLUDES) $(CFLAGS) $(WARNINGS) $(HARDEN) $(SANITIZER_FLAGS) -fPIC -fvisibility=hidden -pthread -MMD -MP
LINK = $(CC) $(SANITIZER_FLAGS) -pthread -Wl,-z,relro,-z,now -Wl,--as-needed $(LDFLAGS)

# ---- what to build ----

TREE := build$(SANITIZE:%=/%)
OUT := $(TREE)/$(LUA)
ENGINE := $(wildcard $(foreach layer,base codec crypto net client,src/$(layer)/*.c))
SIMULATOR := $(wildcard src/simulator/*.c)
SIMULATOR_SHARES := $(wildcard src/base/*.c src/codec/hex.c src/crypto/hmac.c src/crypto/keccak.c)
BINDING := $(filter-out src/lua/lsimulator.c,$(wildcard src/lua/*.c))
C_TESTS := $(patsubst spec/c/%.c,$(TREE)/c/%,$(wildcard spec/c/test_*.c))

object = $(patsubst src/%.c,$(TREE)/obj/%.o,$(1))
binding_object = $(patsubst src/%.c,$(OUT)/obj/%.o,$(1))

.PHONY: all deps help env install demo bench clean format
.PHONY: test test-c test-lua test-all-luas test-asan test-tsan test-valgrind interop lint layers symbols luarocks rockspec
.DELETE_ON_ERROR:
.SECONDARY:

all: $(OUT)/chainlink/core.so $(OUT)/chainlink/simulator.so $(OUT)/bin/chainlink-streams

$(OUT)/chainlink/core.so: $(call object,$(ENGINE)) $(call binding_object,$(BINDING))
	@mkdir -p $(@D)
	$(LINK) -shared -o $@ $^ $(LIBS)

$(OUT)/chainlink/simulator.so: $(call object,$(SIMULATOR) $(SIMULATOR_SHARES)) $(call binding_object,$(wildcard src/lua/lsimulator.c))
	@mkdir -p $(@D)
	$(LINK) -shared -o $@ $^ $(LIBS)

$(OUT)/obj/lua/%.o: src/lua/%.c Makefile | deps
	@mkdir -p $(@D)
	$(COMPILE) $(LUA_INCLUDES) -c -o $@ $<

$(TREE)/obj/%.o: src/%.c Makefile | deps
	@mkdir -p $(@D)
	$(COMPILE) -c -o $@ $<

# The command, usable from the checkout whatever the working directory.
$(OUT)/bin/chainlink-streams: Makefile
	@mkdir -p $(@D)
	@{ echo '#!/bin/sh'; $(MAKE) -s env LUA=$(LUA) SANITIZE=$(SANITIZE); \
	   echo "exec $(LUA_BIN) '$(CURDIR)/bin/chainlink-streams' \"\$$@\""; } > $@
	@chmod +x $@

deps:
	@pkg-config --exists --print-errors $(MODULES) $(LUA_PC) || \
	  { echo "Something to build with is missing: scripts/setup demo installs it."; exit 1; }

env:
	@echo "export LUA_PATH='$(CURDIR)/lua/?.lua;$(CURDIR)/lua/?/init.lua;;'"
	@echo "export LUA_CPATH='$(CURDIR)/$(OUT)/?.so;;'"
	@echo "export PATH='$(CURDIR)/$(OUT)/bin':\"\$$PATH\""

# ---- C tests: everything but the binding, in an archive ----

$(TREE)/c/libcds.a: $(call object,$(ENGINE) $(SIMULATOR))
	@mkdir -p $(@D)
	@rm -f $@
	$(AR) rcs $@ $^

$(TREE)/c/%: spec/c/%.c $(TREE)/c/libcds.a Makefile | deps
	$(COMPILE) -Ispec/c -MF $@.d -MT $@ -o $@ $< $(TREE)/c/libcds.a $(LIBS)

test-c: $(C_TESTS)
	@scripts/run-c-tests $(C_TESTS)

clean:
	rm -rf build

-include $(wildcard $(TREE)/obj/*/*.d $(OUT)/obj/lua/*.d $(TREE)/c/*.d)
