# SPDX-License-Identifier: Apache-2.0
# Bash completion of cloister; to be sourced, or put into /usr/share/bash-completion/completions/cloister.
_cloister()
{
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]} verb=${COMP_WORDS[1]} words=
	case $prev in
	--kernel | --initramfs | --api-socket | --log-file | --report | --timeline | --firmware | --igvm | \
		--event-monitor | create)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
		;;
	--confidential | --require)
		words='auto off soft sw-protected snp tdx'
		;;
	--serial | --console)
		words='off null tty file= pty socket='
		;;
	--seccomp)
		words='true false log trap errno'
		;;
	--sandbox)
		words='strict best-effort'
		;;
	esac
	if [ -z "$words" ]; then
		if [ "$COMP_CWORD" -eq 1 ]; then
			words="$(cloister --help 2> /dev/null | sed -n 's/^  \([a-z-]*\)  .*/\1/p') --api-socket --version --help"
		elif [ "$verb" = ctl ]; then
			words="--api-socket --json --help $(cloister ctl --help 2> /dev/null |
				sed -n '/^Verbs:/,/^$/s/^  \([a-z-]*\) .*/\1/p')"
		else
			words="--help $(cloister "$verb" --help 2> /dev/null | grep -o -- '--[a-z][a-z-]*' | sort -u)"
		fi
	fi
	mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
}
complete -o default -F _cloister cloister
