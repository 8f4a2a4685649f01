#!/usr/bin/env bash
# test.sh [PART...] [--all]: builds what the parts need, runs them all whatever fails, and ends with one line that sums them up.
# Each part leaves build/test/PART.xml (JUnit), which is what is counted.
set -uo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/steps.sh"

RESULTS=$BUILD/test
README_TEST=tests/integration/test_readme.py
DEFAULT_PARTS=(unit asan tsan integration conformance docs tools)
LONG_PARTS=(fuzz long)

# run_ctest PART FOLDER: the tests that were built in that folder.
run_ctest() {
  step "test-$1" "running the unit tests ($1)" \
    ctest --test-dir "$2" --output-on-failure --no-tests=error -j "$JOBS" --output-junit "$RESULTS/$1.xml"
}

# run_pytest PART ARGUMENTS...
run_pytest() {
  local part=$1
  shift
  step "test-$part" "running the tests of $part" \
    "$VENV/bin/python" -m pytest --junit-xml "$RESULTS/$part.xml" "$@"
}

part_unit() { build_preset release && run_ctest unit "$BUILD/tests/unit"; }

part_asan() {
  build_preset asan unit_tests || return
  LSAN_OPTIONS="suppressions=$ROOT/tests/tools/lsan_suppressions.txt print_suppressions=0" UBSAN_OPTIONS=print_stacktrace=1 \
    ASAN_OPTIONS=detect_stack_use_after_return=1 run_ctest asan "$BUILD/asan/tests/unit"
}

part_tsan() {
  build_preset tsan unit_tests || return
  tests/tools/tsan_suppressions.sh "$BUILD"/tsan/bin/*_test >"$BUILD/tsan/suppressions.txt" || return
  TSAN_OPTIONS="suppressions=$BUILD/tsan/suppressions.txt second_deadlock_stack=1 halt_on_error=1" run_ctest tsan "$BUILD/tsan/tests/unit"
}

part_integration() { build_preset release && run_pytest integration tests/integration --ignore "$README_TEST"; }

part_long() { build_preset release && run_pytest long tests/integration -m long --durations 0; }

part_conformance() { build_preset release && run_pytest conformance tests/conformance; }

part_docs() { build_preset release && run_pytest docs "$README_TEST"; }

part_tools() { run_pytest tools tests/tools; }

part_fuzz() { tests/tools/fuzz.sh --seconds 300 --junit "$RESULTS/fuzz.xml"; }

main() {
  local parts=() part results=() status
  while (($#)); do
    case $1 in
      --all) parts+=("${DEFAULT_PARTS[@]}" "${LONG_PARTS[@]}") ;;
      -*) die "test: unknown option $1" ;;
      *)
        declare -F "part_$1" >/dev/null || die "test: no part $1; there are: ${DEFAULT_PARTS[*]}, and with --all: ${LONG_PARTS[*]}"
        parts+=("$1")
        ;;
    esac
    shift
  done
  ((${#parts[@]})) || parts=("${DEFAULT_PARTS[@]}")
  rm -rf "$RESULTS"
  mkdir -p "$RESULTS"
  for part in "${parts[@]}"; do
    status=0
    "part_$part" || status=$?
    results+=("$part:$status")
    "$VENV/bin/python" tests/tools/sum_junit.py "$RESULTS" "$part:$status" || true
  done
  say
  "$VENV/bin/python" tests/tools/sum_junit.py --total "$RESULTS" "${results[@]}"
}

main "$@"
