#!/bin/sh
# SPDX-License-Identifier: MIT
# The official TypeScript SDK and ethers.js against the simulator (over TLS) and our decoder, and the decoders of the
# SDKs in other languages against ours; prints TAP.
# `make interop` starts it with the environment of the build; otherwise it takes that from `make env`.
set -u
cd "$(dirname "$0")/../.." || exit 1

fail() {
  echo "Bail out! $1"
  exit 1
}

command -v chainlink-streams >/dev/null || eval "$(make -s env)"

work=$(mktemp -d) || exit 1
simulators='' client=''
cleanup() {
  for process in $client $simulators; do
    kill "$process" 2>/dev/null
    wait "$process" 2>/dev/null
  done
  rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 1' INT TERM HUP

. spec/interop/build.sh
build_node
build_rust
build_python
cd spec/interop || exit 1

# Runs a client against a simulator of its own.
check() { # check CLIENT OPTION…: options of the simulator
  name=$1
  shift
  chainlink-streams simulate --exit-with-parent --origins 2 --rate-limit 0 --env-file "$work/$name.env" "$@" \
    >"$work/$name" 2>&1 &
  simulators="$simulators $!"
  tries=0
  until [ -s "$work/$name.env" ]; do
    kill -0 "$!" 2>/dev/null || fail "the simulator ended: $(tail -n 3 "$work/$name" | tr '\n' ' ')"
    tries=$((tries + 1))
    [ "$tries" -lt 300 ] || fail "the simulator does not listen after 30 seconds"
    sleep 0.1
  done
  . "$work/$name.env"

  # In the background, so that a signal ends the wait and not only the next command.
  NODE_EXTRA_CA_CERTS=$CHAINLINK_STREAMS_CA_FILE timeout -k 5 240 node "$name.mjs" &
  client=$!
  wait "$client" || status=1
  client=''
}

status=0
check sdk --rate 1
check v2 --rate 10 --feeds 12 --ms-feeds 6
exit "$status"
