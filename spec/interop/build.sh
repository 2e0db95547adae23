# SPDX-License-Identifier: MIT
# Read by run.sh: what others have written, in node_modules here and in build/interop; tells others.mjs where that is, or
# why it is absent. Wants: the project's root as the working directory, $work, fail.

mkdir -p build/interop || fail "build/interop cannot be made"
interop=$PWD/build/interop

# npm writes node_modules/.package-lock.json last; it is older than the lock file when the packages are stale.
build_node() {
  command -v npm >/dev/null && command -v node >/dev/null || fail "node (18 or later) and npm are needed"
  if [ ! -e spec/interop/node_modules/.package-lock.json ] ||
    [ spec/interop/package-lock.json -nt spec/interop/node_modules/.package-lock.json ]; then
    timeout --foreground -k 5 240 npm --prefix spec/interop ci --no-audit --no-fund >"$work/npm" 2>&1 ||
      fail "npm ci: $(tail -n 3 "$work/npm" | tr '\n' ' ')"
  fi
}

# Cargo itself sees what is fresh.
build_rust() {
  if ! command -v cargo >/dev/null; then
    export INTEROP_RUST_ABSENT="no cargo"
    return
  fi
  minor=$(rustc --version 2>/dev/null | sed -n 's/^rustc 1\.\([0-9]*\)\..*/\1/p')
  if [ "${minor:-0}" -lt 78 ]; then
    export INTEROP_RUST_ABSENT="rustc 1.78 or later is needed"
    return
  fi
  CARGO_TARGET_DIR=$interop/rust timeout --foreground -k 5 200 cargo build --quiet --release --locked \
    --manifest-path spec/interop/rust/Cargo.toml >"$work/cargo" 2>&1 || fail "cargo: $(tail -n 3 "$work/cargo" | tr '\n' ' ')"
  export INTEROP_RUST="$interop/rust/release/interop"
}

# The copy of the requirements is written last: it differs where the environment is stale or half made.
build_python() {
  if ! python3 -c 'import venv, ensurepip, sys; sys.exit(sys.version_info < (3, 10))' 2>/dev/null; then
    export INTEROP_PYTHON_ABSENT="no python3 (3.10 or later) with venv"
    return
  fi
  if ! cmp -s spec/interop/python/requirements.txt "$interop/python/requirements.txt"; then
    { timeout --foreground -k 5 60 python3 -m venv --clear "$interop/python" &&
      timeout --foreground -k 5 120 "$interop/python/bin/pip" install --quiet --disable-pip-version-check \
        --require-hashes --requirement spec/interop/python/requirements.txt; } >"$work/pip" 2>&1 ||
      fail "pip: $(tail -n 3 "$work/pip" | tr '\n' ' ')"
    cp spec/interop/python/requirements.txt "$interop/python/requirements.txt"
  fi
  export INTEROP_PYTHON="$interop/python/bin/python"
}
