# What replay.sh and long.sh share; it is read by them, in this folder.
# shellcheck shell=bash
targets=(head chunked conn_server conn_client multipart session urlencoded cookies media_type inflate ws_server ws_client)
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PWD/target} RUST_BACKTRACE=0

step() { printf '\n== %s\n' "$*"; }

# As cargo-fuzz does it without a sanitizer, and so without cargo-fuzz: those need a nightly compiler, and there is
# no unsafe code to watch. Coverage is all that libFuzzer asks for.
build() {
  if ! command -v c++ >/dev/null; then
    echo 'libFuzzer needs a C++ compiler: apt-get install g++' >&2
    exit 1
  fi
  step "building"
  local coverage
  coverage=$(printf -- ' -Cllvm-args=-sanitizer-coverage-%s' level=4 trace-compares inline-8bit-counters pc-table)
  RUSTFLAGS="--cfg fuzzing -Cdebug-assertions -Ccodegen-units=1 -Cpasses=sancov-module$coverage" \
    cargo build --release --locked --target "$(host)"
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
