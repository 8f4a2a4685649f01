#!/usr/bin/env bash
# Installs what building and testing need, and nothing when it is all there: Debian packages from packages.txt, and the Python
# packages of tests/requirements.txt into build/venv. Asks nothing and starts no service.
#
# setup.sh --bench: what only benchmarks need, bench-packages.txt and tests/bench/requirements.txt. What cannot be had is told, and is
# no error: a benchmark names the peers that it misses.
set -euo pipefail
source "$(dirname "${BASH_SOURCE[0]}")/steps.sh"

# missing_packages LIST
missing_packages() {
  comm -23 <(sed 's/#.*//; /^$/d' "$1" | sort) <(
    dpkg-query -W -f '${Package} ${db:Status-Status}\n' | awk '$2 == "installed" {print $1}' | sort -u
  )
}

# Debian starts a service when it installs one, unless this file says no.
without_services() {
  local policy=/usr/sbin/policy-rc.d status=0
  if [[ -e $policy ]]; then
    "$@"
    return
  fi
  printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
  "${as_root[@]}" chmod 755 "$policy"
  "$@" || status=$?
  "${as_root[@]}" rm -f "$policy"
  return "$status"
}

# install_packages LIST
install_packages() {
  local missing as_root=()
  command -v apt-get >/dev/null || die "setup needs Debian 12 (apt-get is not here)"
  mapfile -t missing < <(missing_packages "$1")
  if ((${#missing[@]} == 0)); then
    say "==> Debian packages: all there"
    return
  fi
  if ((EUID != 0)); then
    command -v sudo >/dev/null || die "these packages are missing; install them as root: ${missing[*]}"
    as_root=(sudo)
  fi
  as_root+=(env DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=a)
  step apt-update "asking which packages there are" "${as_root[@]}" apt-get update
  step apt-install "installing ${#missing[@]} Debian packages: ${missing[*]}" \
    without_services "${as_root[@]}" apt-get install -y --no-install-recommends "${missing[@]}"
}

# Makes the venv anew when the list of packages, or the place of this folder, is another.
make_venv() {
  local stamp
  stamp="$ROOT $(sha256sum tests/requirements.txt | cut -d ' ' -f 1)"
  if [[ -f $VENV/stamp && $(<"$VENV/stamp") == "$stamp" ]]; then
    say "==> Python packages: all there"
    return
  fi
  rm -rf "$VENV"
  step venv "making build/venv for Python" /usr/bin/python3 -m venv "$VENV"
  step pip "installing the Python packages of tests/requirements.txt" \
    "$VENV/bin/python" -m pip install --disable-pip-version-check --no-input --require-hashes -r tests/requirements.txt
  printf '%s\n' "$stamp" >"$VENV/stamp"
}

# install_python LIST STAMP: into the venv, once.
install_python() {
  local list=$1 stamp=$VENV/$2.stamp
  if [[ -f $stamp ]] && cmp -s "$list" "$stamp"; then
    say "==> Python packages of $list: all there"
    return
  fi
  step "pip-$2" "installing the Python packages of $list" \
    "$VENV/bin/python" -m pip install --disable-pip-version-check --no-input --require-hashes -r "$list" || return
  cp "$list" "$stamp"
}

case ${1:-} in
  '')
    install_packages tests/tools/packages.txt
    make_venv
    ;;
  --bench)
    (install_packages tests/tools/bench-packages.txt) || say "setup: peers are missing in the benchmarks"
    install_python tests/bench/requirements.txt bench || say "setup: no plots are drawn"
    ;;
  *) die "setup: unknown option $1" ;;
esac
