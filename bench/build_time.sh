#!/usr/bin/env bash
# How long a newcomer waits: a fresh clone of HEAD with cold compiler caches, to the demo's table, to the end of the unit tests, and
# to the end of all tests. Prints a line for each; run it on a quiet machine whose packages are installed already.
#   bench/build_time.sh [demo] [unit] [all]   (default: demo unit)
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

declare -A COMMANDS=([demo]="packaging/demo.sh" [unit]="tests/run.sh --unit" [all]="tests/run.sh")
declare -A TARGETS=([demo]=240 [unit]=240 [all]=900)
for part; do
    [[ -n ${COMMANDS[$part]:-} ]] || { sed -n '2,4s/^# \{0,1\}//p' "${BASH_SOURCE[0]}" >&2; exit 2; }
done
(($#)) || set -- demo unit

folder=$(mktemp -d "${TMPDIR:-/tmp}/tidegate-build-time.XXXXXX")
trap 'rm -rf "$folder"' EXIT
export CCACHE_DIR=$folder/ccache
echo "commit $(git rev-parse --short HEAD), $(nproc) cores"
for part; do
    rm -rf "$CCACHE_DIR" "$folder/tree"
    git clone -q . "$folder/tree"
    begin=$SECONDS status=0
    # shellcheck disable=SC2086  # A command and its option.
    (cd "$folder/tree" && ${COMMANDS[$part]}) >"$folder/$part.log" 2>&1 </dev/null || status=$?
    echo "${COMMANDS[$part]}: $((SECONDS - begin)) s (at most ${TARGETS[$part]}), exit $status"
    ((status == 0)) || tail -n 20 "$folder/$part.log"
done
