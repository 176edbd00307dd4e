#!/usr/bin/env bash
# What 300 routes cost the compiler beside 3: the medians of five rounds, of `cargo check` and of `cargo build`. Once
# the routes share three handlers, so that it is the routes that are measured; and once each has its own, which is
# code to compile in any toolkit. A handler is asynchronous and has two extractors.
#
# Only the program is compiled anew in a round, what it depends on was before. The programs take turns, so that a busy
# machine slows down all of them.
#
#     bash testkit/bench/compile-time.sh [ROUNDS]
set -euo pipefail

rounds=${1:-5}
repository=$(cd "$(dirname "$0")/../.." && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
# One for both programs, so that their dependencies are compiled once; and nothing of a program is kept.
export CARGO_TARGET_DIR=$folder/target CARGO_INCREMENTAL=0

# A package with so many routes and handlers.
package() {
  local name=$1-$2 routes=$1 handlers=$2 index
  mkdir -p "$folder/$name/src"
  cp "$repository/Cargo.lock" "$folder/$name/"
  cat >"$folder/$name/Cargo.toml" <<TOML
[package]
name = "routes-$name"
version = "0.0.0"
edition = "2024"

[workspace]

[dependencies]
bakestone = { path = "$repository/core" }
TOML
  {
    echo 'use bakestone::{App, Json, Path, State, get};'
    for ((index = 0; index < handlers; index++)); do
      echo "async fn handler_$index(Path(id): Path<u32>, State(shift): State<u32>) -> Json<u32> { Json(id + shift + $index) }"
    done
    echo 'fn main() {'
    echo '    let app = App::new().state(1_u32);'
    for ((index = 0; index < routes; index++)); do
      echo "    let app = app.route(\"/things-$index/{id:int}\", get(handler_$((index % handlers))));"
    done
    echo '    assert!(app.build().is_ok());'
    echo '}'
  } >"$folder/$name/src/main.rs"
}

# Milliseconds that the command takes for the package.
milliseconds() {
  local command=$1 name=$2 began=${EPOCHREALTIME/[.,]/}
  touch "$folder/$name/src/main.rs"
  cargo "$command" --quiet --offline --manifest-path "$folder/$name/Cargo.toml"
  echo $(((${EPOCHREALTIME/[.,]/} - began) / 1000))
}

median() { sort -n | sed -n "$(((rounds + 1) / 2))p"; }

programs=(3-3 300-3 300-300)
for program in "${programs[@]}"; do
  package "${program%-*}" "${program#*-}"
done
for command in check build; do
  for program in "${programs[@]}"; do
    milliseconds "$command" "$program" >/dev/null
  done
  for ((round = 0; round < rounds; round++)); do
    for program in "${programs[@]}"; do
      milliseconds "$command" "$program" >>"$folder/$command-$program"
    done
  done
  few=$(median <"$folder/$command-3-3")
  echo "cargo $command: 3 routes with 3 handlers $few ms"
  for program in "${programs[@]:1}"; do
    many=$(median <"$folder/$command-$program")
    ratio="$((many / few)).$(printf '%02d' $((many * 100 / few % 100)))"
    echo "cargo $command: ${program%-*} routes with ${program#*-} handlers $many ms, $ratio times as long"
  done
done
