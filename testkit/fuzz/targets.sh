# What replay.sh and long.sh share; it is read by them, in this folder.
# shellcheck shell=bash
targets=(head chunked conn_server conn_client session)
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target} RUST_BACKTRACE=0

step() { printf '\n== %s\n' "$*"; }

build() {
  if ! command -v cargo-fuzz >/dev/null; then
    echo 'cargo-fuzz is missing: cargo install cargo-fuzz --locked' >&2
    exit 1
  fi
  if ! command -v c++ >/dev/null; then
    echo 'libFuzzer needs a C++ compiler: apt-get install g++' >&2
    exit 1
  fi
  step "building"
  # cargo-fuzz has no --locked: a lock file that is out of date fails here.
  cargo fetch --locked
  # No sanitizer: those need a nightly compiler, and there is no unsafe code to watch.
  cargo fuzz build --sanitizer none
}

# Runs a target and prints its executions, or if it fails all that matters.
run() {
  local target=$1 log
  shift
  log=$(mktemp)
  mkdir -p artifacts
  if "$CARGO_TARGET_DIR/$(host)/release/$target" "$@" -dict=http.dict -max_len=512 -timeout=20 -rss_limit_mb=1024 \
    -artifact_prefix="artifacts/$target-" >"$log" 2>&1; then
    grep '^Done' "$log"
    rm -f "$log"
  else
    grep -v -E '^(#|WARNING|INFO|	NEW_FUNC)' "$log" | tail -n 200 >&2
    rm -f "$log"
    exit 1
  fi
}

host() { rustc -vV | sed -n 's/^host: //p'; }
