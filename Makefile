# A thin front to CMake; `make demo` and `make check` also install what is missing (tools/setup).
BUILD  ?= build
PREFIX ?= /usr/local
JOBS   ?= $(shell nproc 2>/dev/null || echo 2)
FUZZ_SECONDS ?= 30
FLAGS  ?=

SYSTEMS = binarynet-mlp diehl2015-mlp softlif-mlp surrogate-mlp diehl-cook-2015
OURS = $(shell git ls-files '*.c' '*.h' 2>/dev/null)
# the compiler that is not the default one
OTHER = $(if $(findstring clang,$(shell $(CC) --version)),gcc,clang)

all: $(BUILD)/CMakeCache.txt
	@cmake --build $(BUILD) --parallel $(JOBS)

$(BUILD)/CMakeCache.txt:
	@cmake -S . -B $(BUILD) $(FLAGS)

setup:
	@tools/setup

demo: setup
	@$(MAKE) --no-print-directory $(BUILD)/CMakeCache.txt
	@cmake --build $(BUILD) --parallel $(JOBS) --target rheobase
	@tools/demo $(BUILD)/rheobase $(SYSTEMS)

check: setup
	@$(MAKE) --no-print-directory $(BUILD)/CMakeCache.txt
	@tools/check-floors
	@cmake --build $(BUILD) --parallel $(JOBS) --target all tests
	@ctest --test-dir $(BUILD) --output-on-failure --timeout 300 --parallel $(JOBS)

install:
	@cmake -S . -B $(BUILD) -DCMAKE_INSTALL_PREFIX=$(PREFIX) $(FLAGS)
	@cmake --build $(BUILD) --parallel $(JOBS)
	@cmake --install $(BUILD)

uninstall:
	@cmake --build $(BUILD) --target uninstall

# Whole tasks beside their floors; bench-kernels: single kernels, for who works on them.
bench: $(BUILD)/CMakeCache.txt
	@cmake --build $(BUILD) --parallel $(JOBS) --target rheobase
	@$(BUILD)/rheobase bench

bench-kernels: $(BUILD)/CMakeCache.txt
	@cmake --build $(BUILD) --parallel $(JOBS) --target bench
	@$(BUILD)/bench_kernels

# The engine beside other frameworks, in turns (docs/bench.md). Their environment, some gigabytes, is made
# by: bench/peers/setup FOLDER; without it our half and the floors are timed.
PEERS ?= $(or $(RHEOBASE_PEERS),$(HOME)/.cache/rheobase/peers)
bench-peers: $(BUILD)/CMakeCache.txt
	@cmake --build $(BUILD) --parallel $(JOBS) --target rheobase
	@bench/peers/run.py --rheobase $(BUILD)/rheobase --python $(PEERS)/bin/python \
	    --json $(BUILD)/bench-peers.json --table bench/RESULTS.md $(BENCH)

# asan and ubsan run the tests under that sanitizer; both-compilers builds with the other compiler.
asan: SANITIZE = address
ubsan: SANITIZE = undefined
asan ubsan: setup
	@cmake -S . -B build-$@ -DRHEO_SANITIZE=$(SANITIZE)
	@cmake --build build-$@ --parallel $(JOBS) --target all tests
	@ctest --test-dir build-$@ --output-on-failure --timeout 900 --parallel $(JOBS)

both-compilers: all
	@tools/setup clang
	@cmake -S . -B build-$(OTHER) -DCMAKE_C_COMPILER=$(OTHER)
	@cmake --build build-$(OTHER) --parallel $(JOBS) --target all tests bench

# Each target starts from tests/corpus/NAME where there is one, and keeps what it finds in build-fuzz.
fuzz:
	@tools/setup clang
	@cmake -S . -B build-fuzz -DCMAKE_C_COMPILER=clang -DRHEO_FUZZ=ON
	@cmake --build build-fuzz --parallel $(JOBS) --target fuzz
	@for program in build-fuzz/fuzz_*; do \
	    name=$${program#build-fuzz/fuzz_}; found=build-fuzz/found/$$name; mkdir -p $$found; \
	    seeds=tests/corpus/$$name; [ -d $$seeds ] || seeds=; echo "fuzz $$name, $(FUZZ_SECONDS) s"; \
	    $$program -max_total_time=$(FUZZ_SECONDS) -timeout=10 -rss_limit_mb=2048 -verbosity=0 \
	        -print_final_stats=1 -artifact_prefix=build-fuzz/ $$found $$seeds || exit 1; done

lint: $(BUILD)/CMakeCache.txt
	@tools/setup lint
	@tools/check-floors
	@cppcheck --quiet --error-exitcode=1 --std=c11 --enable=warning,performance,portability \
	    --inline-suppr --suppress=missingIncludeSystem --suppress=invalidFunctionArg --library=tools/cppcheck.cfg \
	    -j $(JOBS) -D_GNU_SOURCE -Iinclude -Isrc src cli
	@clang-tidy --quiet -p $(BUILD) $(filter src/%.c cli/%.c,$(OURS))

format:
	@tools/setup lint
	@clang-format -i $(OURS)

# The reference of commands, models and methods, from the tables that the engine uses.
docs: all
	@tools/make-reference $(BUILD)/rheobase >docs/reference.md.new
	@mv docs/reference.md.new docs/reference.md
	@echo docs/reference.md

clean:
	@rm -rf build build-*

.PHONY: all setup demo check install uninstall bench bench-kernels bench-peers asan ubsan both-compilers fuzz lint format docs clean
