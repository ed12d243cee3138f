# make and make install, as a packager uses them: what goes where, whose flags
# count, and that nothing but deps, demo and check ever asks for a package.

setup() {
	load ../lib/common
	bt_setup
	# What the make that runs this suite was told is not for these.
	unset MAKEFLAGS MFLAGS MAKELEVEL BUILD DESTDIR PREFIX
	unset CC CPPFLAGS CFLAGS LDFLAGS DEPS
	build=$BT_ROOT/build
	tools="bt-info bt-make bt-scrape bt-tracker bt-get bt-seed"
}

its_make() { make --no-print-directory -C "$BT_ROOT" "$@"; }

# fake NAME SCRIPT...: a program found before the real one, which says in
# asked.log that it was called
fake() {
	mkdir -p fake
	printf '%s\n' '#!/bin/sh' "echo \"$1 \$*\" >>'$PWD/asked.log'" \
	    "${@:2}" >"fake/$1"
	chmod +x "fake/$1"
	PATH=$PWD/fake:$PATH
}
none() { # of the lines; "! grep" would not fail a test
	if grep "$@"; then
		return 1
	fi
}
no_packages() {
	fake apt-get 'exit 1'
	fake apt 'exit 1'
	fake dpkg-query 'exit 1'
	fake sudo 'exit 1'
}

@test "install puts programs, pages and completions where they belong" {
	local t want=() mode

	its_make install BUILD="$build" DESTDIR="$PWD/dest" PREFIX=/usr \
	    >install.out
	for t in $tools; do
		want+=("755 ./usr/bin/$t"
		    "644 ./usr/share/man/man1/$t.1"
		    "644 ./usr/share/bash-completion/completions/$t"
		    "644 ./usr/share/zsh/site-functions/_$t")
	done
	want+=("644 ./usr/share/man/man7/bt-tools.7"
	    "644 ./usr/share/doc/bt-tools/bt-tracker.service")
	(cd dest && find . -type f -printf '%m %p\n' | sort) >got
	printf '%s\n' "${want[@]}" | sort | diff - got
	[ "$(find dest -type f -empty | wc -l)" -eq 0 ]
}

@test "without PREFIX it is /usr/local" {
	its_make install BUILD="$build" DESTDIR="$PWD/dest" >install.out
	[ -x dest/usr/local/bin/bt-get ]
	[ "$(ls dest)" = usr ]
}

@test "what was installed runs, and its pages and completions can be read" {
	local t

	its_make install BUILD="$build" DESTDIR="$PWD/dest" PREFIX=/usr \
	    >install.out
	PATH=/usr/bin:/bin
	head -c 100000 /dev/urandom >x
	dest/usr/bin/bt-make -o x.torrent x
	[ "$(dest/usr/bin/bt-info -p name x.torrent)" = x ]
	dest/usr/bin/bt-info --check x x.torrent
	for t in $tools; do
		run "dest/usr/bin/$t" --version
		[ "$status" -eq 0 ]
		[[ $output == "$t "* ]]
		bash -n "dest/usr/share/bash-completion/completions/$t"
		head -n 1 "dest/usr/share/zsh/site-functions/_$t" |
		    grep -qx "#compdef $t"
		mandoc -T html "dest/usr/share/man/man1/$t.1" | grep -q NAME
	done
	mandoc -T html dest/usr/share/man/man7/bt-tools.7 | grep -q NAME
}

@test "CC, CPPFLAGS, CFLAGS and LDFLAGS count wherever one compiles or links" {
	fake their-cc 'echo x86_64-their-os' # which kernels of lanes count
	its_make -n all BUILD="$PWD/b" CC=their-cc CPPFLAGS=-DTHEIRS \
	    CFLAGS=-O7 LDFLAGS=-Wl,-theirs >plan
	grep -E -- ' -c -o ' plan >compile
	grep -E -- " -o $PWD/b/bin/" plan >link
	[ "$(wc -l <link)" -eq 6 ]
	[ "$(wc -l <compile)" -eq "$(cd "$BT_ROOT" &&
	    find common bt-* -name '*.c' ! -name lanes_other.c | wc -l)" ]
	none -vE '^their-cc .*-DTHEIRS -O7 ' compile
	none -vE '^their-cc .*-O7 .*-Wl,-theirs ' link
	none -E '(^|[ ;|&])(cc|gcc|clang) ' plan
	# CFLAGS is the user's alone: nothing of ours is left when it is given
	none -E -- ' -O2| -g ' compile
}

@test "they count from the environment as well, and do build" {
	fake their-cc 'exec cc "$@"'
	CC=their-cc CPPFLAGS=-DTHEIRS CFLAGS=-O0 its_make \
	    BUILD="$PWD/b" "$PWD/b/common/base/str.o" >make.out
	[ -s b/common/base/str.o ]
	grep -qE '^their-cc .*-DTHEIRS -O0 .*common/base/str\.c$' asked.log
}

@test "neither make nor make install asks for a package" {
	no_packages
	its_make all BUILD="$build" >make.out
	its_make install BUILD="$build" DESTDIR="$PWD/dest" >>make.out
	its_make -n all install BUILD="$PWD/fresh" DESTDIR="$PWD/dest" >plan
	[ ! -e asked.log ]
	[ -s plan ]
	none -E 'apt|dpkg|sudo|deps\.sh' plan
}

@test "DEPS=no lists what is missing, fails, and installs nothing" {
	no_packages
	for target in deps demo check; do
		rm -f asked.log
		run its_make $target DEPS=no BUILD="$PWD/b"
		[ "$status" -ne 0 ]
		[[ $output == *"missing packages:"*" libevent-dev "* ]]
		[ ! -e b ]
		none -v '^dpkg-query' asked.log
	done
}

@test "deps installs what is missing, and only that" {
	no_packages
	fake id 'echo 0'
	fake apt-get 'exit 0'
	fake dpkg-query 'case $* in
	*" libssl-dev"|*" bats") exit 1 ;;
	esac
	printf "install ok installed"'
	its_make deps >deps.out
	grep '^apt-get' asked.log >apt.log
	grep -qE '^apt-get .*install .* libssl-dev bats *$' apt.log
	[ "$(wc -l <apt.log)" -eq 2 ]
	grep -qE '^apt-get .*update$' apt.log
}

@test "deps does nothing when all is there, and needs no right" {
	no_packages
	fake dpkg-query 'printf "install ok installed"'
	its_make deps >deps.out
	none -v '^dpkg-query' asked.log
}

@test "without root, deps asks sudo, or says what root should run" {
	no_packages
	fake id 'echo 1000'
	fake dpkg-query 'case $* in *" mandoc") exit 1 ;; esac
	printf "install ok installed"'
	fake apt-get 'exit 0'
	fake sudo 'exec "$@"'
	its_make deps >deps.out
	grep -qE '^sudo .*apt-get .*install .* mandoc *$' asked.log
	rm fake/sudo asked.log
	mkdir bin
	for p in sh env make; do ln -s "$(command -v $p)" bin/; done
	run env PATH="$PWD/fake:$PWD/bin" sh "$BT_ROOT/tests/lib/deps.sh" \
	    mandoc
	[ "$status" -eq 1 ]
	[[ $output == *"apt-get install mandoc"* ]]
	none -q '^apt-get' asked.log
}
