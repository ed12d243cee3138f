# bash completion for bt-scrape

_bt_scrape() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local opts='-i --info-hash -a --tracker --announce --check --event --left
	    --port --numwant --timeout --bind -4 --ipv4 -6 --ipv6 --insecure
	    --json --progress --no-progress --no-sandbox -q --quiet -v --verbose -h --help
	    -V --version'
	local events='started completed stopped paused none'

	COMPREPLY=()
	case $prev in
	--event)
		mapfile -t COMPREPLY < <(compgen -W "$events" -- "$cur")
		return
		;;
	-i | --info-hash | -a | --tracker | --left | --port | --numwant | \
	    --timeout | --bind)
		return
		;;
	esac
	if [[ $cur == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$opts" -- "$cur")
		return
	fi
	compopt -o filenames
	mapfile -t COMPREPLY < <(compgen -f -X '!*.torrent' -- "$cur")
}
complete -F _bt_scrape bt-scrape
