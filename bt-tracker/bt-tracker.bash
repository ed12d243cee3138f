# bash completion for bt-tracker

_bt_tracker() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local opts='-l --listen --tls-cert --tls-key --trust-proxy
	    --allow-ip-param --allow --deny --deny-client --keys --interval --min-interval --expire
	    --numwant-max --full-scrape --workers --timeout --max-connections
	    --max-per-address --max-torrents --max-memory --admin
	    --state --state-every --json --progress --no-progress --no-sandbox -q --quiet
	    --state --state-every --log --log-full --user --json --progress --no-progress -q --quiet
	    -v --verbose -h --help -V --version'

	COMPREPLY=()
	case $cur in
	--log=*)
		compopt -o nospace 2>/dev/null
		mapfile -t COMPREPLY < <(compgen -f -P --log= -- "${cur#--log=}")
		return
		;;
	esac
	case $prev in
	-l | --listen | --trust-proxy | --max-per-address | --interval | \
	    --min-interval | --expire | \
	    --numwant-max | --workers | --timeout | --max-connections | \
	    --max-torrents | --max-memory | --admin | --state-every)
		return
		;;
	--user)
		mapfile -t COMPREPLY < <(compgen -u -- "$cur")
		return
		;;
	--state | --tls-cert | --tls-key | --allow | --deny | --deny-client | \
	    --keys)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
		;;
	esac
	mapfile -t COMPREPLY < <(compgen -W "$opts" -- "$cur")
}
complete -F _bt_tracker bt-tracker
