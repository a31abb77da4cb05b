#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Packet schedulers in force on this kernel: on real connections of two subflows the bytes go where the policy says, as the devices count them; rules,
# paths, swap, the peer's and the operator's own wishes; and nothing of it stays, and no connection suffers, whatever a policy returns.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
lab=sch$$
. tests/lib/transfer.sh

# share NS CMD...: of the bytes that both paths carry away from NS while CMD runs, how many percent path 2 takes
tx() { nsenter --net=/run/netns/$lab-$1 awk -v d="$2:" '$1 == d { print $10 }' /proc/net/dev; }
share() {
	local ns=$1 a b
	a=$(tx "$ns" path1) b=$(tx "$ns" path2)
	shift
	"$@"
	a=$(($(tx "$ns" path1) - a)) b=$(($(tx "$ns" path2) - b))
	share=$((a + b ? 100 * b / (a + b) : -1))
	echo "# $a + $b bytes, $share % on path 2"
}
# sees NS "OPERATOR PERCENT": that path 2 comes to take such a share, of what is carried within a second
sees() {
	local ns=$1 i
	for ((i = 0; i < 15 * slow; i++)); do share "$ns" sleep 1; [ $share != -1 ] && (("share $2")) && return; done
	return 1
}
only=build/tests/policies/only.bpf.o
rate=$((2000000 / slow)) # an emulation is to do more than carry it

# Refusals need no traffic.
up --path 20mbit,5ms --path 20mbit,20ms
ok "a scheduler does not run at XDP" fails 2 'a scheduler runs at tcx' mb load minrtt hook xdp
ok "nor has it settings by device" fails 2 "one value for all devices" mb load minrtt hysteresis_us@path1=1
ok "what a stock kernel cannot do is refused by name" fails 4 'BPF' mb load redundant
ok "a preset" mb load handover
is "$(loaded) $(mb tune standby | grep -o 'return_ms=[0-9]*')" "standby return_ms=5000" "is a scheduler with settings"
ok "which goes by its own name" mb unload standby
ok "a rule for a scheduler that is not loaded" fails 1 'no scheduler of this name is loaded' mb rule add peer-port 1 sched minrtt
ok "a rule that says nothing" fails 2 'neither which scheduler' mb rule add peer-port 1
ok "a rule with a word that there is not" fails 2 'not a word of a rule' mb rule add pear 10.0.0.0/8 sched minrtt
ok "a prefix that is none" fails 2 "'10.0.0.0/33'|length|0\.\.32" mb rule add peer 10.0.0.0/33 sched minrtt
ok "a path with a weight out of range" fails 2 '0\.\.1000' mb path add dev path1 weight 1001
ok "a path on a device that there is not" fails 1 'no such device' mb path add dev nodev cost 1
ok "a swap of what is not loaded" fails 1 'not loaded' mb swap minrtt rr
ok "nothing to watch" fails 1 'nothing is loaded' mb monitor
is "$(loaded)" "" "none of them left anything loaded"

# Where the policy says, there the bytes go; on connections before and after the load; and the stock scheduler is back after the unload.
begin 10.77.1.2 5001 -r $rate -d 600
ok "two subflows" until_true joined
ok "load, under a transfer" mb load $only id=0
ok "all on the first path" sees client "<= 1"
id=$(look client '$c->{subflows}[1]{local_id}')
mb tune only id=$id
ok "tuned: all on the second" sees client ">= 97"
is "$(look client 'join ",", map { $_->{backup} ? 1 : 0 } @{$c->{subflows}}')" 1,0 "as the kernel's backup flags say"
is "$(look client '$c->{sched}.",".$c->{backend}')" only,steer "stat names scheduler and back end"
watch client
ok "a second monitor is refused" fails 1 'another one' mb monitor
ok "swap under traffic" mb swap only rr
told() { perl -MJSON::PP -ne 'my $e = decode_json($_); $n++ if $e->{event} eq "decision" && $e->{sched} eq "rr" && @{$e->{after}} && $e->{reason}; END { exit !$n }' "$work/monitor.out"; }
ok "monitor tells the decisions of the new one with their reasons" until_true told
mb swap rr $only
kill -INT "$(cat "$work/monitor.pid")"
ok "and ends when it is told to" ended monitor
ok "unload, under the transfer" mb unload only
is "$(look client 'join ",", map { $_->{backup} ? 1 : 0 } @{$c->{subflows}}')" 0,0 "the flags are as they were"
is "$(look client '$c->{backend}')" stock "the stock scheduler has it back"
stop 5001
ok "the payload is whole" finish 5001
is "$(loaded)" "" "nothing is left loaded"

# Plain TCP is nobody's; a new connection is steered from its birth.
mb load $only id=0
before=$(steer acks)
begin 10.77.1.2 5002 -t -b 3000000
ok "plain TCP arrives" finish 5002
is "$(steer acks)" "$before" "and is not looked at"
share client begin 10.77.1.2 5003 -r 8000000 -b 16000000
share client finish 5003
ok "a connection after the load: on the first path" test $share -le 2

# The server's side: what it sends is steered by what is loaded there, whoever opened the connection; and by what is said of its paths.
mb unload only
spawn echo server build/tests/mpio echo 10.77.1.2 5004
until_true grep -q listening "$work/echo.err"
$bin -n $lab-server load standby return_ms=0
$bin -n $lab-server path add dev path2 cost 10
spawn ping client build/tests/mpio ping -l 20000 -c $((500 * slow)) -i $((10 * slow)) 10.77.1.2 5004
served() { [ "$(look server '$c->{bytes_sent} > 500000 && @{$c->{subflows}} > 1 ? 1 : 0')" = 1 ]; }
until_true served
# carried: which of the server's subflows send, within 0.7 s
carried() {
	local before
	before=$(look server 'join " ", map { $_->{bytes_sent} } @{$c->{subflows}}')
	sleep 0.7
	look server "my @was = qw($before); join ' ', grep { \$c->{subflows}[\$_]{bytes_sent} > \$was[\$_] } 0 .. \$#was"
}
soon 0 "the server's data: nothing on the dear path" carried
$bin -n $lab-server path add dev path1 cost 20
soon 1 "on the other, as soon as that is said to be cheaper" carried
ok "the echoes come" ended ping
is "$(perl -MJSON::PP -e 'print decode_json(<>)->{count}' "$work/ping.out")" $((500 * slow)) "all of them"
kill "$(cat "$work/echo.pid")"
down

# The kinds of paths.
for kind in "IPv6 fd77:1::2" "devices without a link header 10.77.1.2 ,tun" "veth 10.77.1.2"; do
	title=${kind% *:*} addr=10.77.1.2 tun=
	case $kind in IPv6*) title=IPv6 addr=fd77:1::2 ;; devices*) title="devices without a link header" tun=,tun ;; veth*) title="veth, with GSO and GRO" ;; esac
	case $kind in veth*) up --path none --path none ;; *) up --path 20mbit,5ms$tun --path 20mbit,20ms$tun ;; esac
	mb load $only id=0
	begin $addr 5005 -r $rate -d 600
	until_true joined
	ok "$title: all on the first path" sees client "<= 1"
	mb tune only id="$(look client '$c->{subflows}[1]{local_id}')"
	ok "$title: all on the second" sees client ">= 97"
	stop 5005
	ok "$title: the payload is whole" finish 5005
	is "$(steer failed)$(steer dropped)$(steer unread)" 000 "$title: nothing failed"
	down
done

# Nine subflows, seven of them on one device: eight are steered, the ninth is counted and left alone.
up --path none --path none
for ns in client server; do $ns ip mptcp limits set subflows 8 add_addr_accepted 8; done
client ip mptcp endpoint flush
client ip mptcp endpoint add 10.77.2.1 dev path2 subflow id 2
for ((i = 11; i <= 17; i++)); do
	client ip addr add 10.77.1.$i/24 dev path1
	client ip mptcp endpoint add 10.77.1.$i dev path1 subflow id $i
done
mb load $only id=0
nine() { [ "$(look client 'scalar @{$c->{subflows}}')" = 9 ]; }
for ((port = 5041; port < 5045; port++)); do # now and then the kernel joins none of them
	begin 10.77.1.2 $port -r $rate -d 600
	until_true nine && break
	stop $port
	finish $port
done
ok "nine subflows" nine
flagged() { look client 'join " ", map { $_->{local_id} } grep { $_->{backup} } @{$c->{subflows}}'; }
seven() { [ "$(flagged | wc -w)" = 7 ]; }
ok "the first alone, of eight" until_true seven
id=$(flagged | awk "{ print \$NF }") # on path 1, as six others are
mb tune only id="$id"
# Within a second data is carried, by none of the seven others; the ninth, which is left alone, may have the stock scheduler's share of it.
per_id() { look client 'join ",", map { $_->{local_id}, $_->{bytes_sent}, $_->{backup} ? 1 : 0 } @{$c->{subflows}}'; }
chosen() {
	local before
	before=$(per_id)
	sleep 1
	perl -e 'my ($open, $all, $others) = (0, 0, 0); my @b = split /,/, $ARGV[1]; my @a = split /,/, $ARGV[2];
		for (my $i = 0; $i < @a; $i += 3) { my $more = $a[$i + 1] - $b[$i + 1]; $all += $more; $others += $more if $a[$i + 2]; $open = 1 if $a[$i] == $ARGV[0] && !$a[$i + 2] }
		exit !($open && $all > 1e5 && $others < 1e4)' "$id" "$before" "$(per_id)"
}
ok "another one, on the device of several" until_true chosen
ok "the ninth is counted" test "$(steer many)" -ge 1
stop $port
ok "the payload is whole" finish $port
down

# Rules: several policies at once, for new connections and for those that live.
up --path 20mbit,5ms --path 20mbit,20ms
mkdir -p "$work/cg"
mb load $only id=0
ok "a second scheduler beside the first" mb load standby
ok "a rule by port" mb rule add peer-port 5011 sched standby
begin 10.77.1.2 5010 -r $rate -d 3000 # 62 rules take a while in an emulation
begin 10.77.1.2 5011 -r $rate -d 3000
scheds() { look client 'join ",", map { my $c = $_; map { /:(\d+)$/; "$1=$c->{sched}" } $c->{subflows}[0]{remote} } sort { $a->{subflows}[0]{remote} cmp $b->{subflows}[0]{remote} } @c'; }
soon 5010=only,5011=standby "each connection has its own" scheds
ok "a rule by peer, of more weight" mb rule add peer 10.77.0.0/16 peer-port 5010 prio 5 sched standby
is "$(scheds)" 5010=standby,5011=standby "at once, for connections that live"
ok "deleted, as it was given" mb rule del peer 10.77.0.0/16 peer-port 5010 prio 5 sched standby
is "$(scheds)" 5010=only,5011=standby "the default again"
ok "a rule that there is not cannot be deleted" fails 1 'no such rule' mb rule del peer-port 4 sched standby
ok "nor a number that there is not" fails 2 '1\.\.' mb rule del 9
ok "the same rule twice" fails 1 'there already' mb rule add peer-port 5011 sched standby
for ((i = 1; i <= 62; i++)); do mb rule add peer-port $((6000 + i)) sched standby || break; done
ok "a rule too many" fails 1 'at most 64' mb rule add peer-port 7000 sched standby
is "$(mb -j rule list | perl -MJSON::PP -e 'print scalar @{decode_json(<STDIN>)}')" 64 "the table holds 64"
ok "unload takes the rules of a policy with it" mb unload standby
is "$(mb rule list | grep -c standby)$(scheds)" 05010=only,5011=only "and its connections fall to the default"
ok "unload of the last one" mb unload only
is "$(scheds)" 5010=default,5011=default "to the stock scheduler"
stop 5010 5011
ok "one payload is whole" finish 5010
ok "the other too" finish 5011

# By mark and by cgroup: what the application's socket has.
mb load standby
mb load $only id=0
cgroup=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/mounts)
group=sch-$$-$RANDOM
mkdir "$cgroup/$group"
at_exit "rmdir $cgroup/$group"
mb rule add mark 7 sched only
ok "a rule by cgroup" mb rule add cgroup "$cgroup/$group" sched only
ok "a cgroup that there is not" fails 2 'is no cgroup' mb rule add cgroup "$cgroup/none$$" sched only
begin 10.77.1.2 5012 -r $rate -d 600
begin 10.77.1.2 5013 -m 7 -r $rate -d 600
begin 10.77.1.2 5014 -m 8 -r $rate -d 600
(
	echo $BASHPID >"$cgroup/$group/cgroup.procs"
	begin 10.77.1.2 5015 -r $rate -d 600
)
soon 5012=standby,5013=only,5014=standby,5015=only "connections by their mark, and by their cgroup" scheds
stop 5012 5013 5014 5015
for port in 5012 5013 5014 5015; do ok "payload $port" finish $port; done
down

# Whose wish counts. The peer's stands when the policy goes; what this end's operator configured backup is not touched.
up --path 20mbit,5ms --path 20mbit,20ms
flags() { look client 'join ",", map { $_->{backup} ? 1 : 0 } @{$c->{subflows}}'; }
flags_are() { [ "$(flags)" = "$1" ]; }
mb load $only id=0
begin 10.77.1.2 5020 -r $rate -d 600
until_true joined
id=$(look client '$c->{subflows}[1]{local_id}')
until_true flags_are 0,1
server ip mptcp endpoint add 10.77.1.2 id 9 # the address of the server's first subflow
server ip mptcp endpoint change id 9 backup
wished() { [ "$(steer wishes)" -ge 1 ]; }
ok "the peer asks for backup" until_true wished
ok "the policy has the say while it is loaded" sees client "<= 1"
mb unload only
is "$(flags)" 1,0 "then the peer"
server ip mptcp endpoint change id 9 nobackup
ok "the peer, without us" until_true flags_are 0,0
stop 5020
ok "the payload is whole" finish 5020
client ip mptcp endpoint change id "$(client ip mptcp endpoint | awk '/path2/ && /10\.77/ { for (i = 1; i < NF; i++) if ($i == "id") print $(i + 1) }')" backup
begin 10.77.1.2 5021 -r $rate -d 600
until_true joined
is "$(look client 'join ",", map { $_->{locked} ? 1 : 0 } @{$c->{subflows}}')" 0,1 "an endpoint of our own that is configured backup"
mb load $only id=$id
ok "a policy cannot make it carry data" sees client "<= 1"
counted() { [ "$(steer nothing)" -ge 1 ]; }
ok "which is counted" until_true counted
is "$(steer flips)" 0 "nothing was injected for it"
stop 5021
ok "the payload is whole" finish 5021
down

# Policies that misbehave, tables that are full: the kernel's own choice stands, and is counted.
up --path 50mbit,5ms --path 50mbit,20ms
for policy in nothing nonsense; do
	mb load build/tests/policies/$policy.bpf.o
	begin 10.77.1.2 5030 -b 10000000
	ok "$policy: the payload is whole" finish 5030
	ok "$policy: what it returned is counted" test "$(steer nothing)" -gt 0
	mb unload $policy
done
mb load minrtt --max-subflows 1
begin 10.77.1.2 5031 -b 3000000
begin 10.77.1.2 5032 -b 3000000
ok "tables of one: the payload is whole" finish 5031
ok "tables of one: the other too" finish 5032
is "$(look client '$s->{observer}{subflows_full} > 0 ? 1 : 0')" 1 "what found no room is counted"
down
done_testing
