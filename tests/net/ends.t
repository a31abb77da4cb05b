#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# How subflows end and why, in words: every reason of MP_TCPRST with and without its transient bit, put on the wire; joins that a peer refuses in three ways; and
# one that it takes no notice of.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
lab=ends$$
. tests/lib/transfer.sh

# past EXPRESSION: Perl on $s, what the client's `stat -j --all` says; @past its subflows that have ended
past() {
	$bin -n $lab-client -j --all stat | perl -MJSON::PP -e 'my $s = decode_json(<STDIN>); my @c = @{$s->{connections}};
		my @past = map { @$_ } (map { $_->{closed} || [] } @c), map { $_->{subflows} } @{$s->{ended}}; my $r = eval $ARGV[0]; print $@ || $r' "$1"
}
sees() { [ "$(past "($1) ? 1 : 0")" = 1 ]; }
# connection PORT: a slow stream, of which the server acknowledges
connection() {
	spawn recv.$1 server build/tests/mpio recv 10.77.1.2 "$1"
	listens recv.$1
	spawn send.$1 client build/tests/mpio send -r 1000000 -d 600 10.77.1.2 "$1"
	until_true sees "grep { grep { \$_->{remote} =~ /:$1\$/ && \$_->{state} eq 'ESTAB' } @{\$_->{subflows}} } @c"
}
end() { for side in recv send; do kill -KILL "$(cat "$work/$side.$port.pid")"; ended $side.$port; done; } 2>/dev/null
# cause PORT FILTER: of what has ended of the connection to that port
cause() { past "join ',', map { \$_->{cause} } grep { \$_->{remote} =~ /:$1\$/ && ($2) } @past"; }

up --path 20mbit,2ms --path 20mbit,2ms
ok "sight" $bin -n $lab-client load sight
client ip mptcp endpoint flush
watch client event reset
at_exit 'kill $CRAFT_PID'
reasons=("unspecified" "MPTCP-specific error" "lack of resources" "administratively prohibited" "too much outstanding data" "unacceptable performance"
	"middlebox interference") # RFC 8684, section 3.6
port=5001
for i in "${!reasons[@]}"; do
	for transient in 0 1; do
		connection $port
		coproc CRAFT { exec nsenter --net=/run/netns/$lab-server build/tests/kernel/craft path1 $port; }
		printf 'rst 1e048%d%02x\n' $transient "$i" >&"${CRAFT[1]}"
		read -r <&"${CRAFT[0]}"
		until_true sees "grep { \$_->{remote} =~ /:$port\$/ } @past"
		want=${reasons[i]}$([ $transient = 0 ] || echo ", transient")
		is "$(cause $port 1)" "reset by the peer: $want" "MP_TCPRST $i $transient: $want"
		kill $CRAFT_PID
		wait $CRAFT_PID 2>/dev/null
		end
		((port++))
	done
done
want=$(port=5001; for reason in "${reasons[@]}"; do for transient in 0 1; do echo "10.77.1.2:$port $reason $transient peer"; ((port++)); done; done)
told() {
	perl -MJSON::PP -e 'my %seen; while (<STDIN>) { my $e = decode_json($_);
		$seen{"$e->{remote} $e->{reason} " . ($e->{transient} ? 1 : 0) . " $e->{by}"}++ if $e->{token} ne "0x00000000" } print "$_\n" for sort keys %seen' <"$work/monitor.out"
}
all_told() { [ "$(told)" = "$want" ]; }
until_true all_told
is "$(told)" "$want" "monitor tells each of them"

client ip mptcp endpoint add 10.77.2.1 dev path2 subflow
join='$_->{local} =~ /^10.77.2.1:/'
server ip mptcp limits set subflows 0
connection $port
until_true sees "grep { $join } @past"
is "$(cause $port "$join")" "refused: administratively prohibited" "a join beyond the peer's limit"
end
((port++))
server ip mptcp limits set subflows 8
# on_join VERDICT...: what becomes of SYNs on path 2
on_join() { server nft "flush ruleset; table inet t { chain c { type filter hook input priority 0; iifname path2 tcp flags syn $*; }; }"; }
if on_join reject with tcp reset; then
	connection $port
	until_true sees "grep { $join && \$_->{remote} =~ /:$port/ } @past"
	is "$(cause $port "$join")" "refused: Connection refused" "a join that a RST answers"
	is "$(past "\$c[0]{subflows_refused}")" 1 "is counted with the connection"
	end
	((port++))
	on_join drop
	client sysctl -qw net.ipv4.tcp_syn_retries=1
	connection $port
	until_true sees "grep { $join && \$_->{remote} =~ /:$port/ } @past"
	is "$(cause $port "$join")" "refused: Connection timed out" "a join that nothing answers"
	end
else
	skip "no nftables here" "joins that a RST or nothing answers"
fi
done_testing
