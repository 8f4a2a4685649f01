#!/usr/bin/env bash
# lint.sh [--fix]: everything that a machine can say about taste and structure. Runs all checks whatever fails. With --fix the
# formatters write instead of complaining; clang-tidy, buf and shellcheck only speak.
set -uo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/steps.sh"

files() { git ls-files -co --exclude-standard -- "$@"; }

fix=false
case ${1:-} in
  --fix) fix=true ;;
  '') ;;
  *) die "lint: unknown option $1" ;;
esac

# Builds the buf that tests/tools/go.mod pins, and prints nothing when it is there already.
build_buf() {
  local stamp go
  stamp=$(sha256sum tests/tools/go.mod tests/tools/go.sum)
  [[ -x $BUILD/tools/buf && -f $BUILD/tools/buf.stamp && $(<"$BUILD/tools/buf.stamp") == "$stamp" ]] && return
  go=$(tests/tools/find_go.sh) || return
  mkdir -p "$BUILD/tools"
  step buf-build "building buf (two minutes, once)" \
    env GOTOOLCHAIN=local GOFLAGS=-mod=readonly "$go" -C tests/tools build -p "$JOBS" -o "$BUILD/tools/buf" \
    github.com/bufbuild/buf/cmd/buf || return
  printf '%s\n' "$stamp" >"$BUILD/tools/buf.stamp"
}

# What gofmt would change, and what go vet finds, of the Go modules but tests/tools, which has no code.
go_lint() {
  local go module unformatted
  go=$(tests/tools/find_go.sh) || return
  unformatted=$("$("$go" env GOROOT)/bin/gofmt" -l "${go_files[@]}") || return
  [[ -z $unformatted ]] || die "lint: not as gofmt has it: $unformatted"
  for module in "${go_files[@]%/*}"; do
    GOTOOLCHAIN=local GOFLAGS=-mod=readonly "$go" -C "$module" vet . || return
  done
}

# Each source is compiled, as far as warnings go, by clang-tidy: its findings are clang's own (the thread-safety analysis among them)
# and those of .clang-tidy. It needs generated headers, and no objects.
tidy() {
  local headers
  cmake --preset lint || return
  mapfile -t headers < <(ninja -C "$BUILD/lint" -t targets all | sed -n 's/^\(protos\/.*\.pb\.h\): .*/\1/p')
  ninja -C "$BUILD/lint" "${headers[@]}" &&
    "$VENV/bin/python" tests/tools/tidy.py --build "$BUILD/lint" --jobs "$JOBS" "${cpp[@]}"
}

failed=()
check() { step "lint-$1" "$2" "${@:3}" || failed+=("$1"); }

ruff_check=(check) ruff_format=(format --check --diff) clang_format=(--dry-run -Werror)
if $fix; then ruff_check=(check --fix) ruff_format=(format) clang_format=(-i); fi

mapfile -t cpp < <(files '*.cc' '*.h')
mapfile -t go_files < <(files '*.go')
mapfile -t shell < <(files dev .ci/run '*.sh')

check tree "checking includes, names and sizes" "$VENV/bin/python" tests/tools/check_tree.py
check clang-format "clang-format" clang-format-16 "${clang_format[@]}" "${cpp[@]}"
check shellcheck "shellcheck" shellcheck "${shell[@]}"
check ruff "ruff" "$VENV/bin/ruff" "${ruff_check[@]}" tests clients service
check ruff-format "ruff format" "$VENV/bin/ruff" "${ruff_format[@]}" tests clients service
if build_buf; then check buf "buf lint" "$BUILD/tools/buf" lint protos; else failed+=(buf-build); fi
check go "gofmt and go vet" go_lint
check clang "clang with -Wthread-safety -Werror, and clang-tidy" tidy

if ((${#failed[@]})); then
  say "lint: ${failed[*]} failed"
  exit 1
fi
say "lint: all clean"
