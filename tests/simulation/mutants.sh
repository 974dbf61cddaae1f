#!/usr/bin/env bash
# Breaks the product on purpose, one small patch at a time, and shows that the simulation notices.
#   tests/simulation/mutants.sh [NAME...]   all of tests/simulation/mutants/*.patch, or those named
#   tests/simulation/mutants.sh --build     only builds build/mutants/build/tests/simulation_test, unbroken
# MUTANT_SECONDS: how long each one may go unnoticed (300). The unbroken tree must pass first.
# Ends with `N of N mutants caught`, and with status 1 if one was not.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

SECONDS_EACH=${MUTANT_SECONDS:-300}
WORK=$PWD/build/mutants
SOURCE=$WORK/source
PROGRAM=$WORK/build/tests/simulation_test

build_only=false
if [[ ${1:-} == --build ]]; then build_only=true; shift; fi
names=("$@")
if ((${#names[@]} == 0)); then
    for patch in tests/simulation/mutants/*.patch; do names+=("$(basename "$patch" .patch)"); done
fi

# A copy of the tracked files; only those that changed are compiled again.
copy_tree() {
    mkdir -p "$SOURCE"
    git ls-files -z | while IFS= read -r -d '' file; do
        cmp -s "$file" "$SOURCE/$file" || install -D -m "$(stat -c %a "$file")" "$file" "$SOURCE/$file"
    done
}
build() {
    cmake -S "$SOURCE" -B "$WORK/build" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo -DTIDEGATE_BENCH=OFF \
        "-DCMAKE_CXX_FLAGS_RELWITHDEBINFO=-O1 -g0" >"$WORK/build.log" 2>&1 &&
        cmake --build "$WORK/build" -j "$(nproc)" --target simulation_test >>"$WORK/build.log" 2>&1
}
# Runs the kept seeds, then fresh ones until the time is over.
simulate() {
    TIDEGATE_SIMULATION_SECONDS=$1 TIDEGATE_SIMULATION_SEEDS_MOST=1000000 timeout $(($1 * 3 + 60)) \
        "$PROGRAM" --gtest_filter='*KeptSeeds*:*SimulationTest.SeedsHold' >"$WORK/run.log" 2>&1
}
# What noticed: a check of the product, or the first thing that the oracle found wrong.
noticed_by() {
    grep -m 1 -oE 'check failed: .*|^  (message|the |not everything|[0-9]+ messages|[^ ]+ has never).*' "$WORK/run.log" |
        cut -c -140 || echo "see $WORK/run.log"
}

mkdir -p "$WORK"
copy_tree
build || { tail -n 20 "$WORK/build.log"; exit 1; }
if $build_only; then exit 0; fi
printf '%-28s' "no mutant"
if ! simulate 30; then
    echo "FAILS: $(noticed_by)"
    exit 1
fi
echo "passes"

caught=0
for name in "${names[@]}"; do
    printf '%-28s' "$name"
    if ! patch -p1 -d "$SOURCE" -s --dry-run <"tests/simulation/mutants/$name.patch" >/dev/null; then
        echo "does not fit the tree any more: make it anew"
        continue
    fi
    patch -p1 -d "$SOURCE" -s <"tests/simulation/mutants/$name.patch"
    if ! build; then
        echo "does not build, $WORK/build.log"
    else
        begin=$SECONDS
        if simulate "$SECONDS_EACH"; then
            echo "NOT CAUGHT in $((SECONDS - begin)) s"
        else
            caught=$((caught + 1))
            echo "caught in $((SECONDS - begin)) s: $(noticed_by)"
        fi
    fi
    patch -p1 -R -d "$SOURCE" -s <"tests/simulation/mutants/$name.patch"
done
echo "$caught of ${#names[@]} mutants caught"
((caught == ${#names[@]}))
