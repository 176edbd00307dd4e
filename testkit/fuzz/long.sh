#!/usr/bin/env bash
# Fuzzes every target for SECONDS, one after the other, and prints the executions. What it finds on the way to new
# code is kept under the target directory, and the next run goes on from there.
#
# usage: long.sh SECONDS [TARGET...]
set -euo pipefail
cd "$(dirname "$0")"
. ./targets.sh

seconds=${1:?usage: long.sh SECONDS [TARGET...]}
shift
[ $# -eq 0 ] || targets=("$@")
build
for target in "${targets[@]}"; do
  step "$target: $seconds seconds"
  mkdir -p "$CARGO_TARGET_DIR/corpus/$target"
  run "$target" "$CARGO_TARGET_DIR/corpus/$target" "corpus/$target" -max_total_time="$seconds"
done
