#!/usr/bin/env bash
# Installs what the tests need on Debian 12, builds, runs the tests, and prints 'N passed, N failed'.
#   tests/run.sh               everything that CI runs
#   tests/run.sh --unit        only the build and the unit tests
#   tests/run.sh --all         the long tests, too, and the crash campaigns with their full counts
#   tests/run.sh -k EXPRESSION only the integration tests that match (pytest's -k)
# MONGO_URL: run the integration tests on that MongoDB instead of a server that they start.
# Logs are in build/test-logs.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. packaging/lib/install.sh
. packaging/lib/progress.sh

# The first two lines are for the builds, the unit tests and the lint checks, the rest for the
# integration tests and the crash campaigns.
TEST_PACKAGES=(
    libgtest-dev libgmock-dev libbenchmark-dev ccache git
    clang-14 clang-format-14 libclang-rt-14-dev shellcheck
    python3 python3-venv maven openjdk-17-jdk-headless mosquitto mosquitto-clients openssl socat
    debootstrap systemd-container debhelper lintian
    strace iproute2 e2fsprogs util-linux
)
LOGS=$PWD/build/test-logs
JOBS=$(nproc)
RESULTS=()   # Result files in JUnit's format.
child=

usage() { sed -n '2,8s/^# \{0,1\}//p' "${BASH_SOURCE[0]}"; exit "$1"; }

what=ci expression=
while (($#)); do
    case $1 in
    --unit) what=unit ;;
    --all) what=all ;;
    -k) (($# > 1)) || usage 2 >&2; expression=$2; shift ;;
    -h | --help) usage 0 ;;
    *) usage 2 >&2 ;;
    esac
    shift
done

stop_child() { [[ -z $child ]] || kill -- "-$child" 2>/dev/null || true; }
trap stop_child EXIT
trap 'exit 130' INT TERM

# step NAME COMMAND...: runs the command with its output in a log, prints how long it took, and, if
# it failed, the end of the log.
step() {
    local name=$1 log="$LOGS/${1// /-}.log" begin=$SECONDS status=0
    shift
    printf '%-28s' "$name"
    set -m  # With a process group of its own, an interrupt ends all of the step's processes.
    "$@" >"$log" 2>&1 </dev/null &
    child=$!
    set +m
    show_progress "$log" "$child"
    wait "$child" || status=$?
    child=
    if ((status == 0)); then
        echo "ok, $((SECONDS - begin)) s"
    else
        echo "FAILED, $((SECONDS - begin)) s, $log:"
        tail -n 30 "$log" | sed 's/^/    /'
    fi
    return "$status"
}

# record NAME [ELEMENT]: writes a result of this script in JUnit's format.
record() {
    local file="$LOGS/${1// /-}.step.xml"
    echo "<testsuite><testcase classname='run.sh' name='$1'>${2:-}</testcase></testsuite>" >"$file"
    RESULTS+=("$file")
}
failed() { record "$1" "<failure/>"; }

# must NAME COMMAND...: runs a step that counts as a failed test if it fails.
must() { step "$@" || { failed "$1"; return 1; }; }

# check NAME COMMAND...: runs a step that counts as one test.
check() { must "$@" && record "$1"; }

# tests NAME COMMAND...: runs a step that writes its results to $LOGS/NAME.xml in JUnit's format.
tests() {
    local file="$LOGS/${1// /-}.xml" status=0
    rm -f "$file"
    step "$@" || status=$?
    [[ ! -s $file ]] || RESULTS+=("$file")
    ((status == 0)) || grep -qsE '<(failure|error)' "$file" || failed "$1"
}

build_preset() {
    local preset=$1
    shift
    cmake --preset "$preset" -DTIDEGATE_BENCH=OFF "$@" &&
        cmake --build --preset "$preset" -j "$JOBS"
}
# Builds only the programs, file by file: clang adds its warnings, checks the thread annotations, and
# shows what a file forgot to include.
build_clang() {
    cmake --preset dev -B build/clang -DCMAKE_CXX_COMPILER=clang++-14 -DCMAKE_C_COMPILER=clang-14 \
        -DTIDEGATE_BENCH=OFF -DTIDEGATE_TESTS=OFF -DTIDEGATE_PCH=OFF "-DCMAKE_CXX_FLAGS_DEBUG=-g0" &&
        cmake --build build/clang -j "$JOBS"
}
run_ctest() {
    local preset=$1 name=$2
    shift 2
    ctest --test-dir "build/$preset" --output-on-failure --no-tests=error -j "$JOBS" \
        --output-junit "$LOGS/$name.xml" "$@"
}
run_pytest() {
    local python options=(-n 3 --dist loadgroup)
    python=$(cd tests && /usr/bin/python3 -m realparts install python | cut -d ' ' -f 2-)
    [[ $what == all ]] || options+=(-m 'not long')
    [[ -z $expression ]] || options=(-k "$expression")
    export TIDEGATE_BIN=${TIDEGATE_BIN:-$PWD/build/asan/bin}
    "$python/bin/python" -m pytest tests/integration "${options[@]}" -p no:cacheprovider \
        --junit-xml "$LOGS/integration.xml"
}
# Uses a build without a sanitizer, because one campaign limits memory and others start the agent a
# thousand times.
run_crash() {
    local python
    python=$(cd tests && /usr/bin/python3 -m realparts install python | cut -d ' ' -f 2-)
    TIDEGATE_BIN=$PWD/build/clang/bin "$python/bin/python" -m pytest tests/crash -n 3 --dist loadfile \
        -p no:cacheprovider --junit-xml "$LOGS/crash.xml"
}
fetch_parts() { (cd tests && /usr/bin/python3 -m realparts install); }

report() {
    local begin=$1
    echo
    echo "$((SECONDS - begin)) s, logs in $LOGS"
    /usr/bin/python3 tests/results.py "${RESULTS[@]}"
}

unit() {
    must "build dev" build_preset dev || return 0
    tests "unit dev" run_ctest dev unit-dev -L unit
}
sanitized() {
    must "build asan" build_preset asan || return 0
    [[ -n $expression ]] ||
        TIDEGATE_CRASH_POINTS=500 tests "ctest asan" run_ctest asan ctest-asan -LE "bench|lint"
    must "fetch servers" fetch_parts || return 0
    tests integration run_pytest
}
# Runs all crash points in a build without a sanitizer, which is faster; some of them have run with one.
run_crash_points() {
    cmake --preset dev -DTIDEGATE_BENCH=OFF &&
        cmake --build --preset dev -j "$JOBS" --target store_crash_test &&
        build/dev/tests/store_crash_test "--gtest_output=xml:$LOGS/crash-points.xml"
}
crash() {
    local logs=("$LOGS/crash.log" build/asan/Testing/Temporary/LastTest.log)
    must "fetch servers" fetch_parts || return 0
    tests crash run_crash
    if [[ $what == all ]]; then
        tests "crash points" run_crash_points
        logs=("$LOGS/crash.log" "$LOGS/crash-points.log")
    fi
    grep -hE '^[^:]*: faults [0-9]' "${logs[@]}" | sed 's/^/    /' || true
}
# An hour of fresh seeds, and then every mutant, which must be caught.
run_seeds() {
    tests/simulation/mutants.sh --build &&
        TIDEGATE_SIMULATION_FIRST=$(date +%s) TIDEGATE_SIMULATION_SECONDS=3600 \
            TIDEGATE_SIMULATION_SEEDS_MOST=1000000 build/mutants/build/tests/simulation_test \
            --gtest_filter='*SimulationTest.SeedsHold'
}
simulation() {
    check "simulated hour" run_seeds || true
    grep -h '^simulation:' "$LOGS/simulated-hour.log" | sed 's/^/    /' || true
    check mutants tests/simulation/mutants.sh || true
    grep -h 'caught' "$LOGS/mutants.log" | sed 's/^/    /' || true
}
# These tests cover the code with threads of our own. gcc's thread sanitizer crashes in librdkafka's
# threads, so it runs only tests that use fakes.
THREADED=(fanned_store_test reader_test reader_service_test reader_endpoints_test reader_api_test reader_project_test enrich_test
    document_store_contract_test)
build_threaded() {
    cmake --preset tsan -DTIDEGATE_BENCH=OFF -DTIDEGATE_AGENT=OFF &&
        cmake --build --preset tsan -j "$JOBS" --target "${THREADED[@]}"
}
threads() {
    must "build tsan" build_threaded || return 0
    tests "ctest tsan" run_ctest tsan ctest-tsan -R "^($(IFS='|' && echo "${THREADED[*]}"))\$"
}

begin=$SECONDS
mkdir -p "$LOGS"
packages=("${TIDEGATE_BUILD_PACKAGES[@]}" "${TEST_PACKAGES[@]}")
step packages install_packages "$LOGS/apt.log" "${packages[@]}" || exit 1
export CCACHE_BASEDIR=$PWD CCACHE_NOHASHDIR=1  # Clones of one tree share what is compiled.
export CCACHE_SLOPPINESS=pch_defines,time_macros  # Without these, nothing with a precompiled header is kept.
export CMAKE_CXX_COMPILER_LAUNCHER=ccache CMAKE_C_COMPILER_LAUNCHER=ccache
[[ $what != all ]] || export TIDEGATE_CRASH_FULL=1

if [[ -n $expression ]]; then
    sanitized
elif [[ $what == unit ]]; then
    unit
else
    check lint tests/lint/run.sh || true
    sanitized
    threads
    if check "build clang" build_clang; then crash; fi
    [[ $what != all ]] || simulation
fi
report "$begin"
