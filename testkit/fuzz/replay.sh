#!/usr/bin/env bash
# What CI runs: builds every target on the stable compiler, replays its corpus, and fuzzes it for 5 seconds from
# a fixed seed. It needs a C++ compiler, and installs none.
set -euo pipefail
cd "$(dirname "$0")"
. ./targets.sh

# What is found on the way goes there, so that every run starts from the same files.
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

build
for target in "${targets[@]}"; do
  step "$target: the corpus"
  run "$target" "corpus/$target" -runs=0
  step "$target: 5 seconds"
  mkdir "$scratch/$target"
  run "$target" "$scratch/$target" "corpus/$target" -seed=1 -max_total_time=5
done
