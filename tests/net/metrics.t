#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The metrics: promtool finds nothing to say, a real Prometheus scrapes them, and what they count is what the devices carried.
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/tap.sh
lab=met$$
. tests/lib/transfer.sh
scrape() { client curl -sf -H "Accept: ${1:-text/plain}" http://127.0.0.1:9464/metrics; }
value() { scrape | awk -v m="$1" '$1 == m { printf "%d\n", $2 }'; }
transfer() { # BYTES
	spawn recv server build/tests/mpio recv 10.77.1.2 5001
	listens recv
	client build/tests/mpio send -b "$1" 10.77.1.2 5001 >/dev/null
	ended recv
}

up --path 50mbit,5ms --path 50mbit,5ms
mb load minrtt
mb load sight
is "$(mb run --listen 127.0.0.1:x 2>&1 >/dev/null; echo $?)" "mptcp-bpf: --listen: 'x' is not a number in 1..65535
2" "a port that is none"
spawn agent client $bin run --listen 127.0.0.1:9464
ok "it answers" until_true scrape
ok "an address in use" test "$(mb run --listen 127.0.0.1:9464 2>/dev/null; echo $?)" = 1
is "$(client curl -s -o /dev/null -w '%{http_code}' http://127.0.0.1:9464/other) $(client curl -s -o /dev/null -w '%{http_code}' -X POST http://127.0.0.1:9464/metrics)" \
	"404 405" "other pages and methods"
transfer 4000000
transfer 4000000
sum() { echo $(($(value "mptcp_bpf_path_sent_bytes_total{device=\"path1\"}") + $(value "mptcp_bpf_path_sent_bytes_total{device=\"path2\"}") -
	$(value "mptcp_bpf_path_retransmitted_bytes_total{device=\"path1\"}") - $(value "mptcp_bpf_path_retransmitted_bytes_total{device=\"path2\"}"))); }
reinjected=$(mb -j --all stat | perl -MJSON::PP -e 'my $n = 0; $n += $_->{bytes_reinjected} for @{decode_json(<STDIN>)->{ended}}; print $n')
within $(($(sum) - reinjected)) 8000000 1 "what two connections sent is counted after they ended, $reinjected bytes reinjected apart"
is "$(scrape application/openmetrics-text | tail -n 1)" "# EOF" "OpenMetrics, where it is asked for"
is "$(mb stat --openmetrics | grep '^# TYPE')" "$(scrape application/openmetrics-text | grep '^# TYPE')" "stat --openmetrics has the same families"
is "$(scrape | grep -c 'token=')" 0 "no series for each connection"
if command -v promtool >/dev/null; then
	scrape >"$work/metrics"
	is "$(promtool check metrics <"$work/metrics" 2>&1; echo $?)" 0 "promtool check metrics has nothing to say"
else
	skip "promtool (Debian: prometheus) is not installed" "promtool check metrics"
fi
if command -v prometheus >/dev/null; then
	cat >"$work/prometheus.yml" <<-'END'
		global: {scrape_interval: 1s}
		scrape_configs: [{job_name: mptcp-bpf, static_configs: [{targets: ['127.0.0.1:9464']}]}]
	END
	spawn prometheus client prometheus --config.file="$work/prometheus.yml" --storage.tsdb.path="$work/tsdb" \
		--web.listen-address=127.0.0.1:9090
	query() { client curl -sf "http://127.0.0.1:9090/api/v1/query" --data-urlencode "query=$1" | perl -MJSON::PP -e 'print decode_json(<STDIN>)->{data}{result}[0]{value}[1]'; }
	scraped() { [ "$(query 'up{job="mptcp-bpf"}')" = 1 ]; }
	ok "Prometheus scrapes it" until_true scraped
	is "$(query 'sum(mptcp_bpf_path_sent_bytes_total)')" "$(($(value "mptcp_bpf_path_sent_bytes_total{device=\"path1\"}") + $(value "mptcp_bpf_path_sent_bytes_total{device=\"path2\"}")))" "and has its counters"
	is "$(query 'count(mptcp_bpf_steer_decisions_total)')" 1 "and the runtime's"
else
	skip "prometheus is not installed" "a real Prometheus scrapes it"
fi
kill -TERM "$(cat "$work/agent.pid")"
ok "it ends when it is told to" ended agent
mb stat --openmetrics >"$work/families"
# Every series of the dashboard is one that is exposed.
is "$(grep -o 'mptcp_bpf_[a-z_]*' dist/grafana.json | sort -u | while read -r m; do grep -q "^# TYPE ${m%_total} " "$work/families" || echo "$m"; done)" "" "the dashboard asks for what there is"

# A recording, cut short and gone on with; plotted.
recording() { spawn record client $bin stat --record "$work/rec" -i 0.2; }
recorded() { kill "$(cat "$work/record.pid")"; ended record; }
both() { awk '{ n[$4]++ } END { exit !(n["path1"] > 4 && n["path2"] > 4) }' "$work/rec"; }
begin 10.77.1.2 5002 -r 20000000 -d 600
recording
until_true test -s "$work/rec"
recorded
printf '17 00000001 1 pa' >>"$work/rec"
recording
ok "a recording has lines of both paths" until_true both
recorded
stop 5002
ok "the payload is whole" finish 5002
is "$(echo no >"$work/no"; $bin stat --record "$work/no" 2>&1; cat "$work/no")" "mptcp-bpf: $work/no: is there already, and no recording
no" "another file is left alone"
if command -v gnuplot >/dev/null; then
	ok "plot" $bin plot "$work/rec" -o "$work/plot.svg"
	is "$(grep -c '<svg\|path1\|path2' "$work/plot.svg" | awk '{ print ($1 >= 3) }')" 1 "draws both paths"
	ok "plot, as PNG" $bin plot "$work/rec" -o "$work/plot.png"
	is "$(head -c 8 "$work/plot.png" | od -An -tx1)" " 89 50 4e 47 0d 0a 1a 0a" "which it is"
else
	skip "gnuplot (Debian: gnuplot-nox) is not installed" "plot"
fi
done_testing
