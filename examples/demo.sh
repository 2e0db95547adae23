#!/bin/sh
# SPDX-License-Identifier: MIT
# Starts the simulator on a free port, runs examples/demo.lua, or with "web" a live page, against it and stops it again.
# `make demo` sets the environment up; LUA_BIN is the interpreter.
set -eu
folder=$(mktemp -d)
simulator= demo=
stop() {
  status=$?
  trap - EXIT
  for child in $demo $simulator; do
    kill "$child" 2>/dev/null || :
    wait "$child" 2>/dev/null || :
  done
  rm -rf "$folder"
  exit $status
}
trap stop EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

chainlink-streams simulate --exit-with-parent --certificate-dir "$folder" --env-file "$folder/env" >"$folder/log" 2>&1 &
simulator=$!
tries=0
until [ -e "$folder/env" ]; do
  tries=$((tries + 1))
  if [ $tries -gt 100 ] || ! kill -0 "$simulator" 2>/dev/null; then
    echo "The simulator did not start:" >&2
    cat "$folder/log" >&2
    exit 1
  fi
  sleep 0.1
done
. "$folder/env"
echo "A local Data Streams service listens on $CHAINLINK_STREAMS_REST_URL"
if [ -t 1 ]; then
  export DEMO_LIVE=1
fi
# In the background, as a shell attends to signals only between the commands it waits for.
if [ "${1:-}" = web ]; then
  chainlink-streams serve ETH/USD BTC/USD EUR/USD XAU/USD --listen 127.0.0.1:0 &
else
  "${LUA_BIN:-lua5.4}" "$(dirname "$0")/demo.lua" &
fi
demo=$!
wait "$demo"
