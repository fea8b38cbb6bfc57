#!/usr/bin/env bash
# Shows that a SQLite file outlives the coordinator: registers a real system, kills the process, starts it again, and finds
# everything with the same ids and revisions.
#
#   examples/restart-with-sqlite.sh
set -euo pipefail
cd "$(dirname "$0")/.."
# Use the Node.js that `npm ci` installed: that of the machine may be too old.
PATH="$PWD/node_modules/.bin:$PATH"

folder="$(mktemp -d)"
coordinator=''
trap '[ -z "$coordinator" ] || kill -9 "$coordinator" 2>/dev/null; rm -rf "$folder"' EXIT
export DATABASE_URL="sqlite:$folder/coordinator.db" LOG_FORMAT=json

# Starts a coordinator on any free port, finds the address in its log, and waits until it has loaded its records.
start() {
  # The shell may redirect after the first look at the log, which must not find the address of before.
  : >"$folder/log"
  PORT=0 node bin/coordinator.js serve >>"$folder/log" &
  coordinator=$!
  for _ in $(seq 100); do
    COORDINATOR_URL="$(sed -n 's/.*listening on \(http:[^"]*\).*/\1/p' "$folder/log")"
    if [ -n "$COORDINATOR_URL" ] && grep -q 'the records are loaded' "$folder/log"; then
      export COORDINATOR_URL
      return
    fi
    kill -0 "$coordinator" 2>/dev/null || break
    sleep 0.1
  done
  echo 'the coordinator did not start:' >&2
  cat "$folder/log" >&2
  exit 1
}

start
echo "== A coordinator on $DATABASE_URL"
node bin/coordinator.js import examples/data/online-boutique.json
node bin/coordinator.js services --json >"$folder/before.json"

echo '== kill -9, and start again'
kill -9 "$coordinator"
wait "$coordinator" 2>/dev/null || true
start
node bin/coordinator.js services
node bin/coordinator.js services --json >"$folder/after.json"

# Heartbeats are not kept, and nobody sent any: the two answers are the same to the last byte.
cmp "$folder/before.json" "$folder/after.json"
kill "$coordinator"
wait "$coordinator"
coordinator=''
echo 'every service is there, with its id and revision'
