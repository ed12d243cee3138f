# Tools and tests compile without a warning, by either compiler.

setup() {
	load ../lib/common
	bt_setup
	unset MAKEFLAGS MFLAGS MAKELEVEL CPPFLAGS LDFLAGS
}

# builds COMPILER TREE FOLDER
builds() {
	command -v "$1" >/dev/null || skip "$1 is not installed"
	make --no-print-directory -s -k -j"$(nproc)" -C "$2" BUILD="$3" \
	    CC="$1" CFLAGS='-O2 -Werror' everything
}

@test "gcc warns of nothing" {
	builds gcc "$BT_ROOT" "$BT_ROOT/build/gcc"
}

@test "clang warns of nothing" {
	builds clang "$BT_ROOT" "$BT_ROOT/build/clang"
}

@test "a warning would be seen" {
	local cc

	(cd "$BT_ROOT" && tar cf - Makefile common bt-* tests/fuzz/replay.c) |
	    tar xf -
	printf '%s\n' 'static int nobody_calls_this;' >>common/base/str.c
	for cc in gcc clang; do
		run make -s CC=$cc BUILD=b CFLAGS='-O2 -Werror' \
		    b/common/base/str.o
		[ "$status" -ne 0 ]
		[[ $output == *nobody_calls_this* ]]
	done
}
