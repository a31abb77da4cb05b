#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Swaps among all schedulers under a transfer, ROUNDS of them (default 60): the payload is whole, and MPTCP noticed nothing. SEED repeats the order of a run;
# TIMES names a file that gets the microseconds of each swap.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
lab=schs$$
. tests/lib/transfer.sh
rounds=${ROUNDS:-60}
RANDOM=${SEED:-$$}
echo "# seed ${SEED:-$$}"
scheds=(minrtt rr split standby priority delay blest ecf otias rtt_threshold)

up --path 50mbit,5ms --path 50mbit,20ms
mb load minrtt
begin 10.77.1.2 5001 -d 3600 -r 60000000
ok "two subflows" until_true joined
now=minrtt
failed=0
declare -A seen=()
for ((i = 0; i < rounds; i++)); do
	next=$now
	until [ "$next" != "$now" ]; do next=${scheds[RANDOM % ${#scheds[@]}]}; done
	start=$EPOCHREALTIME
	mb swap $now "$next" 2>>"$work/swaps" || { failed=$((failed + 1)); continue; }
	end=$EPOCHREALTIME
	echo $((${end/./} - ${start/./})) >>"${TIMES:-/dev/null}"
	now=$next
	seen[$now]=1
done
is $failed 0 "$rounds swaps among ${#seen[@]} schedulers"
[ ! -s "$work/swaps" ] || sed 's/^/# /' "$work/swaps" | head
is "$(loaded)" "$now" "one is loaded: the last"
is "$(look client '$c->{sched}')" "$now" "and in force"
ok "the transfer goes on" going 5001
decided=$(steer decisions)
ok "the policies were asked: $decided times" test "$decided" -gt 0
is "$(steer dropped) $(steer failed)" "0 0" "nothing was dropped, everything delivered"
is "$(troubles)" 0 "no reset, no fallback, no MP_FAIL"
stop 5001
ok "the payload is whole: $(got 5001) bytes" finish 5001
down
done_testing
