#!/usr/bin/env bash
# What 300 routes cost the compiler beside 3: the medians of five rounds, of `cargo check` and of `cargo build`.
#
# Each route has a handler of its own, asynchronous and with two extractors. Only the program is compiled anew in
# a round, what it depends on was before. The two take turns, so that a busy machine slows down both.
#
#     bash testkit/bench/compile-time.sh [ROUNDS]
set -euo pipefail

rounds=${1:-5}
repository=$(cd "$(dirname "$0")/../.." && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
# One for both programs, so that their dependencies are compiled once; and nothing of a program is kept.
export CARGO_TARGET_DIR=$folder/target CARGO_INCREMENTAL=0

# A package with so many routes.
package() {
  local routes=$1 index
  mkdir -p "$folder/$routes/src"
  cp "$repository/Cargo.lock" "$folder/$routes/"
  cat >"$folder/$routes/Cargo.toml" <<TOML
[package]
name = "routes-$routes"
version = "0.0.0"
edition = "2024"

[workspace]

[dependencies]
bakestone = { path = "$repository/core" }
TOML
  {
    echo 'use bakestone::{App, Json, Path, State, get};'
    for ((index = 0; index < routes; index++)); do
      echo "async fn handler_$index(Path(id): Path<u32>, State(shift): State<u32>) -> Json<u32> { Json(id + shift + $index) }"
    done
    echo 'fn main() {'
    echo '    let app = App::new().state(1_u32);'
    for ((index = 0; index < routes; index++)); do
      echo "    let app = app.route(\"/things-$index/{id:int}\", get(handler_$index));"
    done
    echo '    assert!(app.build().is_ok());'
    echo '}'
  } >"$folder/$routes/src/main.rs"
}

# Milliseconds that the command takes for the package of so many routes.
milliseconds() {
  local command=$1 routes=$2 began=${EPOCHREALTIME/[.,]/}
  touch "$folder/$routes/src/main.rs"
  cargo "$command" --quiet --offline --manifest-path "$folder/$routes/Cargo.toml"
  echo $(((${EPOCHREALTIME/[.,]/} - began) / 1000))
}

median() { sort -n | sed -n "$(((rounds + 1) / 2))p"; }

for routes in 3 300; do
  package "$routes"
done
for command in check build; do
  milliseconds "$command" 3 >/dev/null
  milliseconds "$command" 300 >/dev/null
  for ((round = 0; round < rounds; round++)); do
    for routes in 3 300; do
      milliseconds "$command" "$routes" >>"$folder/$command-$routes"
    done
  done
  few=$(median <"$folder/$command-3")
  many=$(median <"$folder/$command-300")
  echo "cargo $command: 3 routes $few ms, 300 routes $many ms, ratio $((many / few)).$(printf '%02d' $((many * 100 / few % 100)))"
done
