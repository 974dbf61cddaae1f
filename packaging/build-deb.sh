#!/usr/bin/env bash
# Builds the Debian packages from the files of this tree, on Debian 12, into build/deb.
#   packaging/build-deb.sh   installs what the build needs (root or sudo), builds, prints the packages
# All arguments are passed on to dpkg-buildpackage.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
. packaging/lib/install.sh

case ${1:-} in
-h | --help)
    sed -n '2,4s/^# \{0,1\}//p' packaging/build-deb.sh
    exit
    ;;
esac
out=$PWD/build/deb

# Lists the files of the tree, committed or not; where there is no git, all files except those that builds and runs produce.
list_files() {
    git ls-files -z --cached --others --exclude-standard 2>/dev/null ||
        find . \( -path ./build -o -path ./data -o -name .git -o -name __pycache__ \) -prune -o -type f -print0
}

# Makes the package's source: a copy, so that builds leave nothing in the tree, with debian/ where dpkg expects it.
export_source() {
    local source=$1 files=$2
    mkdir -p "$source"
    list_files | while IFS= read -r -d '' file; do
        [[ ! -f $file ]] || printf '%s\0' "$file"  # Git also lists deleted files.
    done >"$files"
    tar --null --files-from="$files" -cf - | tar -xf - -C "$source"
    rm "$files"
    cp -a packaging/debian "$source/debian"
}

install_build_dependencies() {
    local source=$1 log=$2
    install_packages "$log" build-essential dpkg-dev debhelper || return
    (cd "$source" && dpkg-checkbuilddeps 2>/dev/null) && return
    local install=(env DEBIAN_FRONTEND=noninteractive apt-get build-dep -y -q --no-install-recommends "$source")
    as_root "${install[@]}" >>"$log" 2>&1 </dev/null && return
    as_root apt-get update -q >>"$log" 2>&1 </dev/null || true
    as_root "${install[@]}" >>"$log" 2>&1 </dev/null && return
    (cd "$source" && dpkg-checkbuilddeps) || true  # Prints what is missing.
    echo "could not install the build dependencies, see $log" >&2
    return 1
}

mkdir -p build
exec 9>build/build-deb.lock
flock 9  # Two builds at once would delete each other's files.
rm -rf "$out"
mkdir -p "$out"
export_source "$out/source" "$out/files"
install_build_dependencies "$out/source" "$out/apt.log" || exit 1
log=$out/build.log
if ! (cd "$out/source" && dpkg-buildpackage -us -uc -b "$@") >"$log" 2>&1 </dev/null; then
    tail -n 40 "$log" >&2
    echo "the build failed, see $log" >&2
    exit 1
fi
rm -rf "$out/source"
ls "$out"/*.deb
