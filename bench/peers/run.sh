#!/bin/sh
# SPDX-License-Identifier: MIT
# Gets the peers by their versions, from crates.io, npm and PyPI, and measures them beside ours.   run.sh ROUNDS [ROW…]
# `make bench-peers` starts it with the environment of the build.
set -eu
cd "$(dirname "$0")/../.."

fail() {
  echo "$1" >&2
  exit 1
}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
. spec/interop/build.sh
build_node
build_python
cargo build --quiet --release --locked --manifest-path bench/peers/rust/Cargo.toml --target-dir build/peers
PEER_PYTHON=${INTEROP_PYTHON:-} "$LUA_BIN" bench/peers.lua "$work" "$@"
