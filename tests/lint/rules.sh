# rules.sh - the rules of the house, each a function that prints what breaks it.
#
# Each works on the tree in the current folder, so that the tests can plant a
# violation in a copy and see it caught. Nothing printed means the rule holds.

sources() { find common bt-* tests -name '*.c' -o -name '*.h' | sort; }
library() { find common bt-* -name '*.c' -o -name '*.h' | sort; }
tests() {
	find tests -name '*.[ch]' -o -name '*.py' -o -name '*.sh' \
	    -o -name '*.bash' -o -name '*.bats' -o -name '*.cpp' | sort
}

# rooms that a room may include
allowed_rooms() {
	case $1 in
	base) echo base ;;
	codec) echo base codec ;;
	core) echo base codec core ;;
	disk) echo base codec core disk ;;
	net) echo base codec core disk net ;;
	cli) echo base codec cli ;;
	session) echo base codec core disk net cli session ;;
	esac
}

rule_arrows() {
	local room f inc

	for room in base codec core disk net cli session; do
		for f in common/$room/*.[ch]; do
			[ -e "$f" ] || continue
			sed -nE 's/^#include "([a-z]+)\/[a-z0-9_]+\.h"/\1/p' "$f" |
			    sort -u | while read -r inc; do
				case " $(allowed_rooms $room) " in
				*" $inc "*) ;;
				*) echo "$f includes $inc/" ;;
				esac
			done
		done
	done
	# No tool includes another; a tool's own headers have no folder.
	grep -nE '#include "(bt-|\.\.)' $(library) /dev/null
	# No relative paths and no bare names within the library.
	grep -nE '#include "[^/"]+"' $(find common -name '*.[ch]') /dev/null
	return 0
}

# header-name-pattern, then the files that may include it
foreign() {
	local pattern=$1 f ok

	shift
	grep -lE "^[[:space:]]*#[[:space:]]*include <($pattern)" $(library) \
	    /dev/null | while read -r f; do
		for ok; do
			# shellcheck disable=SC2254
			case $f in $ok) continue 2 ;; esac
		done
		echo "$f includes $pattern"
	done
}

rule_foreign_headers() {
	foreign 'openssl/' common/base/hash.c bt-tracker/tls.c
	foreign 'event2/|event\.h' 'common/net/*.c' 'bt-tracker/*.c'
	foreign 'curl/' common/net/httpc.c common/net/curl.c
	foreign 'jansson' 'common/cli/*.c'
	foreign 'getopt' 'common/cli/*.c'
	foreign 'seccomp' common/cli/sandbox_calls.c
	foreign 'uni(case|str)\.h' common/codec/casefold.c
	foreign 'cmocka'
	# None of them in a header of ours.
	grep -lE '^#include <(openssl|event2|curl|jansson|getopt|seccomp|uni|cmocka)' \
	    $(library | grep '\.h$') /dev/null
	return 0
}

# What a pure object may leave undefined, besides bt_* and the compiler's own.
pure_names='mem(cpy|move|set|cmp|chr|mem|rchr)|str(len|cmp|ncmp|chr|rchr|cpy'
pure_names+='|nlen|error_r|spn|cspn)|__xpg_strerror_r|malloc|calloc|realloc|free'
pure_names+='|reallocarray|aligned_alloc|qsort|bsearch|v?snprintf|abort|isxdigit|__ctype_b_loc'
pure_names+='|EVP_[A-Za-z0-9_]+|SHA(1|256)(_Update)?|OPENSSL_[a-z]+'
pure_names+='|__assert_fail|__stack_chk_fail|_GLOBAL_OFFSET_TABLE_'
pure_names+='|__(mem(cpy|move|set)|v?snprintf|str(cpy|ncpy|cat))_chk'
pure_names+='|__(asan|ubsan|lsan|sanitizer|gcov|llvm)[a-zA-Z0-9_]*|__errno_location'
pure_names+='|u8_mbtoucr|uc_to(upper|lower)|__tls_get_addr|__popcountdi2|__cpu_model'

# rule_purity ARCHIVE
rule_purity() {
	nm -u "$1" | awk '$1 == "U" { print $2 }' | sort -u |
	    grep -vxE "bt_[a-z0-9_]+|$pure_names"
	# No mutable state at file scope: only mem's hook.
	objdump -t "$1" | awk '
	    /file format/ { o = $1 }
	    $3 == "O" && $4 ~ /^(\.data|\.bss|\*COM\*)$/ { print o, $6 }' |
	    grep -vE '^mem\.o: '
	return 0
}

# Modules whose names are shorter where they are used, or that define one more
# family: file=prefixes.
prefixes() {
	case $1 in
	bencode) echo bt_ben ;;
	jobs) echo bt_job ;;
	metainfo*) echo bt_meta ;;
	metawrite*) echo bt_metawrite ;;
	udptrk) echo bt_udp ;;
	rd) echo bt_be16 bt_be32 bt_be64 bt_put ;;
	rate) echo bt_meter bt_bucket ;;
	wire) echo bt_handshake ;;
	options) echo bt_cli ;;
	swarm) echo bt_client ;;
	esac
}

# rule_prefix BUILD: what common/ROOM/FILE.o exports begins with bt_FILE_; a file
# split by concept (files_io.c) keeps its stem's prefix (bt_files_).
rule_prefix() {
	local o stem ok p

	for o in "$1"/common/*/*.o; do
		stem=$(basename "$o" .o)
		ok="bt_${stem}(_.*)?|bt_${stem%%_*}_.*"
		for p in $(prefixes "$stem"); do
			ok+="|${p}(_.*)?"
		done
		nm -g --defined-only "$o" 2>/dev/null | awk 'NF { print $3 }' |
		    grep -vxE "$ok|__(odr_)?asan.*" | sed "s|^|$o exports |"
	done
	return 0
}

# Longer than 70 lines, from the brace to the brace.
rule_function_length() {
	local f

	for f in $(sources | grep '\.c$'); do
		awk -v f="$f" '
		/^{/ { start = NR }
		/^}/ {
			if (start && NR - start > 71)
				print f ":" start ": " NR - start " lines"
			start = 0
		}' "$f"
	done
}

# A header of tests holds code: it is as long as any file.
rule_file_length() {
	wc -l $(library) $(tests) | awk '
		$2 == "total" { next }
		{ most = $2 ~ /^(common|bt-.*)\/.*\.h$/ ? 130 : 600 }
		$1 > most { print $2 ": " $1 " lines" }'
}

rule_printing() {
	# Only cli/ and the tools print or exit.
	grep -nE '(^|[^a-z_>.])(printf|puts|putchar|exit|_exit|fprintf|perror|err|errx|warn|warnx)\(' \
	    $(find common -name '*.c' ! -path 'common/cli/*') /dev/null |
	    grep -vE ':[[:space:]]*(/?\*|//)'
	return 0
}

rule_no_leftovers() {
	grep -nEi '(^|[^a-z])(TODO|FIXME|XXX|HACK|not implemented|for now)([^a-z]|$)' \
	    $(sources) /dev/null
	grep -nE '^[[:space:]]*#[[:space:]]*(if|ifdef|ifndef)' \
	    $(find common bt-* -name '*.c') /dev/null
	return 0
}

rule_banned_calls() {
	grep -nE '(^|[^a-z_])(strcpy|strcat|sprintf|vsprintf|gets|strtok|atoi|atol|atoll|alloca|system|popen|mktemp|tmpnam)\(' \
	    $(library) /dev/null
	return 0
}

rule_headers() {
	local h guard

	for h in $(find common -name '*.h' ! -name '*_priv.h'); do
		guard=BT_$(basename "$(dirname "$h")")_$(basename "$h" .h)_H
		guard=${guard^^}
		grep -q "#ifndef $guard" "$h" || echo "$h: no guard $guard"
		head -2 "$h" | grep -q " \* $(basename "$h" .h) - " ||
		    echo "$h: does not begin with its name and purpose"
		grep -qE '^ \* (Pure|Touches)|Pure[.:]|Touches' "$h" ||
		    echo "$h: does not say Pure or Touches"
	done
}

rule_format() {
	sources | grep '\.c$' |
	    xargs -P "$(nproc)" -n 16 clang-format --dry-run --Werror 2>&1 |
	    sed -nE 's/^([^:]+):[0-9]+:.* error: .*/\1: clang-format would change it/p' |
	    sort -u
}

# Tests wait on an event, a line or a file; only wait_until may sleep.
rule_sleeps() {
	grep -rnE '(^|[^a-z_])(sleep|usleep|time\.sleep)[ (][0-9.]+' tests \
	    --include='*.bats' --include='*.sh' --include='*.py' \
	    --include='*.c' --include='*.bash' |
	    grep -vE 'tests/lib/common\.bash:[0-9]+:[[:space:]]*sleep 0\.02$|tests/lint/'
	return 0
}

rule_fixed_ports() {
	grep -rnE '127\.0\.0\.1:[1-9][0-9]{3,4}([^0-9]|$)' tests \
	    --include='*.bats' --include='*.sh' --include='*.py' |
	    grep -v 'tests/lint/'
	return 0
}
