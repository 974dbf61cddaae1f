#!/bin/bash
# Boots systemd in a throw-away copy of a root. When it ends in any way, nothing is left of the copy.
#   boot.sh ROOT NAME BIND...   runs in the foreground, SIGTERM shuts it down
# Needs root and a mount namespace of its own: unshare --mount.
set -euo pipefail
root=$1 name=$2
shift 2

# The container gets a control group of its own: two systemds in one group would end each other's
# services.
while IFS=: read -r _ hierarchy path; do
    case $hierarchy in
    '')
        folder=/sys/fs/cgroup/unified
        [[ -e $folder/cgroup.procs ]] || folder=/sys/fs/cgroup
        ;;
    name=systemd) folder=/sys/fs/cgroup/systemd ;;
    *) continue ;;
    esac
    [[ -e $folder/cgroup.procs ]] || continue
    mkdir -p "$folder${path%/}/$name"
    echo $$ >"$folder${path%/}/$name/cgroup.procs"
done </proc/self/cgroup

mount -t tmpfs tmpfs /mnt
mkdir /mnt/upper /mnt/work /mnt/root
mount -t overlay overlay -o "lowerdir=$root,upperdir=/mnt/upper,workdir=/mnt/work" /mnt/root
# On a real machine anyone may ask for the state of the clock; nspawn forbids that by default.
exec systemd-nspawn --quiet --directory=/mnt/root --register=no --keep-unit --private-network \
    --link-journal=no --hostname="$name" --kill-signal=SIGRTMIN+3 --console=passive \
    --system-call-filter="adjtimex clock_adjtime" \
    "${@/#/--bind-ro=}" --boot
