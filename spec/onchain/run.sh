#!/bin/sh
# SPDX-License-Identifier: MIT
# The real verifier contracts on a local Ethereum node (anvil) against ours; prints TAP.
# `make test-onchain` starts it with the environment of the build; otherwise it takes that from `make env`.
set -u
cd "$(dirname "$0")/../.." || exit 1

REPORTS=${REPORTS:-3500} ENCODINGS=${ENCODINGS:-6000}
PACKAGE=@chainlink/contracts@2.0.0-beta.0
INTEGRITY=67656357d22e5b22a2b02f5b2cf94ae8d0aa9441260d6db058a336eb9f151e50f0a11b6d238a83c757f5bd68db558a1c379fb4ded63ac9a6bcee77f987a4a539

fail() {
  echo "Bail out! $1"
  exit 1
}

command -v npm >/dev/null && command -v node >/dev/null || fail "node (18 or later) and npm are needed"
[ -n "${LUA_BIN:-}" ] || { eval "$(make -s env)" && LUA_BIN=lua5.4; }

work=$(mktemp -d) || exit 1
cache=$PWD/build/onchain
mkdir -p "$cache" || exit 1
node='' step=''
cleanup() {
  for process in $step $node; do
    kill "$process" 2>/dev/null
    wait "$process" 2>/dev/null
  done
  rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 1' INT TERM HUP

# In the background, so that a signal ends the wait and not only the next command.
run() { # run SECONDS COMMAND…
  seconds=$1
  shift
  timeout -k 5 "$seconds" nice "$@" &
  step=$!
  wait "$step"
  result=$?
  step=''
  return "$result"
}

# npm writes node_modules/.package-lock.json last; it is older than the lock file when the packages are stale.
# No package's install script runs.
installed=spec/onchain/node_modules
if [ ! -e $installed/.package-lock.json ] || [ spec/onchain/package-lock.json -nt $installed/.package-lock.json ]; then
  run 240 npm --prefix spec/onchain ci --ignore-scripts --no-audit --no-fund >"$work/npm" 2>&1 ||
    fail "npm ci: $(tail -n 3 "$work/npm" | tr '\n' ' ')"
fi
anvil=$installed/@foundry-rs/anvil-linux-amd64/bin/anvil
[ -x "$anvil" ] || anvil=$(command -v anvil) || fail "npm has anvil for Linux on x86-64 only: install it (Foundry)"

# The contracts' package wants a git dependency when it is installed; its sources alone are enough.
stale=$(cd spec && find onchain/contracts.mjs onchain/package-lock.json onchain/run.sh interop/schemas.mjs \
  -newer "$cache/contracts.json" 2>&1)
if [ -n "$stale" ]; then # an absent file is one that find complains about
  run 120 npm pack --silent --pack-destination "$work" "$PACKAGE" >"$work/pack" 2>"$work/npm" ||
    fail "npm pack: $(tail -n 3 "$work/npm" | tr '\n' ' ')"
  archive=$work/$(tail -n 1 "$work/pack")
  echo "$INTEGRITY  $archive" | sha512sum --check --quiet >/dev/null 2>&1 || fail "$PACKAGE is not the known one"
  tar -xzf "$archive" -C "$work" || fail "$PACKAGE could not be unpacked"
  run 180 node spec/onchain/contracts.mjs "$work/package" "$work/contracts.json" || fail "the contracts do not compile"
  mv "$work/contracts.json" "$cache/contracts.json"
fi

: >"$work/node"
"$anvil" --host 127.0.0.1 --port 0 --no-request-size-limit --max-persisted-states 1 >"$work/node" 2>&1 &
node=$!
tries=0
until url=$(sed -n 's|^Listening on \(127[.0-9]*:[0-9]*\)$|http://\1|p' "$work/node") && [ -n "$url" ]; do
  kill -0 "$node" 2>/dev/null || fail "anvil ended: $(tail -n 3 "$work/node" | tr '\n' ' ')"
  tries=$((tries + 1))
  [ "$tries" -lt 300 ] || fail "anvil does not listen after 30 seconds"
  sleep 0.1
done

run 60 node spec/onchain/deploy.mjs "$url" "$cache/contracts.json" "$work/deployment" || fail "deploy.mjs failed"
run 120 node spec/onchain/decode.mjs "$url" "$work/deployment" "$work/decodings" "$ENCODINGS" || fail "decode.mjs failed"
run 120 node spec/onchain/verify.mjs "$url" "$work/deployment" "$work/verdicts" "$REPORTS" || fail "verify.mjs failed"
status=0
run 120 "$LUA_BIN" spec/onchain/decode.lua "$work/decodings" || status=1
run 120 "$LUA_BIN" spec/onchain/verify.lua "$url" "$work/deployment" "$work/verdicts" || status=1
exit "$status"
