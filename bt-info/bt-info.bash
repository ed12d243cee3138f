# bash completion for bt-info

_bt_info() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local opts='-p --print -l --list -0 --null --tree --lint --strict --check
	    --fail-fast --find --web-seeds --timeout --json
	    --progress --no-progress --no-sandbox -q --quiet -v --verbose -h --help -V --version'
	local fields='name info_hash info_hash_v2 meta_version size piece_length pieces
	    private source comment created_by creation_date trackers web_seeds
	    nodes peers magnet files torrent_size'

	COMPREPLY=()
	case $prev in
	-p | --print)
		mapfile -t COMPREPLY < <(compgen -W "$fields" -- "$cur")
		return
		;;
	--check | --find)
		compopt -o filenames
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
		;;
	esac
	if [[ $cur == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$opts" -- "$cur")
		return
	fi
	compopt -o filenames
	mapfile -t COMPREPLY < <(
		compgen -f -X '!*.torrent' -- "$cur"
		compgen -d -- "$cur"
	)
}
complete -F _bt_info bt-info
