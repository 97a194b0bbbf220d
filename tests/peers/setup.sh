#!/bin/sh
# Speed beside others, from nothing to the table: installs what is missing, starts PostgreSQL, UmaDB and our server on one
# disk, measures, stops everything, removes everything. Whatever cannot be had is named, and the run goes on without it.
#
#   tests/peers/setup.sh [--json FILE] [any option of the harness, see tests/peers/README.md]
#
# SWITCHBOARD    the binary of our server (default: target/release/switchboard)
# PEERS_DIR      folder for all data, on the disk to be measured (default: target/peers)
# UMADB_OPTIONS  options of UmaDB's server (default: none)
#
# Absent on purpose: any use of a PostgreSQL cluster or an UmaDB that runs already.
set -eu

UMADB_VERSION=0.7.8

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
target="$root/target/peers"
switchboard=${SWITCHBOARD:-$root/target/release/switchboard}
UMADB_OPTIONS=${UMADB_OPTIONS:-}
mkdir -p "${PEERS_DIR:-$target}"
work=$(mktemp -d "${PEERS_DIR:-$target}/run.XXXXXX")
postgres_pid='' umadb_pid='' switchboard_pid='' harness_pid=''
postgres_at='' umadb_at='' switchboard_at=''

say() { echo "peers: $*" >&2; }

# Stops by process id: PostgreSQL with its fast shutdown, the others with a plain request, and waits for each.
stop() {
    for pid in $harness_pid $umadb_pid $switchboard_pid; do kill -TERM "$pid" 2>/dev/null || true; done
    if [ -n "$postgres_pid" ]; then kill -INT "$postgres_pid" 2>/dev/null || true; fi
    wait
    rm -rf "$work"
}
trap stop EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# Waits up to 30 s for a command to succeed while a process lives.
await() {
    pid=$1
    shift
    tries=0
    until "$@" >/dev/null 2>&1; do
        tries=$((tries + 1))
        if [ "$tries" -gt 300 ] || ! kill -0 "$pid" 2>/dev/null; then return 1; fi
        sleep 0.1
    done
}

# Installs a Debian package if we may.
install() {
    if [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
        say "installing $1"
        { apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$1"; } >&2 || true
    fi
}

# The newest server's programs; Debian keeps them off the path.
postgres_programs() {
    for initdb in $(ls -d /usr/lib/postgresql/*/bin/initdb 2>/dev/null | sort -rV) $(command -v initdb || true); do
        if [ -x "$initdb" ]; then dirname "$initdb" && return; fi
    done
    return 1
}

# PostgreSQL refuses to run as root.
as_postgres=''
if [ "$(id -u)" -eq 0 ]; then as_postgres='setpriv --reuid=postgres --regid=postgres --init-groups'; fi

# Notes who will be missing, and why, one a line.
missing=''
give_up() {
    say "$1 will be missing: $2"
    missing="$missing$1: $2
"
}

start_postgres() {
    postgres_programs >/dev/null || install postgresql
    programs=$(postgres_programs) || { give_up postgres "no initdb here, and it could not be installed"; return 0; }
    data="$work/postgres"
    mkdir "$data"
    chmod 755 "$work"
    if [ "$(id -u)" -eq 0 ]; then chown postgres: "$data"; fi
    if ! $as_postgres test -w "$data"; then
        give_up postgres "its user cannot reach $data; set PEERS_DIR to a folder that it can"
        return 0
    fi
    # The durable defaults stand (fsync, synchronous_commit, full_page_writes); said again so that they are seen to.
    # The sizes keep checkpoints out of the slices, which is to PostgreSQL's advantage.
    (
        cd "$data"
        $as_postgres "$programs/initdb" -D "$data/db" -A trust -U postgres -E UTF8 --no-locale &&
            cat >>"$data/db/postgresql.conf" <<CONF
listen_addresses = ''
unix_socket_directories = '$data'
max_connections = 200
fsync = on
synchronous_commit = on
full_page_writes = on
wal_sync_method = fdatasync
shared_buffers = 512MB
min_wal_size = 1GB
max_wal_size = 8GB
checkpoint_timeout = 30min
CONF
    ) >"$work/postgres.log" 2>&1 || { give_up postgres "initdb failed: $(tail -n 1 "$work/postgres.log")"; return 0; }
    # It lives in its own folder: the one that we are called from may be closed to its user.
    (cd "$data" && exec $as_postgres "$programs/postgres" -D "$data/db") >>"$work/postgres.log" 2>&1 &
    postgres_pid=$!
    if ! await "$postgres_pid" "$programs/psql" -h "$data" -U postgres -c 'SELECT 1'; then
        give_up postgres "it did not start: $(tail -n 1 "$work/postgres.log")"
        return 0
    fi
    # A server that has run for a day writes its log into files that are there already; this one gets them now.
    "$programs/psql" -q -h "$data" -U postgres >/dev/null <<'SQL'
CREATE TABLE filler (n int);
DO $$ BEGIN
    FOR n IN 1..64 LOOP
        INSERT INTO filler VALUES (n);
        PERFORM pg_switch_wal();
    END LOOP;
END $$;
DROP TABLE filler;
CHECKPOINT;
SQL
    postgres_at="host=$data user=postgres dbname=postgres"
}

start_umadb() {
    venv="$target/umadb-$UMADB_VERSION"
    if [ ! -x "$venv/bin/umadb" ]; then
        rm -rf "$venv"
        command -v python3 >/dev/null && python3 -m venv "$venv" 2>/dev/null || install python3-venv
        if [ ! -x "$venv/bin/pip" ]; then rm -rf "$venv" && python3 -m venv "$venv" >&2 || true; fi
        if ! "$venv/bin/pip" install -q --disable-pip-version-check "umadb==$UMADB_VERSION" >&2; then
            rm -rf "$venv"
            give_up umadb "umadb $UMADB_VERSION could not be installed from PyPI"
            return 0
        fi
    fi
    # It does not say which port it got, so it is given one that was free a moment ago.
    port=$("$venv/bin/python" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    "$venv/bin/umadb" --listen "127.0.0.1:$port" --db-path "$work/uma.db" $UMADB_OPTIONS >"$work/umadb.log" 2>&1 &
    umadb_pid=$!
    if ! await "$umadb_pid" "$venv/bin/python" -c "import socket; socket.create_connection(('127.0.0.1', $port)).close()"; then
        give_up umadb "it did not start: $(tail -n 1 "$work/umadb.log")"
        return 0
    fi
    umadb_at="127.0.0.1:$port"
}

start_switchboard() {
    if [ ! -x "$switchboard" ]; then
        give_up switchboard "there is no $switchboard; build it, or set SWITCHBOARD"
        return 0
    fi
    "$switchboard" serve --data "$work/switchboard" --listen 127.0.0.1:0 --operations 127.0.0.1:0 \
        >"$work/switchboard.out" 2>"$work/switchboard.log" &
    switchboard_pid=$!
    if ! await "$switchboard_pid" grep -qE '127\.0\.0\.1:[0-9]+' "$work/switchboard.out"; then
        give_up switchboard "it did not start: $(tail -n 1 "$work/switchboard.log")"
        return 0
    fi
    # The first address that it prints is the one that it listens on for gRPC.
    switchboard_at=$(grep -oE '127\.0\.0\.1:[0-9]+' "$work/switchboard.out" | head -n 1)
}

say "building the harness"
cargo build -q --release --manifest-path "$here/Cargo.toml" --target-dir "$target"
start_postgres
start_umadb
start_switchboard

set -- --folder "$work" "$@"
if [ -n "$postgres_at" ]; then set -- --postgres "$postgres_at" --postgres-pid "$postgres_pid" "$@"; fi
if [ -n "$umadb_at" ]; then
    set -- --umadb "$umadb_at" --umadb-pid "$umadb_pid" "$@"
    set -- --umadb-settings "$UMADB_VERSION ${UMADB_OPTIONS:-with its defaults}" "$@"
fi
if [ -n "$switchboard_at" ]; then
    set -- --switchboard "$switchboard_at" --switchboard-pid "$switchboard_pid" "$@"
    set -- --switchboard-settings "$("$switchboard" --version) with its defaults" "$@"
fi
while IFS= read -r reason; do
    if [ -n "$reason" ]; then set -- --missing "$reason" "$@"; fi
done <<REASONS
$missing
REASONS
# In the background and waited for, so that a signal is heeded now and not when the measuring is over.
"$target/release/switchboard-peers" "$@" &
harness_pid=$!
wait "$harness_pid"
