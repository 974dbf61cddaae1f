#!/bin/bash
# Runs every check of the source text. Prints one line for each: "ok name", or "FAILED name" after what the check found. Exits
# with 1 if a check failed. Needs python3, git and clang-format-14; changes nothing.
set -u
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
export PYTHONDONTWRITEBYTECODE=1
failed=0

check() {  # check NAME COMMAND...
  local name=$1 output status
  shift
  output=$("$@" 2>&1)
  status=$?
  if [ $status -eq 0 ]; then
    grep '^warning: ' <<<"$output"
    echo "ok $name"
  else
    echo "$output"
    echo "FAILED $name"
    failed=1
  fi
}

tracked() { git -C "$root" ls-files -co --exclude-standard -z -- "$@"; }

# Prints a line for each file that clang-format would change, with the number of places.
formatted() {
  local found
  command -v clang-format-14 >/dev/null || { echo "clang-format-14 is not installed"; return 1; }
  found=$(cd "$root" && tracked '*.cc' '*.h' | xargs -0 -r clang-format-14 --dry-run -Werror 2>&1)
  [ -z "$found" ] && return 0
  sed -n 's/^\([^ :]*\):[0-9]*:[0-9]*: error: .*/\1/p' <<<"$found" | sort | uniq -c
  return 1
}

shell_parses() {
  local file bad=0
  while IFS= read -r -d '' file; do bash -n "$root/$file" || bad=1; done < <(tracked '*.sh' '.ci/run')
  return $bad
}

python_parses() {
  tracked '*.py' | (cd "$root" && xargs -0 -r python3 -c '
import ast, sys
for name in sys.argv[1:]:
    ast.parse(open(name, encoding="utf-8").read(), name)')
}

check lint_finds_what_is_planted python3 "$here/lint_test.py" --quiet
check include_direction python3 "$here/include_direction.py" "$root"
check tests_are_built python3 "$here/tests_are_built.py" "$root"
check text_rules python3 "$here/text_rules.py" "$root"
check wall_clock python3 "$here/wall_clock.py" "$root"
check shell_parses shell_parses
check python_parses python_parses
check format formatted
exit $failed
