# SPDX-License-Identifier: Apache-2.0
# Balance's own tests: C unit tests and fuzz targets, and the whole of Balance under sanitizers for the black-box tests in
# test/balance/*.test.ts. Included by the top-level Makefile; everything built goes to dist/test/.
#
# A unit test or fuzz target is one file in test/balance/unit/ or test/balance/fuzz/; it is found, built and run by being there.

BALANCE_TEST_APT := gcc libc6-dev binutils libcmocka-dev libssl-dev clang libclang-rt-$(shell clang --version 2>/dev/null | \
  sed -n 's/.*version \([0-9]*\)\..*/\1-/p' || :)dev
FUZZ_SECONDS ?= 60

# What sources beside src/balance/ need, to be added to by whoever adds them.
BALANCE_TEST_CFLAGS += -I$(LLHTTP)/include -I$(HITCH)/include
BALANCE_TEST_LIBS +=

BALANCE_T := dist/test
BALANCE_C := $(wildcard src/balance/*.c)
BALANCE_UNITS := $(patsubst test/balance/unit/%.c,$(BALANCE_T)/unit/%,$(wildcard test/balance/unit/*_test.c))
BALANCE_FUZZ := $(patsubst test/balance/fuzz/%.c,$(BALANCE_T)/fuzz/%,$(wildcard test/balance/fuzz/fuzz_*.c))
BALANCE_GCC = gcc -std=c11 -D_GNU_SOURCE -O1 -g -fno-omit-frame-pointer -Wall -Wextra -Werror -Isrc/balance -MMD -MP \
  -fsanitize=address,undefined -fno-sanitize-recover=all $(BALANCE_TEST_CFLAGS)
BALANCE_CLANG = clang -std=c11 -D_GNU_SOURCE -O1 -g -fno-omit-frame-pointer -Wall -Wextra -Werror -Isrc/balance -MMD -MP \
  -fsanitize=address,undefined -fno-sanitize-recover=all $(BALANCE_TEST_CFLAGS)

# llhttp under the same sanitizers, from the sources its build leaves. Looked up when first used, so that no other target needs it.
LLHTTP = $(eval LLHTTP := $(shell vendor/prefix.sh llhttp))$(LLHTTP)
HITCH = $(eval HITCH := $(shell vendor/prefix.sh hitch))$(HITCH)
LLHTTP_O := llhttp-llhttp.o llhttp-api.o llhttp-http.o

.PHONY: test-balance test-balance-cli bench-choose fuzz balance-test-deps balance-test-build balance-fuzz-build

##@ Balance
test-balance: balance-test-deps ## C unit tests, then the fuzz targets for FUZZ_SECONDS (60) each, all under sanitizers
	@$(MAKE) --no-print-directory -j"$$(nproc)" balance-test-build balance-fuzz-build
	@test/balance/run-unit.sh $(BALANCE_UNITS)
	@test/balance/run-fuzz.sh $(FUZZ_SECONDS) $(BALANCE_FUZZ)

test-balance-cli: ## the command line, black box, from the manual page: BALANCE=/path tests any program (default: ours)
	@$(NODE) --test 'test/balance-cli/*.test.ts'

bench-choose: balance-test-deps ## what choosing a channel costs, by strategy and size of the pool
	@mkdir -p $(BALANCE_T)
	@gcc -std=c11 -D_GNU_SOURCE -O2 -Isrc/balance $(BALANCE_TEST_CFLAGS) -o $(BALANCE_T)/choose bench/choose.c $(BALANCE_C) \
	  $(LLHTTP_O:llhttp-%.o=$(LLHTTP)/src/%.c) $(BALANCE_TEST_LIBS)
	@$(BALANCE_T)/choose 4
	@$(BALANCE_T)/choose 64

fuzz: balance-test-deps ## only the fuzz targets, FUZZ_SECONDS (60) each
	@$(MAKE) --no-print-directory -j"$$(nproc)" balance-fuzz-build
	@test/balance/run-fuzz.sh $(FUZZ_SECONDS) $(BALANCE_FUZZ)

balance-test-deps:
	@vendor/deps.sh $(BALANCE_TEST_APT)
	@vendor/build.sh musl libev openssl hitch llhttp

balance-test-build: $(BALANCE_UNITS) $(BALANCE_T)/balance
balance-fuzz-build: $(BALANCE_FUZZ)

# Everything but main(), so that a test takes in just what it names. Both compilers: libFuzzer comes with clang.
$(BALANCE_T)/gcc/libbalance.a: $(BALANCE_C:src/balance/%.c=$(BALANCE_T)/gcc/%.o)
$(BALANCE_T)/clang/libbalance.a: $(BALANCE_C:src/balance/%.c=$(BALANCE_T)/clang/%.o)
$(BALANCE_T)/gcc/libbalance.a: $(LLHTTP_O:%=$(BALANCE_T)/gcc/%)
$(BALANCE_T)/clang/libbalance.a: $(LLHTTP_O:%=$(BALANCE_T)/clang/%)
$(BALANCE_T)/%/libbalance.a:
	@rm -f $@ && ar rcs $@ $^

$(BALANCE_T)/gcc/%.o: src/balance/%.c
	@mkdir -p $(@D) && echo "  gcc    $<" && $(BALANCE_GCC) -c -o $@ $<

$(BALANCE_T)/clang/%.o: src/balance/%.c
	@mkdir -p $(@D) && echo "  clang  $<" && $(BALANCE_CLANG) -fsanitize=fuzzer-no-link -c -o $@ $<

# Generated code, so without our warnings.
$(BALANCE_T)/gcc/llhttp-%.o: vendor/packages/llhttp.sh
	@mkdir -p $(@D) && echo "  gcc    llhttp: $*.c" && $(BALANCE_GCC) -w -c -o $@ $(LLHTTP)/src/$*.c

$(BALANCE_T)/clang/llhttp-%.o: vendor/packages/llhttp.sh
	@mkdir -p $(@D) && echo "  clang  llhttp: $*.c" && $(BALANCE_CLANG) -w -fsanitize=fuzzer-no-link -c -o $@ $(LLHTTP)/src/$*.c

# The wrapped allocator lets a test refuse memory at any one call; test/balance/unit/refuse.h.
$(BALANCE_T)/unit/%: test/balance/unit/%.c $(BALANCE_T)/gcc/libbalance.a
	@mkdir -p $(@D) && echo "  test   $<" && $(BALANCE_GCC) -o $@ $< $(BALANCE_T)/gcc/libbalance.a $(BALANCE_TEST_LIBS) -lcmocka \
	  $$(grep -q '"refuse.h"' $< && echo -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc || :) \
	  $$(grep -q 'include <openssl/' $< && echo -lssl -lcrypto || :)

$(BALANCE_T)/fuzz/%: test/balance/fuzz/%.c $(BALANCE_T)/clang/libbalance.a
	@mkdir -p $(@D) && echo "  fuzz   $<" && $(BALANCE_CLANG) -fsanitize=fuzzer -o $@ $< $(BALANCE_T)/clang/libbalance.a $(BALANCE_TEST_LIBS)

$(BALANCE_T)/balance: test/balance/balance.c $(BALANCE_T)/gcc/libbalance.a
	@echo "  link   $@" && $(BALANCE_GCC) -o $@ $< $(BALANCE_T)/gcc/libbalance.a $(BALANCE_TEST_LIBS)

-include $(wildcard $(BALANCE_T)/gcc/*.d $(BALANCE_T)/clang/*.d $(BALANCE_T)/unit/*.d $(BALANCE_T)/fuzz/*.d $(BALANCE_T)/*.d)
