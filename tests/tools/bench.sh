#!/usr/bin/env bash
# bench.sh [NAME...] [OPTION...]: builds, installs the peers, and runs the benchmarks of tests/bench/suites (all, or those named).
# tests/bench/run.py --help tells the rest. Figures, plots and a report go to build/bench.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/steps.sh"

run() { "$VENV/bin/python" tests/bench/run.py "$@"; }

for argument in "$@"; do
  case $argument in -h | --help | --list | --report)
    run "$@"
    exit
    ;;
  esac
done
# Says what is wrong with the arguments before minutes are spent on building.
run --check "$@"
build_preset release benchmarks
tests/tools/setup.sh --bench
run "$@"
