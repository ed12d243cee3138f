# The options of each tool are in one table, from which its help comes. The man
# page and the completions name exactly the same ones.

setup() {
	load ../lib/common
	bt_setup
}
teardown() { bt_teardown; }

tools='bt-info bt-make bt-scrape bt-tracker bt-get bt-seed'

# Each of these prints options, "-x" or "--long", one a line, sorted.
in_help() {
	"$1" --help | grep -E '^  (-.,|   ) --' |
	    grep -oE '^  (-.)?,? *--[a-z0-9-]+' | tr -d ', ' |
	    sed -E 's/^(-[^-])(--)/\1\n\2/' | sort -u
}

# .It Fl a , Fl \-announce Ar URL, where "Fl Fl announce" is the same
in_man() {
	grep -E '^\.It Fl' "$1" | sed -E 's/Fl Fl /Fl -/g' |
	    grep -oE 'Fl (\\-|-)?[A-Za-z0-9][a-z0-9-]*' |
	    sed -E 's/^Fl (\\-|-)?/\1/; s/\\//; s/^/-/' | sort -u
}

# .Op Fl fp, and .Op Fl \-date Ar TIME
in_synopsis() {
	sed -n '/^\.Sh SYNOPSIS/,/^\.Sh DESCRIPTION/p' "$1" |
	    sed -E 's/Fl Fl /Fl -/g' |
	    grep -oE 'Fl (\\-|-)?[A-Za-z0-9][A-Za-z0-9-]*' |
	    sed -E 's/^Fl //; s/^(\\-|-)/--/' |
	    while read -r word; do
		if [[ $word == --* ]]; then
			echo "$word"
		else
			grep -o . <<<"$word" | sed 's/^/-/'
		fi
	    done | sort -u
}

# what the shell would offer after "bt-x -"
in_bash() {
	bash -c '
		source "$1"
		set -- $(complete -p)
		COMP_WORDS=("${@: -1}" -) COMP_CWORD=1
		"${@: -2:1}" "${@: -1}" - "${@: -1}" 2>/dev/null
		printf "%s\n" "${COMPREPLY[@]}"' _ "$1" | sort -u
}

# '(-o --output)'{-o+,--output=}'[text]:file:_files'
in_zsh() {
	sed -E 's/\[[^]]*\]//g; s/_arguments( -[sS])*//; s/_files -g//; s/local -a//' "$1" |
	    grep -oE "(^|[ '{,(*])--?[A-Za-z0-9][a-z0-9-]*" |
	    sed -E "s/^[ '{,(*]//" | sort -u
}

# same A B: the two lists, or what is only in one of them
same() {
	diff <("${@:1:2}") <("${@:3:2}") || {
		echo "$1 $2 and $3 $4 differ"
		false
	}
}

@test "each option of the help is in the man page, and no other" {
	for t in $tools; do
		[ -n "$(in_help "$t")" ]
		same in_help "$t" in_man "$BT_ROOT/$t/$t.1"
	done
}

@test "the SYNOPSIS names only options that there are" {
	for t in $tools; do
		run comm -13 <(in_help "$t") \
		    <(in_synopsis "$BT_ROOT/$t/$t.1")
		assert_output ''
	done
}

@test "the completions name each option, and no other" {
	for t in $tools; do
		same in_help "$t" in_bash "$BT_ROOT/$t/$t.bash"
		same in_help "$t" in_zsh "$BT_ROOT/$t/_$t"
	done
}

@test "a planted difference is found in each of them" {
	cp "$BT_ROOT"/bt-info/{bt-info.1,bt-info.bash,_bt-info} .
	printf '.It Fl Z , Fl \\-planted\n' >>bt-info.1
	run same in_help bt-info in_man bt-info.1
	assert_output --partial '> --planted'
	assert_output --partial '> -Z'
	sed -i '/^\.It Fl l/d' bt-info.1
	run same in_help bt-info in_man bt-info.1
	assert_output --partial '< --list'
	sed -i 's/^\.Op Fl 0$/.Op Fl 0Z/' bt-info.1
	run in_synopsis bt-info.1
	assert_line -- -Z
	assert_line -- --check
	sed -i 's/--list//' bt-info.bash
	run same in_help bt-info in_bash bt-info.bash
	assert_output --partial '< --list'
	sed -i 's/--null/--nul/g' _bt-info
	run same in_help bt-info in_zsh _bt-info
	assert_output --partial '< --null'
}

@test "the man pages render without a warning" {
	command -v mandoc >/dev/null || skip "mandoc is missing"
	for page in "$BT_ROOT"/bt-*/*.1 "$BT_ROOT"/common/*.7; do
		run mandoc -T lint -W warning "$page"
		assert_output ''
	done
}

@test "every tool has a man page that bt-tools(7) refers to" {
	for t in $tools; do
		grep -q "^\.Xr $t 1" "$BT_ROOT/common/bt-tools.7"
		grep -q "^\.Xr bt-tools 7" "$BT_ROOT/$t/$t.1"
		grep -q "^\.Dt ${t^^} 1" "$BT_ROOT/$t/$t.1"
	done
}

@test "the completions load in their shells" {
	for t in $tools; do
		bash -n "$BT_ROOT/$t/$t.bash"
		run bash -c 'source "$1" && complete -p "$2"' _ \
		    "$BT_ROOT/$t/$t.bash" "$t"
		assert_success
		if command -v zsh >/dev/null; then
			zsh -n "$BT_ROOT/$t/_$t"
		fi
	done
}
