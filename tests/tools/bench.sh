#!/usr/bin/env bash
# bench.sh [NAME...]: builds and runs the benchmarks (all, or those named), one after the other. A benchmark is a program NAME_bench
# of tests/bench/CMakeLists.txt, or a script tests/bench/NAME.py. What it prints goes to the terminal and to build/bench/NAME.txt;
# Google Benchmark's figures also to build/bench/NAME.json.
set -uo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/steps.sh"
source "$(dirname "${BASH_SOURCE[0]}")/sample.sh"

RESULTS=$BUILD/bench
mkdir -p "$RESULTS"

# Names, each once: programs as built, scripts as they lie there.
known_benchmarks() {
  local file
  for file in "$BUILD"/bin/*_bench tests/bench/*.py; do
    [[ -f $file && $file != */conftest.py && $(basename "$file") != _* ]] || continue
    basename "${file%_bench}" .py
  done | sort -u
}

# run_one NAME
run_one() {
  local command=("$BUILD/bin/$1_bench")
  [[ -x ${command[0]} ]] || command=("$VENV/bin/python" "tests/bench/$1.py")
  if [[ $1 == startup ]]; then
    write_sample "$RESULTS/startup" 0 0
    command+=("$RESULTS/startup/credcached.yaml")
  fi
  say "==> benchmark $1"
  BENCHMARK_OUT=$RESULTS/$1.json "${command[@]}" 2>&1 | tee "$RESULTS/$1.txt"
}

build_preset release || exit 1
mapfile -t known < <(known_benchmarks)
names=("$@") failed=()
for name in "${names[@]}"; do
  [[ " ${known[*]} " == *" $name "* ]] || die "bench: no benchmark $name; there are: ${known[*]}"
done
((${#names[@]})) || names=("${known[@]}")
for name in "${names[@]}"; do
  run_one "$name" || failed+=("$name")
done
say "bench: results in build/bench${failed:+; failed: ${failed[*]}}"
((${#failed[@]} == 0))
