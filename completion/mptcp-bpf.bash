# SPDX-License-Identifier: GPL-2.0-only
# bash completion for mptcp-bpf
_mptcp_bpf() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} verb="" word i
	local verbs="features list load unload swap rule path tune check apply stat top monitor explain plot run converter build"
	for ((i = 1; i < COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		case $word in
		-n) ((i++)) ;;
		-*) ;;
		*) verb=$word && break ;;
		esac
	done
	case $prev in
	-n) mapfile -t COMPREPLY < <(compgen -W "$(ls /run/netns 2>/dev/null)" -- "$cur") && return ;;
	hook) mapfile -t COMPREPLY < <(compgen -W "tcx xdp" -- "$cur") && return ;;
	dir) mapfile -t COMPREPLY < <(compgen -W "in out both" -- "$cur") && return ;;
	dev) mapfile -t COMPREPLY < <(compgen -W "$(ls /sys/class/net)" -- "$cur") && return ;;
	esac
	case $verb in
	"") mapfile -t COMPREPLY < <(compgen -W "$verbs -j -n -v --help --version --max-subflows" -- "$cur") ;;
	build) mapfile -t COMPREPLY < <(compgen -f -X '!*.c' -- "$cur" && compgen -W "-o --no-verify" -- "$cur") ;;
	list) mapfile -t COMPREPLY < <(compgen -W "sched cc opt guard --config" -- "$cur") ;;
	check | apply) mapfile -t COMPREPLY < <(compgen -f -- "$cur") ;;
	rule) mapfile -t COMPREPLY < <(compgen -W "add del list peer peer-port local-port mark cgroup prio sched cc convert demand" -- "$cur") ;;
	converter) mapfile -t COMPREPLY < <(compgen -W "add del list serve client stat listen to dest tcp fastopen mptcp-out proxy-protocol cookies cookie-key threads max max-each handshake idle grace user port" -- "$cur") ;;
	path) mapfile -t COMPREPLY < <(compgen -W "add del list dev from id weight cost rate ask-rate ask-idle obey" -- "$cur") ;;
	stat | top | monitor)
		mapfile -t COMPREPLY < <(compgen -W "dev peer state sched sort event -i --all --openmetrics --connections --record" -- "$cur") ;;
	plot) mapfile -t COMPREPLY < <(compgen -f -- "$cur" && compgen -W "-o" -- "$cur") ;;
	run) mapfile -t COMPREPLY < <(compgen -W "margin_ms= idle_s= syn_ms= demand= single= poor_rtt_ms= poor_kbit= poor_loss= calm_s= -c --listen --connections" -- "$cur") ;;
	load | unload | swap | tune)
		mapfile -t COMPREPLY < <(compgen -W "$(mptcp-bpf list 2>/dev/null | sed -n 's/^\([a-z][a-z0-9_]*\) .*/\1/p') hook dir dev --all --default" -- "$cur")
		[[ $verb = load ]] && mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -W "$(mptcp-bpf load --help | sed -n 's/^  \([a-z-]*\) .*/\1/p')" -- "$cur")
		[[ $verb = load || $verb = swap ]] && mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen -f -X '!*.o' -- "$cur")
		;;
	esac
}
complete -o filenames -F _mptcp_bpf mptcp-bpf
