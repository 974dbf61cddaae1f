# shellcheck shell=bash

# Functions for scripts that install the packages they need on Debian 12. Installing takes root or
# sudo; where nothing is missing, neither is needed. To be sourced.

# The packages that a build of Tidegate without tests and benches needs.
# shellcheck disable=SC2034  # Used by those who source this file.
TIDEGATE_BUILD_PACKAGES=(
    build-essential cmake ninja-build pkg-config
    libcjson-dev libcli11-dev libcurl4-openssl-dev libfmt-dev libmicrohttpd-dev libmongoc-dev
    libmosquitto-dev libprotobuf-dev libprotoc-dev librdkafka-dev libsqlite3-dev libssl-dev
    libsystemd-dev libxxhash-dev libzstd-dev prometheus-cpp-dev protobuf-compiler
)

# missing_packages PACKAGE...: prints those that are not installed.
missing_packages() {
    local package status
    for package; do
        status=$(dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null) || true
        [[ $status == installed ]] || echo "$package"
    done
}

as_root() {
    if ((EUID == 0)); then
        "$@"
    else
        sudo -n true 2>/dev/null || [[ -t 0 ]] || return 1
        sudo "$@"
    fi
}

# install_packages LOGFILE PACKAGE...: installs those that are missing. Fetches the package lists
# only if the installation fails without new ones.
install_packages() {
    local log=$1 missing
    shift
    mapfile -t missing < <(missing_packages "$@")
    ((${#missing[@]})) || return 0
    if ((EUID != 0)) && ! command -v sudo >/dev/null; then
        echo "missing, and neither root nor sudo to install them: ${missing[*]}" >&2
        return 1
    fi
    local install=(env DEBIAN_FRONTEND=noninteractive
        apt-get install -y -q --no-install-recommends "${missing[@]}")
    as_root "${install[@]}" >>"$log" 2>&1 </dev/null && return
    as_root apt-get update -q >>"$log" 2>&1 </dev/null || true
    as_root "${install[@]}" >>"$log" 2>&1 </dev/null && return
    echo "could not install: ${missing[*]}, see $log" >&2
    return 1
}
