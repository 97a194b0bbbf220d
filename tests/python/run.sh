#!/usr/bin/env bash
# Runs lifecycle.py against a server of its own: run.sh BINARY VENV. The virtual environment is made in the folder VENV when it is
# not there yet. Ends with 0 and "SKIPPED:" only when no package registry can be reached.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
binary=$1
venv=$2

command -v python3 >/dev/null || { echo "python3 is missing: install it"; exit 1; }

# A folder without this word was not finished.
ready="$venv/ready-$(sha256sum "$here/requirements.txt" | cut -c1-16)"
if [ ! -e "$ready" ]; then
    rm -rf "$venv"
    if ! python3 -c 'import venv, ensurepip' 2>/dev/null; then
        if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
            apt-get -qq update >/dev/null 2>&1 || true
            DEBIAN_FRONTEND=noninteractive apt-get -qq install -y python3-venv >/dev/null
        else
            echo "python3-venv is missing: install it (apt-get install python3-venv)"
            exit 1
        fi
    fi
    python3 -m venv "$venv"
    if ! "$venv/bin/pip" install --quiet --disable-pip-version-check --retries 1 --timeout 20 \
        -r "$here/requirements.txt" 2>"$venv/pip.log"; then
        if grep -qE 'NewConnectionError|ConnectTimeout|Name or service not known|Temporary failure|ProxyError|Network is unreachable|Read timed out|Max retries exceeded' "$venv/pip.log"; then
            echo "SKIPPED: pip cannot reach a package registry; the Python client was not tried"
            exit 0
        fi
        cat "$venv/pip.log"
        exit 1
    fi
    touch "$ready"
fi

place=$(mktemp -d)
mkfifo "$place/said"
"$binary" serve --data "$place/data" --listen 127.0.0.1:0 --operations 127.0.0.1:0 >"$place/said" 2>"$place/log" &
server=$!
finish() {
    kill "$server" 2>/dev/null || true
    wait "$server" 2>/dev/null || true
    rm -rf "$place"
}
trap finish EXIT
exec 3<"$place/said"
if ! read -r -t 60 _ _ address _ <&3; then
    cat "$place/log"
    exit 1
fi
"$venv/bin/python" "$here/lifecycle.py" "$address"
