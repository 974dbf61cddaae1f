# shellcheck shell=bash

# Sourced by scripts that build: shows how far ninja has come while its output goes to a log.

# show_progress LOG PID: until the process ends, shows the newest "[done/all]" of the log: on a
# terminal in place, at the end of the line; elsewhere in a line of its own every 30 seconds.
show_progress() {
    local log=$1 pid=$2 begin=$SECONDS shown='' now
    while kill -0 "$pid" 2>/dev/null; do
        sleep 0.5
        now=$(tail -c 4096 "$log" 2>/dev/null | grep -aoE '^\[[0-9]+/[0-9]+\]' | tail -n 1) || true
        [[ -n $now && $now != "$shown" ]] || continue
        if [[ -t 1 ]]; then
            # Save the cursor, write, clear the rest of the line, restore the cursor.
            printf '\0337%s\033[K\0338' "$now"
        elif ((SECONDS - begin >= 30)); then
            begin=$SECONDS
            printf '%s ' "$now"
        fi
        shown=$now
    done
    [[ ! -t 1 ]] || printf '\033[K'
}
