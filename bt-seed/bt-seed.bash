# bash completion for bt-seed(1)
_bt_seed()
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
	-a | --announce | --peer | --port | --bind | --limit-up | \
	    --limit-up-each | --slots | \
	    --max-peers | --memory | --until-ratio | --until-time | \
	    --until-idle)
		return
		;;
	esac
	if [[ $cur == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "-d --dir --no-check -a
		    --announce --no-tracker --peer --port --bind -4 --ipv4 -6
		    --ipv6 --limit-up --limit-up-each --slots --max-peers --memory
		    --until-ratio --until-time --until-idle --insecure --json
		    --progress --no-progress --no-sandbox -q --quiet -v --verbose -h --help
		    -V --version" -- "$cur")
		return
	fi
	mapfile -t COMPREPLY < <(compgen -f -- "$cur")
}
complete -o filenames -F _bt_seed bt-seed
