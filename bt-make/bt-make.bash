# bash completion for bt-make

_bt_make() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local opts='-a --announce -o --output -l --piece-length -n --name
	    -w --web-seed -c --comment -s --source -p --private -x --exclude
	    -i --include --files-from -0 --null --v1 --v2 --hybrid --edit
	    --reuse --dry-run -f --force --date --magnet --json --progress
	    --no-progress --no-sandbox -q --quiet -v --verbose -h --help -V --version'
	local sizes='16K 32K 64K 128K 256K 512K 1M 2M 4M 8M 16M'

	COMPREPLY=()
	case $prev in
	-l | --piece-length)
		mapfile -t COMPREPLY < <(compgen -W "$sizes" -- "$cur")
		return
		;;
	-a | --announce | -n | --name | -w | --web-seed | -c | --comment | \
	    -s | --source | -x | --exclude | -i | --include | --date)
		return
		;;
	esac
	if [[ $cur == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$opts" -- "$cur")
		return
	fi
	compopt -o filenames
	mapfile -t COMPREPLY < <(compgen -f -- "$cur")
}
complete -F _bt_make bt-make
