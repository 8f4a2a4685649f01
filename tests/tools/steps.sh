# shellcheck shell=bash
# Sourced by ./dev and by its helpers: where things are, and steps that say what they do and how long it took.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
cd "$ROOT" || exit 1
export LC_ALL=C.UTF-8
BUILD=$ROOT/build
VENV=$BUILD/venv
JOBS=${CREDCACHE_JOBS:-$(nproc)}
export BUILD VENV JOBS
mkdir -p "$BUILD/log"

say() { printf '%s\n' "$*"; }

die() {
  printf 'dev: %s\n' "$*" >&2
  exit 2
}

# Every 20 seconds: how long the step has been at it, and the last line of its log.
heartbeat() {
  local log=$1 seconds=0
  while sleep 20 >/dev/null 2>&1; do
    seconds=$((seconds + 20))
    printf '    %d s: %.100s\n' "$seconds" "$(tail -n 1 "$log")"
  done
}

# step NAME TEXT COMMAND...: says TEXT, runs the command with its output in build/log/NAME.log, says how long it took. When the
# command fails: shows the end of the log, and returns the command's status.
step() {
  local name=$1 text=$2 log=$BUILD/log/$1.log start=$EPOCHREALTIME status=0 pulse tenths
  shift 2
  say "==> $text"
  : >"$log"
  heartbeat "$log" &
  pulse=$!
  "$@" >"$log" 2>&1 </dev/null || status=$?
  kill "$pulse" 2>/dev/null
  wait "$pulse" 2>/dev/null || true
  tenths=$(((${EPOCHREALTIME/./} - ${start/./}) / 100000))
  if ((status == 0)); then
    say "    done in $((tenths / 10)).$((tenths % 10)) s"
  else
    say "    FAILED after $((tenths / 10)).$((tenths % 10)) s; build/log/$name.log ends with:"
    tail -n "${STEP_TAIL:-60}" "$log" | sed 's/^/    | /'
  fi
  return "$status"
}

# Configures a preset, and builds the targets given (none: all).
build_preset() {
  local preset=$1
  shift
  step "configure-$preset" "configuring the $preset build" cmake --preset "$preset" || return
  local targets=()
  (($# == 0)) || targets=(--target "$@")
  step "build-$preset" "building $preset${*:+ ($*)} with $JOBS jobs" \
    cmake --build --preset "$preset" -j "$JOBS" "${targets[@]}"
}

# The folder of a preset's build, as CMakePresets.json has it.
preset_folder() {
  if [[ $1 == release ]]; then say "$BUILD"; else say "$BUILD/$1"; fi
}
