# bash completion for bt-get(1)
_bt_get()
{
	local cur prev
	_init_completion 2>/dev/null || {
		cur=${COMP_WORDS[COMP_CWORD]}
		prev=${COMP_WORDS[COMP_CWORD - 1]}
	}
	case $prev in
	-d | --dir)
		mapfile -t COMPREPLY < <(compgen -d -- "$cur")
		return
		;;
	-o | --output | --peers)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
		;;
	-s | --select | --limit-rate | --limit-up | --limit-rate-each | \
	    --limit-up-each | --peer | -a | --announce | \
	    --port | --bind | --timeout | --stall-timeout | --max-peers | \
	    --slots | --memory)
		return
		;;
	esac
	if [[ $cur == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "-d --dir -o --output -s
		    --select -0 --null -f --force --sequential --limit-rate
		    --limit-up --limit-rate-each --limit-up-each --peer --peers -a --announce --no-tracker --port
		    --bind -4 --ipv4 -6 --ipv6 --seed --timeout --stall-timeout
		    --max-peers --slots --memory --insecure --json --progress
		    --no-progress --no-sandbox -q --quiet -v --verbose -h --help -V
		    --version" -- "$cur")
		return
	fi
	mapfile -t COMPREPLY < <(compgen -d -- "$cur"
	    compgen -f -X '!*.torrent' -- "$cur")
}
complete -o filenames -F _bt_get bt-get
