#!/bin/sh
# All tests, in two halves side by side: those that wait for servers and processes, and those that
# compute. Each half prints as a whole; either's failure is this program's. Nothing is left out: what
# is in neither list is in the second half.
set -u

ROOT=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
cd "$ROOT" || exit 1
PYTHON=.venv/bin/python
STORIES="tests/acceptance tests/browser tests/integration"
mkdir -p .run
LOG=$(mktemp .run/tests.XXXXXX) || exit 1

stories() {
    # shellcheck disable=SC2086 # a list of words is meant
    timeout -k 30 1800 "$PYTHON" -m pytest $STORIES
}

the_rest() {
    ignored=$(for folder in $STORIES; do printf ' --ignore=%s' "$folder"; done)
    # shellcheck disable=SC2086 # a list of words is meant
    timeout -k 30 1800 "$PYTHON" -m pytest tests $ignored || return 1
    if "$PYTHON" -m deploy.compile --can; then
        "${MAKE:-make}" --no-print-directory test-compiled
    else
        echo 'the compiled form of the hot path was not tested'
    fi
}

the_rest >"$LOG" 2>&1 &
REST=$!
trap 'kill "$REST" 2>/dev/null; cat "$LOG"; rm -f "$LOG"; exit 130' INT TERM
echo '== stories, pages and servers'
FAILED=0
stories || FAILED=1
wait "$REST" || FAILED=1
echo '== units and conformance, and the hot path compiled'
cat "$LOG"
rm -f "$LOG"
exit "$FAILED"
