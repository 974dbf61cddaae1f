#!/usr/bin/env bash
# Runs the main job on this machine: a fleet publishes over MQTT, the agent stores and forwards, the
# reader lands. The script cuts the uplink for a while and kills the agent once. It exits with 0
# only if no record was lost or doubled and an alert was raised.
#   packaging/demo.sh          installs what is missing (Debian 12, root or sudo), builds, runs
#   packaging/demo.sh --keep   leaves everything running at the end and says how to look at it
# KAFKA_BOOTSTRAP_SERVERS: use that Kafka (TIDEGATE_KAFKA_* for users and TLS) instead of an
# embedded stand-in; the uplink is then not cut. MONGO_URL: land there instead of in a SQLite file.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# Both programs refuse unknown settings, and the variables exported in this shell are not for them.
for name in "${!TIDEGATE_@}"; do
    [[ $name == TIDEGATE_KAFKA_* && -n ${KAFKA_BOOTSTRAP_SERVERS:-} ]] || unset "$name"
done
. packaging/lib/install.sh
. packaging/lib/progress.sh

ASSETS=100
RATE=250    # Heartbeats a second.
COUNT=7500
BIN=$PWD/build/demo/bin
PROGRAMS=(tidegate-agent tidegate-reader tidegate-sim tidegate-dev-broker)
KEEP=
PIDS=()

case ${1:-} in
'') ;;
--keep) KEEP=1 ;;
*)
    sed -n '2,8s/^# \{0,1\}//p' packaging/demo.sh
    [[ $1 == --help || $1 == -h ]] && exit 0 || exit 2
    ;;
esac

DIR=$(mktemp -d "${TMPDIR:-/tmp}/tidegate-demo.XXXXXX")
RUN=${DIR##*.}  # Names the topics and the database of this run on servers that others use, too.
BEGIN=$SECONDS

say() { printf '%4d s  %s\n' $((SECONDS - BEGIN)) "$*"; }
fail() {
    echo "demo: $*" >&2
    local log
    for log in "$DIR"/*.log; do
        [[ ! -s $log ]] || { echo "--- ${log##*/}" >&2; tail -n 8 "$log" >&2; }
    done
    exit 1
}
clean_up() {
    local i
    for ((i = ${#PIDS[@]} - 1; i >= 0; i--)); do  # Clients before their brokers.
        kill "${PIDS[i]}" 2>/dev/null || continue
        wait "${PIDS[i]}" 2>/dev/null || true
    done
    rm -rf "$DIR"
}
trap clean_up EXIT
trap 'exit 130' INT TERM

# start NAME COMMAND...: runs the command in the background; its output is in NAME.out and NAME.log,
# its process id in $started.
start() {
    local name=$1
    shift
    # A session of its own lets the programs that --keep leaves running outlive the terminal.
    setsid "$@" >"$DIR/$name.out" 2>>"$DIR/$name.log" </dev/null &
    started=$!
    PIDS+=("$started")
}
# await SECONDS WHAT COMMAND...: polls until the command succeeds.
await() {
    local end=$((SECONDS + $1)) what=$2
    shift 2
    until "$@" >/dev/null 2>&1; do
        ((SECONDS < end)) || fail "waited in vain for $what"
        sleep 0.1
    done
}
figures() { /usr/bin/python3 packaging/lib/demo_figures.py "$@"; }
free_port() { figures free-port; }
port_open() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# With little optimisation: link-time optimisation, for one, would take longer than the demo.
compile() {
    cmake --preset release -B build/demo -DTIDEGATE_DEV_BROKER=ON \
        -DCMAKE_INTERPROCEDURAL_OPTIMIZATION=OFF "-DCMAKE_CXX_FLAGS_RELEASE=-O1" &&
        cmake --build build/demo -j "$(nproc)" --target "${PROGRAMS[@]}"
}
build() {
    local packages=("${TIDEGATE_BUILD_PACKAGES[@]}" mosquitto kcat python3)
    [[ -z ${MONGO_URL:-} ]] || packages+=(python3-pymongo)
    say "packages"
    install_packages "$DIR/apt.log" "${packages[@]}"
    say "build (the first time takes some minutes)"
    compile >"$DIR/build.log" 2>&1 &
    local compiler=$!
    show_progress "$DIR/build.log" "$compiler"
    wait "$compiler" || fail "the build failed"
}

start_brokers() {
    MQTT_PORT=$(free_port)
    # A gateway's broker must not limit the messages that wait for an agent that is restarting.
    printf '%s\n' "listener $MQTT_PORT 127.0.0.1" "allow_anonymous true" "max_queued_messages 0" \
        >"$DIR/mosquitto.conf"
    start mosquitto "$(PATH=$PATH:/usr/sbin command -v mosquitto)" -c "$DIR/mosquitto.conf"
    await 10 "mosquitto" port_open "$MQTT_PORT"
    if [[ -n ${KAFKA_BOOTSTRAP_SERVERS:-} ]]; then
        KAFKA=$KAFKA_BOOTSTRAP_SERVERS
        say "mosquitto on port $MQTT_PORT, Kafka at $KAFKA"
        return
    fi
    start dev-broker "$BIN/tidegate-dev-broker" --topics "$(IFS=,; echo "${TOPICS[*]}")"
    DEV_BROKER=$started
    await 10 "the Kafka stand-in" test -s "$DIR/dev-broker.out"
    KAFKA=$(<"$DIR/dev-broker.out")
    say "mosquitto on port $MQTT_PORT, a Kafka stand-in at $KAFKA"
}

reader_ready() { figures ready "http://127.0.0.1:$READER_PORT/readyz"; }
start_reader() {
    READER_PORT=$(free_port)
    local settings=(
        "TIDEGATE_KAFKA_BOOTSTRAP_SERVERS=$KAFKA"
        "TIDEGATE_KAFKA_GROUP_ID=demo-$RUN"
        "TIDEGATE_LANDING=${MONGO_URL:-sqlite:$DIR/landing.db}"
        "TIDEGATE_DATABASE=$DATABASE"
        "TIDEGATE_DLQ_TOPIC=demo.$RUN.dlq"
        "TIDEGATE_STREAM_HEARTBEAT=topic=${TOPICS[0]}"
        "TIDEGATE_STREAM_TELEMETRY=topic=${TOPICS[1]}"
        "TIDEGATE_STREAM_ALERT=topic=${TOPICS[2]}"
        "TIDEGATE_STREAM_GAP=topic=${TOPICS[3]}"
        "TIDEGATE_HTTP_LISTEN=127.0.0.1:$READER_PORT"
    )
    start reader env "${settings[@]}" "$BIN/tidegate-reader" run
    await 60 "the reader's partitions" reader_ready
    say "tidegate-reader lands in $([[ -n ${MONGO_URL:-} ]] && echo MongoDB || echo SQLite)"
}

agent_environment() {
    cat <<P
TIDEGATE_GATEWAY_ID=demo
TIDEGATE_STORE_DIR=$DIR/store
TIDEGATE_CONTROL_SOCKET=$DIR/control.sock
TIDEGATE_HTTP_LISTEN=127.0.0.1:$AGENT_PORT
TIDEGATE_INPUT_FLEET=mqtt://127.0.0.1:$MQTT_PORT/fleet/{tenant}/{asset}/heartbeat
TIDEGATE_RULE_OVERHEAT=temperature_c > 50 clear 48 severity critical
TIDEGATE_RULE_LOW_FUEL=fuel_pct < 15 clear 30 severity warning
TIDEGATE_KAFKA_BOOTSTRAP_SERVERS=$KAFKA
TIDEGATE_TOPIC_HEARTBEAT=${TOPICS[0]}
TIDEGATE_TOPIC_READING=${TOPICS[1]}
TIDEGATE_TOPIC_ALERT=${TOPICS[2]}
TIDEGATE_TOPIC_GAP=${TOPICS[3]}
P
}
agent() { env "${AGENT_ENV[@]}" "$BIN/tidegate-agent" "$@"; }
agent_figure() { agent status --json 2>/dev/null | figures status "$1"; }
figure_above() { (($(agent_figure "$1") > $2)); }
connected() { [[ $(agent_figure connected) == 1 ]]; }
start_agent() {
    start agent env "${AGENT_ENV[@]}" "$BIN/tidegate-agent" run
    AGENT=$started
    await 15 "the agent's connection to mosquitto" connected
}

# Cuts the uplink and kills the agent while the fleet publishes.
disturb() {
    await 30 "heartbeats to be delivered" figure_above acked 500
    if [[ -n ${DEV_BROKER:-} ]]; then
        say "the uplink is cut ..."
        kill -USR1 "$DEV_BROKER"
        await 30 "a backlog" figure_above backlog 1000
        say "... $(agent_figure backlog) records wait in the store; the agent gets SIGKILL ..."
    else
        say "the agent gets SIGKILL ... (a Kafka of yours is not cut)"
    fi
    kill -KILL "$AGENT"
    wait "$AGENT" 2>/dev/null || true
    start_agent
    say "... and is back"
    [[ -n ${DEV_BROKER:-} ]] || return 0
    await 30 "a larger backlog" figure_above backlog 1500
    kill -USR2 "$DEV_BROKER"
    say "the uplink is back, $(agent_figure backlog) records are waiting"
}

settled() { [[ $(agent_figure backlog) == 0 ]]; }
landed() { (($(figures landed "$LANDING" "$DATABASE") >= COUNT)); }

# Prints the headers of every heartbeat in Kafka, a line for each heartbeat.
kcat_messages() {
    local options=() name
    for name in "${!TIDEGATE_KAFKA_@}"; do
        [[ $name == TIDEGATE_KAFKA_BOOTSTRAP_SERVERS ]] && continue
        options+=(-X "$(tr _ . <<<"${name#TIDEGATE_KAFKA_}" | tr '[:upper:]' '[:lower:]')=${!name}")
    done
    kcat -C -q -e -o beginning -b "$KAFKA" -t "${TOPICS[0]}" -f '%h\n' ${options[@]+"${options[@]}"}
}

[[ -z ${CI:-} ]] || say "in $DIR"
TOPICS=("demo.$RUN.heartbeat" "demo.$RUN.reading" "demo.$RUN.alert" "demo.$RUN.gap")
DATABASE=tidegate_demo_$RUN
LANDING=${MONGO_URL:-$DIR/landing.db}
build
BUILT=$SECONDS
AGENT_PORT=$(figures free-port)
start_brokers
start_reader
mapfile -t AGENT_ENV < <(agent_environment)
start_agent
say "tidegate-agent runs"
start sim "$BIN/tidegate-sim" --assets "$ASSETS" --rate "$RATE" --count "$COUNT" \
    --mqtt "mqtt://127.0.0.1:$MQTT_PORT"
SIM=$started
say "$ASSETS vehicles publish $COUNT heartbeats, $RATE a second"
disturb
wait "$SIM" || fail "tidegate-sim failed"
say "the fleet has published everything; what is left drains"
await 60 "the store to drain" settled
await 60 "everything to land" landed
say "done, $((SECONDS - BUILT)) s after the build"

kcat_messages >"$DIR/messages"
status=0
figures table "$LANDING" "$DATABASE" "$DIR/sim.out" "$DIR/messages" || status=$?
[[ -n $KEEP ]] || exit "$status"

trap - EXIT
RUNNING=()
for pid in "${PIDS[@]}"; do kill -0 "$pid" 2>/dev/null && RUNNING+=("$pid"); done
cat <<P

Still running, in $DIR:
  $DIR/agent status      and: tail --follow, check
  curl http://127.0.0.1:$AGENT_PORT/metrics
  curl http://127.0.0.1:$READER_PORT/stats
  $BIN/tidegate-sim --assets 10 --rate 10 --mqtt mqtt://127.0.0.1:$MQTT_PORT
  ${MONGO_URL:-sqlite3 $DIR/landing.db '.tables'}
Stop it with:  kill ${RUNNING[*]}; rm -r $DIR
P
{
    echo '#!/bin/sh'
    printf 'export'; printf " '%s'" "${AGENT_ENV[@]}"; echo
    echo "exec $BIN/tidegate-agent \"\$@\""
} >"$DIR/agent"
chmod +x "$DIR/agent"
exit "$status"
