# bt-tools: GNU make, non-recursive. CC, CPPFLAGS, CFLAGS, LDFLAGS, PREFIX and
# DESTDIR are the user's. Objects go to $(BUILD).
#
#	make		the six tools, in build/bin
#	make deps	install the packages that building and testing need
#	make demo	a whole swarm on this machine, shown step by step
#	make check	every test; ends with "N passed, N failed"
#	make coverage	lines of codec and core that tests run
#	make bench	side by side with the programs that others have written
#	make check-long	the same and much more of it, for an hour or two
#	make install	binaries, man pages, completions, an example

BUILD ?=	build
PREFIX ?=	/usr/local
CFLAGS ?=	-O2 -g
PURE =		base codec core
ROOMS =		$(PURE) disk net cli session
TOOLS =		bt-info bt-make bt-scrape bt-tracker bt-get bt-seed

STD =		-std=c11 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -Icommon -pthread
WARN =		-Wall -Wextra -Wpedantic -Wmissing-prototypes \
		-Wstrict-prototypes -Wshadow -Wcast-qual -Wsign-compare \
		-Wpointer-arith -Wwrite-strings -Wvla -Wformat=2 -Wundef \
		-Wno-format-nonliteral -Werror=implicit-function-declaration
HARDEN =	-fstack-protector-strong -fPIE
LINK =		-pie -Wl,-z,relro,-z,now -Wl,--as-needed -pthread

.DELETE_ON_ERROR:
.SUFFIXES:
.PHONY: all

all:

# base/lanes has kernels for one family of processors, built for it alone
ARCH :=		$(firstword $(subst -, ,$(shell $(CC) -dumpmachine 2>/dev/null)))
NOT_HERE =	common/base/lanes_$(if $(filter x86_64,$(ARCH)),other,x86%).c
src =		$(filter-out $(NOT_HERE),$(wildcard $(addsuffix /*.c,$(1))))
obj =		$(patsubst %.c,$(BUILD)/%.o,$(sort $(src)))

$(BUILD)/libbt.a: $(call obj,$(addprefix common/,$(ROOMS)))
$(BUILD)/libbtpure.a: $(call obj,$(addprefix common/,$(PURE)))
# what of the tracker is as pure: for its unit tests, fuzz targets and bench
$(BUILD)/libbttracker.a: $(addprefix $(BUILD)/bt-tracker/,store.o store_room.o \
    store_save.o stats_page.o saved.o swarms.o oldest.o index.o peers.o connid.o request.o proxy.o \
    lists.o pace.o)
$(BUILD)/%.a:
	@mkdir -p $(@D)
	@rm -f $@
	$(AR) qcs $@ $^

# program: name, source folder, libraries
define program
all: $$(BUILD)/bin/$(1)
$$(BUILD)/bin/$(1): $$(call obj,$(2)) $$(BUILD)/libbt.a
	@mkdir -p $$(@D)
	$$(CC) $$(LINK) $$(CFLAGS) $$(LDFLAGS) -o $$@ $$^ $(3)
endef
# libcurl is not linked: net/httpc opens it when it is first needed
NETLIBS =	-levent_core -levent_extra
$(eval $(call program,bt-info,bt-info,$(NETLIBS) -ljansson -lseccomp -lunistring -lcrypto))
$(eval $(call program,bt-make,bt-make,-ljansson -lseccomp -lcrypto))
$(eval $(call program,bt-scrape,bt-scrape,$(NETLIBS) -ljansson -lseccomp -lcrypto))
$(eval $(call program,bt-tracker,bt-tracker,-levent_core -levent_pthreads -ljansson -lseccomp -lssl -lcrypto))
$(eval $(call program,bt-get,bt-get,$(NETLIBS) -ljansson -lseccomp -lcrypto))
$(eval $(call program,bt-seed,bt-seed,$(NETLIBS) -ljansson -lseccomp -lcrypto))

$(BUILD)/%.o: %.c
	@mkdir -p $(@D)
	$(CC) $(STD) $(WARN) $(HARDEN) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

-include $(wildcard $(BUILD)/*/*.d $(BUILD)/*/*/*.d)

# tests/unit/test_NAME.c is one cmocka program, linked with the pure archive;
# tests of disk/, net/ and cli/ (test_disk_*.c ...) with the whole one, those
# of bt-tracker (test_tracker_*.c) with the tracker's pure files
UNIT =	$(patsubst tests/unit/%.c,$(BUILD)/tests/unit/%,$(sort $(wildcard tests/unit/test_*.c)))
.SECONDARY:
$(BUILD)/tests/unit/test_disk_%: $(BUILD)/tests/unit/test_disk_%.o $(BUILD)/libbt.a
	$(CC) $(LINK) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lcmocka -lunistring -lcrypto
$(BUILD)/tests/unit/test_net_%: $(BUILD)/tests/unit/test_net_%.o $(BUILD)/libbt.a
	$(CC) $(LINK) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lcmocka $(NETLIBS) -lcrypto
$(BUILD)/tests/unit/test_cli_%: $(BUILD)/tests/unit/test_cli_%.o $(BUILD)/libbt.a
	$(CC) $(LINK) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lcmocka -ljansson -lseccomp -lcrypto
# the AVX-512 kernels of base/lanes, over instructions written in C
$(BUILD)/tests/unit/test_lanes_x16.o: STD += -Itests/unit/emulated
$(BUILD)/tests/unit/test_tracker_%.o: STD += -Ibt-tracker
$(BUILD)/tests/unit/test_tracker_%: $(BUILD)/tests/unit/test_tracker_%.o \
    $(BUILD)/libbttracker.a $(BUILD)/libbtpure.a
	$(CC) $(LINK) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lcmocka -lunistring -lcrypto
$(BUILD)/tests/unit/test_%: $(BUILD)/tests/unit/test_%.o $(BUILD)/libbtpure.a
	$(CC) $(LINK) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lcmocka -lunistring -lcrypto

RUN_UNIT =	$(UNIT:%=%.run)
.PHONY: unit $(RUN_UNIT)
unit: $(RUN_UNIT)
$(RUN_UNIT): %.run: %
	@echo "== $<"; $<

# The same tests, and the fuzz corpora, under the sanitizers in a build of their
# own. tests/fuzz/fuzz_NAME.c with replay.c runs the files of corpus/NAME; with
# libFuzzer, `make fuzz TIME=60`, it looks for more and keeps them in build/fuzz.
# -g1 is enough for a stack that is told, and compiles in two thirds of the time.
SAN =		-O1 -g1 -fno-omit-frame-pointer -fno-sanitize-recover=all \
		-fsanitize=address,undefined
FUZZ =		$(patsubst tests/fuzz/fuzz_%.c,%,$(sort $(wildcard tests/fuzz/fuzz_*.c)))
TIME =		60
$(BUILD)/tests/fuzz/fuzz_saved.o: STD += -Ibt-tracker
$(BUILD)/tests/fuzz/fuzz_request.o: STD += -Ibt-tracker
# what one target has besides
$(addprefix $(BUILD)/tests/fuzz/,replay_torrent fuzz_torrent): $(BUILD)/tests/fuzz/game.o
objects_first =	$(filter %.o,$^) $(filter %.a,$^)
$(BUILD)/tests/fuzz/replay_%: $(BUILD)/tests/fuzz/fuzz_%.o \
    $(BUILD)/tests/fuzz/replay.o $(BUILD)/libbttracker.a $(BUILD)/libbtpure.a
	$(CC) $(LINK) $(CFLAGS) $(LDFLAGS) -o $@ $(objects_first) -lunistring -lcrypto
$(BUILD)/tests/fuzz/fuzz_%: $(BUILD)/tests/fuzz/fuzz_%.o \
    $(BUILD)/libbttracker.a $(BUILD)/libbtpure.a
	$(CC) $(LINK) $(CFLAGS) $(LDFLAGS) -fsanitize=fuzzer -o $@ $(objects_first) -lunistring -lcrypto

# Real torrents with faults through bt-info's own entry: `make mutations`.
MUTATE =	$(BUILD)/tests/fuzz/mutate
MUTATIONS =	30000
$(MUTATE).o: STD += -Ibt-info
$(MUTATE): $(BUILD)/tests/fuzz/mutate.o $(filter-out %/main.o,$(call obj,bt-info)) \
    $(BUILD)/libbt.a
	$(CC) $(LINK) $(CFLAGS) $(LDFLAGS) -o $@ $^ $(NETLIBS) -ljansson -lunistring -lcrypto
.PHONY: mutations mutate-run
mutations:
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/asan CFLAGS="$(SAN)" mutate-run
mutate-run: $(MUTATE)
	@$(MUTATE) $(MUTATIONS) $(SEED) tests/data/torrents/*.torrent

.PHONY: unit-asan fuzz-replay fuzz replay hunt
unit-asan:
	@ASAN_OPTIONS=allocator_may_return_null=1 $(MAKE) --no-print-directory \
	    BUILD=$(BUILD)/asan CFLAGS="$(SAN)" unit
fuzz-replay:
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/asan CFLAGS="$(SAN)" replay
fuzz:
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/fuzz CC=clang \
	    CFLAGS="$(SAN) -fsanitize=fuzzer-no-link" hunt
replay: $(FUZZ:%=$(BUILD)/tests/fuzz/replay_%)
	@for t in $(FUZZ); do echo "== $$t"; \
	    $(BUILD)/tests/fuzz/replay_$$t tests/fuzz/corpus/$$t || exit 1; done
hunt: $(FUZZ:%=$(BUILD)/tests/fuzz/fuzz_%)
	@bad=0; for t in $(FUZZ); do echo "== $$t"; \
	    mkdir -p $(BUILD)/corpus/$$t; \
	    if $(BUILD)/tests/fuzz/fuzz_$$t -max_total_time=$(TIME) \
		-timeout=10 -artifact_prefix=$(BUILD)/found-$$t- \
		-print_final_stats=1 \
		$(BUILD)/corpus/$$t tests/fuzz/corpus/$$t; \
	    then echo 'passed: 1'; else bad=1; echo 'failed: 1'; fi; \
	done; exit $$bad

# Lines of codec and core that unit tests, sim and corpora run.
.PHONY: coverage pure-unit
PURE_UNIT =	$(filter-out $(foreach r,disk net cli tracker, \
		$(BUILD)/tests/unit/test_$(r)_%),$(UNIT))
pure-unit: $(PURE_UNIT:%=%.run)
COVER =		BUILD=$(BUILD)/cover CFLAGS="-O0 -g --coverage"
coverage:
	@find $(BUILD)/cover -name '*.gcda' -delete 2>/dev/null || :
	@$(MAKE) --no-print-directory -s $(COVER) pure-unit >/dev/null 2>&1
	@$(MAKE) --no-print-directory -s $(COVER) replay >/dev/null 2>&1
	@$(MAKE) --no-print-directory -s $(COVER) SEED=1 RUN='-q -r 1' sim >/dev/null
	@tests/lib/coverage.sh $(BUILD)/cover

# tests/sim: swarms in virtual time on the real core. `make sim SEED=n RUN=name`
# replays one; sim-long takes fresh seeds.
SEED =		1
SIM =		$(BUILD)/tests/sim/sim
$(SIM): $(call obj,tests/sim) $(BUILD)/libbtpure.a
	$(CC) $(LINK) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lcrypto

.PHONY: sim sim-faults sim-long sim-digest sim-plant sim-proof
sim: $(SIM)
	@$(SIM) -s $(SEED) $(RUN)
# worlds of faults: seeds FROM .. FROM + COUNT - 1
FROM =		1
COUNT =		10000
sim-faults: $(SIM)
	@tests/sim/faults.sh $(SIM) $(FROM) $(COUNT)
sim-long: $(SIM)
	@$(SIM) -s $$(od -An -N4 -tu4 /dev/urandom) -r 20
# the same digests from gcc, clang and the sanitizers; planted bugs are caught
sim-proof: sim-digest sim-plant
sim-digest:
	@tests/sim/digest.sh $(BUILD) $(SAN)
sim-plant:
	@tests/sim/plant.sh

# tests/evil: hostile peers, trackers and torrents against the tools, with a
# clock that may run faster; evil-peers runs the same against other programs and
# writes the table of its README, which takes half an hour.
FASTCLOCK =	$(BUILD)/tests/evil/fastclock.so
$(FASTCLOCK): tests/evil/fastclock.c
	@mkdir -p $(@D)
	$(CC) $(STD) $(WARN) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -fPIC -shared -o $@ $<

.PHONY: evil evil-peers
evil: all $(FASTCLOCK)
	@BUILD=$(BUILD) python3 tests/evil/run.py
evil-peers: all $(FASTCLOCK)
	@BUILD=$(BUILD) python3 tests/evil/others.py

# tests/bench: NAME.c with a main() is a program, the rest is what they share
# or, storebench, linked with more.
BENCH_REST =	rig hasher ways announce_udp announce_http storebench
BENCH =		$(patsubst tests/bench/%.c,$(BUILD)/tests/bench/%,$(filter-out \
		$(BENCH_REST:%=tests/bench/%.c),$(sort $(wildcard tests/bench/*.c))))
$(BENCH): $(BUILD)/tests/bench/%: $(BUILD)/tests/bench/%.o \
    $(BUILD)/tests/bench/rig.o $(BUILD)/tests/bench/hasher.o \
    $(BUILD)/tests/bench/ways.o $(BUILD)/libbtpure.a
	$(CC) $(LINK) $(CFLAGS) $(LDFLAGS) -o $@ $(objects_first) -lcrypto -lm
$(BUILD)/tests/bench/announce: $(addprefix $(BUILD)/tests/bench/announce_,udp.o http.o)
# what an announce costs in the tracker's store
STOREBENCH =	$(BUILD)/tests/bench/storebench
$(STOREBENCH).o: STD += -Ibt-tracker
$(STOREBENCH): $(BUILD)/tests/bench/storebench.o \
    $(BUILD)/libbttracker.a $(BUILD)/libbtpure.a
	$(CC) $(LINK) $(CFLAGS) $(LDFLAGS) -o $@ $^ -lm -lcrypto
# libtorrent as a peer of its own: only for `make bench`, with what it installs
$(BUILD)/tests/bench/lthost: tests/bench/lthost.cpp
	@mkdir -p $(@D)
	$(CXX) -std=c++17 -O2 -o $@ $< \
	    $$(pkg-config --cflags --libs libtorrent-rasterbar) -pthread


# `make bench ROWS="one-to-one swarm"`: see tests/bench/README.md.
.PHONY: bench bench-build bench-programs
bench-programs: $(BENCH) $(STOREBENCH)
bench-build: deps-build
	@tests/lib/deps.sh $(BENCH_PKGS)
	@$(MAKE) --no-print-directory all $(BENCH) $(BUILD)/tests/bench/lthost
bench: bench-build
	@BUILD=$(BUILD) python3 tests/bench/bench.py $(ROWS)

# tests/soak: bt-tracker under load, rubbish and crowds, of the sanitizers where
# that shows more.
.PHONY: soak soak-build
soak-build: $(BUILD)/bin/bt-tracker $(BUILD)/tests/bench/announce
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/asan CFLAGS="$(SAN)" \
	    $(BUILD)/asan/bin/bt-tracker
soak: soak-build
	@BT_ASAN=$(BUILD)/asan/bin $(BATS) tests/soak

# All that is compiled, for the lint that both compilers are content with it.
.PHONY: everything
everything: all $(FASTCLOCK) $(UNIT) $(SIM) $(MUTATE) $(BENCH) $(STOREBENCH) $(FUZZ:%=$(BUILD)/tests/fuzz/replay_%)

# What building needs, and what testing needs besides.
BUILD_PKGS =	libc6-dev libevent-dev libssl-dev libcurl4-openssl-dev \
		libcurl4 libjansson-dev libseccomp-dev libunistring-dev
TEST_PKGS =	libcmocka-dev bats bats-assert bats-support bash binutils \
		clang llvm clang-format libclang-rt-14-dev curl python3 \
		python3-libtorrent transmission-cli transmission-daemon aria2 \
		rtorrent opentracker mktorrent iproute2 e2fsprogs bsdutils procps \
		openssl util-linux parallel mandoc git xxd valgrind
# What is measured beside ours, and a compiler for libtorrent's host.
BENCH_PKGS =	g++ libtorrent-rasterbar-dev pkg-config transmission-cli aria2 \
		rtorrent mktorrent iproute2 util-linux python3 openssl

.PHONY: deps deps-build
deps-build:
	@tests/lib/deps.sh $(BUILD_PKGS)
deps:
	@tests/lib/deps.sh $(BUILD_PKGS) $(TEST_PKGS)
	@tests/lib/npm.sh $(BUILD)/npm

.PHONY: demo
demo: deps-build
	@$(MAKE) --no-print-directory all
	@tests/e2e/demo.sh $(BUILD)/bin

# What is compiled, and each program of the unit tests, runs side by side.
CORES :=	$(shell nproc 2>/dev/null || echo 1)

# Each suite is "name=command"; tests/lib/check.sh counts. Real clients wait for
# timers most of the time: what only computes ("&") runs beside them, and what
# measures ("!") beside nobody.
BATS =		bats --tap --print-output-on-failure
# Most tests wait more than they work: their files run side by side, but for
# those that measure time, or how much of the machine one tool takes.
BESIDE =	$(BATS) -j $(CORES) --no-parallelize-within-files
ALONE =		$(patsubst %,tests/e2e/%.bats,bench limits memory scale swarm)
# unit and the digests run what lint has compiled
OF_LINT =	$(if $(shell command -v gcc),BUILD=$(BUILD)/gcc CC=gcc CFLAGS="-O2 -Werror")
SUITES =	'lint=$(BESIDE) tests/lint' \
		'unit=$(MAKE) $(OF_LINT) -O -j$(CORES) -k unit' \
		'sanitized unit&=$(MAKE) -O -j$(CORES) -k unit-asan' \
		'corpora&=$(MAKE) -j$(CORES) fuzz-replay' \
		'mutations&=$(MAKE) mutations' \
		'sim&=$(MAKE) sim' \
		'sim proof&=$(MAKE) -O -j$(CORES) -k sim-proof' \
		'interop=$(BATS) -j 4 --no-parallelize-across-files tests/interop' \
		'e2e=$(BESIDE) $(filter-out $(ALONE),$(wildcard tests/e2e/*.bats))' \
		'e2e alone!=$(BATS) $(ALONE)' \
		'evil=$(MAKE) evil' \
		'conformance=$(BATS) tests/conformance' \
		'soak=$(MAKE) soak'

# The full products, fresh seeds, and the tools of other builds under e2e: not
# what measures the product itself.
E2E =		$(filter-out %/memory.bats %/install.bats %/bench.bats, \
		$(wildcard tests/e2e/*.bats))
MORE =		'sim long=$(MAKE) sim-long' \
		'sim faults=$(MAKE) sim-faults' \
		'a million mutations=$(MAKE) mutations MUTATIONS=1000000' \
		'fuzz=$(MAKE) fuzz' \
		'e2e by clang=BT_BIN=$(BUILD)/clang/bin $(BATS) $(E2E)' \
		'sanitized e2e=BT_BIN=$(BUILD)/asan/bin $(BATS) $(E2E)' \
		'e2e of threads=BT_BIN=$(BUILD)/tsan/bin $(BATS) $(E2E)' \
		'load of threads=DURATION=60 BT_BIN=$(BUILD)/tsan/bin $(BATS) tests/soak/load.bats'

.PHONY: check check-long
check: deps
	@$(MAKE) --no-print-directory -j$(CORES) all
	@tests/lib/check.sh $(SUITES)
check-long: deps
	@$(MAKE) --no-print-directory all
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/clang CC=clang \
	    CFLAGS="-O2 -Werror"
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/asan CFLAGS="$(SAN)"
	@$(MAKE) --no-print-directory BUILD=$(BUILD)/tsan \
	    CFLAGS="-O1 -g -fsanitize=thread"
	@BT_FULL=1 tests/lib/check.sh $(SUITES) $(MORE)

MAN1 =		$(foreach t,$(TOOLS),$(t)/$(t).1)
.PHONY: install
install: all
	install -d $(DESTDIR)$(PREFIX)/bin \
	    $(DESTDIR)$(PREFIX)/share/man/man1 \
	    $(DESTDIR)$(PREFIX)/share/man/man7 \
	    $(DESTDIR)$(PREFIX)/share/bash-completion/completions \
	    $(DESTDIR)$(PREFIX)/share/zsh/site-functions \
	    $(DESTDIR)$(PREFIX)/share/doc/bt-tools
	install -m 755 $(addprefix $(BUILD)/bin/,$(TOOLS)) \
	    $(DESTDIR)$(PREFIX)/bin
	install -m 644 $(MAN1) $(DESTDIR)$(PREFIX)/share/man/man1
	install -m 644 common/bt-tools.7 $(DESTDIR)$(PREFIX)/share/man/man7
	install -m 644 bt-tracker/bt-tracker.service \
	    $(DESTDIR)$(PREFIX)/share/doc/bt-tools
	for t in $(TOOLS); do \
	    install -m 644 $$t/$$t.bash \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions/$$t && \
	    install -m 644 $$t/_$$t \
		$(DESTDIR)$(PREFIX)/share/zsh/site-functions/_$$t || exit 1; \
	done

.PHONY: clean
clean:
	rm -rf $(BUILD)
