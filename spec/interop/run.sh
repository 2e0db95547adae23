#!/bin/sh
# SPDX-License-Identifier: MIT
# The official TypeScript SDK and ethers.js against the simulator (over TLS), our decoder and our relay, and the decoders
# of the SDKs in other languages against ours; prints TAP.
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

# Waits until the file of a process that was just started has something.
wait_for() { # wait_for FILE WHAT OUTPUT
  tries=0
  until [ -s "$1" ]; do
    kill -0 "$!" 2>/dev/null || fail "$2 ended: $(tail -n 3 "$3" | tr '\n' ' ')"
    tries=$((tries + 1))
    [ "$tries" -lt 300 ] || fail "$2 does not listen after 30 seconds"
    sleep 0.1
  done
}

simulate() { # simulate NAME OPTION…: sets the environment for it
  name=$1
  shift
  chainlink-streams simulate --exit-with-parent --origins 2 --rate-limit 0 --env-file "$work/$name.env" "$@" \
    >"$work/$name" 2>&1 &
  simulators="$simulators $!"
  wait_for "$work/$name.env" "the simulator" "$work/$name"
  . "$work/$name.env"
}

run_client() { # run_client NAME
  # In the background, so that a signal ends the wait and not only the next command.
  NODE_EXTRA_CA_CERTS=$CHAINLINK_STREAMS_CA_FILE timeout -k 5 240 node "$1.mjs" &
  client=$!
  wait "$client" || status=1
  client=''
}

# Runs a client against a simulator of its own.
check() { # check CLIENT OPTION…: options of the simulator
  simulate "$@"
  run_client "$1"
}

# The SDK against a relay of two feeds.
check_relay() {
  simulate relay --rate 1
  export CHAINLINK_STREAMS_LOCAL_KEY=local-key CHAINLINK_STREAMS_LOCAL_SECRET=local-secret
  RELAY_FEEDS=$(chainlink-streams feeds --format csv | sed -n 's/^\(0x000[38][0-9a-f]*\),.*/\1/p' | head -n 2 | xargs)
  # shellcheck disable=SC2086 # two words
  chainlink-streams relay --listen 127.0.0.1:0 $RELAY_FEEDS >"$work/listen" 2>"$work/listen.errors" &
  simulators="$simulators $!"
  wait_for "$work/listen" "the relay" "$work/listen.errors"
  RELAY_ADDRESS=$(sed -n 's|.*http://\([0-9.:]*\).*|\1|p' "$work/listen")
  export RELAY_FEEDS RELAY_ADDRESS
  run_client listen
}

status=0
check sdk --rate 1
check v2 --rate 10 --feeds 12 --ms-feeds 6
check_relay
exit "$status"
