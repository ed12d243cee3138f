# The rules of the house, on this tree; and each one seen to fail on a tree
# where it is broken.

setup() {
	load ../lib/common
	bt_setup
	source "$BT_ROOT/tests/lint/rules.sh"
	: "${BT_BUILD:=$BT_ROOT/build}"
}

holds() {
	local broken

	broken=$(cd "$BT_ROOT" && "$@")
	[ -z "$broken" ] || {
		echo "$broken"
		false
	}
}

# plant FILE TEXT: a tree of sources in which FILE ends with TEXT
plant() {
	mkdir -p tree
	(cd "$BT_ROOT" && tar cf - --exclude='tests/fuzz/corpus' common bt-* \
	    tests .clang-format) | tar xf - -C tree
	cd tree
	printf '%s\n' "$2" >>"$1"
}

breaks() {
	local broken

	broken=$("$@")
	[[ $broken == *"$planted"* ]] || {
		echo "not caught: $planted"
		echo "$broken"
		false
	}
}

@test "includes follow the arrows" {
	holds rule_arrows
	planted=common/core/layout.c
	plant $planted '#include "net/loop.h"'
	breaks rule_arrows
}

@test "no relative includes in the library" {
	planted=common/codec/wire.c
	plant $planted '#include "ext.h"'
	breaks rule_arrows
}

@test "a foreign header enters by one door" {
	holds rule_foreign_headers
	planted=common/codec/metainfo.c
	plant $planted '#include <openssl/sha.h>'
	breaks rule_foreign_headers
}

@test "the pure rooms name no clock, socket, file, coin or exit" {
	holds rule_purity "$BT_BUILD/libbtpure.a"
	planted=clock_gettime
	cat >p.c <<-'C'
		#include <time.h>
		int bt_p(struct timespec *t);
		int bt_p(struct timespec *t)
		{ return clock_gettime(CLOCK_MONOTONIC, t); }
	C
	${CC:-cc} -c p.c && ar rcs p.a p.o
	breaks rule_purity p.a
}

@test "the tracker's store and codecs are as pure" {
	for o in store store_room store_save saved swarms oldest index peers connid request proxy lists pace; do
		holds rule_purity "$BT_BUILD/bt-tracker/$o.o"
	done
}

@test "the pure rooms keep no state at file scope" {
	planted=counter
	cat >p.c <<-'C'
		int bt_p(void);
		static int counter;
		int bt_p(void) { return ++counter; }
	C
	${CC:-cc} -c p.c && ar rcs p.a p.o
	breaks rule_purity p.a
}

@test "exported names begin with bt_ and their file" {
	holds rule_prefix build
	planted=bt_other_thing
	mkdir -p b/common/core
	echo 'void bt_other_thing(void); void bt_other_thing(void) {}' >p.c
	${CC:-cc} -c -o b/common/core/picker.o p.c
	breaks rule_prefix b
}

@test "no function is longer than 70 lines" {
	holds rule_function_length
	planted=common/core/rate.c
	plant $planted "$(printf 'int\nlong_one(void)\n{\n'
	    yes '	;' | head -75
	    printf '}')"
	breaks rule_function_length
}

@test "no file is longer than 600 lines, no header of the library than 130" {
	holds rule_file_length
	planted=common/core/rate.c
	plant $planted "$(yes '/* */' | head -600)"
	breaks rule_file_length
	planted=common/core/rate.h
	yes '/* */' | head -130 >>$planted
	breaks rule_file_length
	for planted in tests/unit/test_rate.c tests/unit/edge.h \
	    tests/e2e/cli.bats tests/lib/common.bash tests/evil/stage.py \
	    tests/sim/faults.sh tests/bench/lthost.cpp; do
		yes '# */' | head -600 >>$planted
		breaks rule_file_length
	done
}

@test "only cli and the tools print or exit" {
	holds rule_printing
	planted=common/disk/slurp.c
	plant $planted '	printf("x");'
	breaks rule_printing
}

@test "no word of unfinished work, no conditional compilation" {
	holds rule_no_leftovers
	planted=common/disk/slurp.c
	plant $planted "/* TO""DO: later */"
	breaks rule_no_leftovers
}

@test "no call that cannot know its bounds" {
	holds rule_banned_calls
	planted=common/disk/slurp.c
	plant $planted '	strcpy(a, b);'
	breaks rule_banned_calls
}

@test "each header is guarded and says what it is" {
	holds rule_headers
	planted=common/base/planted.h
	plant $planted 'int x;'
	breaks rule_headers
}

@test "the sources are formatted" {
	command -v clang-format >/dev/null || skip "clang-format is missing"
	holds rule_format
	planted=common/base/rng.c
	plant $planted 'int   x ;'
	breaks rule_format
}

@test "tests do not sleep to wait" {
	holds rule_sleeps
	planted=tests/e2e/planted.bats
	plant $planted "	sl""eep 1"
	breaks rule_sleeps
}

@test "tests use no fixed ports" {
	holds rule_fixed_ports
	planted=tests/e2e/planted.bats
	plant $planted "	curl http://127.0.0.1:69""69/announce"
	breaks rule_fixed_ports
}
