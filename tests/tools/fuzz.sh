#!/usr/bin/env bash
# fuzz.sh [NAME...] [--seconds N] [--junit FILE]: builds the fuzz targets (all, or those named), and runs each for N seconds (30).
# What is found to be interesting is kept in build/fuzz/corpus/NAME; an input that fails stays in build/fuzz/NAME-*.
set -uo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/steps.sh"

seconds=30 junit='' names=()
while (($#)); do
  case $1 in
    --seconds) seconds=${2:?fuzz: --seconds needs a number} && shift ;;
    --junit) junit=${2:?fuzz: --junit needs a file} && shift ;;
    -*) die "fuzz: unknown option $1" ;;
    *) names+=("$1") ;;
  esac
  shift
done
[[ $seconds =~ ^[1-9][0-9]*$ ]] || die "fuzz: --seconds takes a whole number of seconds, not \"$seconds\""

FOLDER=$BUILD/fuzz
mapfile -t known < <(sed -n 's/^credcache_fuzz(\([a-z0-9_]*\).*/\1/p' tests/fuzz/CMakeLists.txt)
for name in "${names[@]}"; do
  [[ " ${known[*]} " == *" $name "* ]] || die "fuzz: no target $name; there are: ${known[*]}"
done
((${#names[@]})) || names=("${known[@]}")

# fuzz_one NAME
fuzz_one() {
  local corpora=("$FOLDER/corpus/$1")
  mkdir -p "${corpora[0]}"
  [[ ! -d tests/fuzz/corpus/$1 ]] || corpora+=("tests/fuzz/corpus/$1")
  step "fuzz-$1" "fuzzing $1 for $seconds s" env UBSAN_OPTIONS=print_stacktrace=1 \
    "$FOLDER/bin/$1_fuzz" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=4096 -print_final_stats=1 \
    -artifact_prefix="$FOLDER/$1-" "${corpora[@]}" &&
    say "    $(sed -n 's/^stat::number_of_executed_units: *//p' "$BUILD/log/fuzz-$1.log") inputs tried"
}

build_preset fuzz "${names[@]/%/_fuzz}" || exit 1
cases='' failed=0
for name in "${names[@]}"; do
  if fuzz_one "$name"; then
    cases+="<testcase classname=\"fuzz\" name=\"$name\"/>"
  else
    cases+="<testcase classname=\"fuzz\" name=\"$name\"><failure message=\"see build/log/fuzz-$name.log\"/></testcase>"
    failed=$((failed + 1))
  fi
done
[[ -z $junit ]] || printf '<testsuite name="fuzz">%s</testsuite>\n' "$cases" >"$junit"
say "fuzz: ${#names[@]} targets, $failed failed"
((failed == 0))
