#!/usr/bin/env bash
# tsan_suppressions.sh PROGRAM...: prints ThreadSanitizer suppressions for libraries of the system that were built without it.
#
# "called_from_lib" silences what such a library does by itself, and nothing of ours: a race in our own code is still found. It must
# name each library once, and only ones that are loaded, so the list is made from what the programs link.
set -euo pipefail

for program in "$@"; do ldd "$program"; done |
  grep -oE '\blib(grpc|grpc\+\+|gpr|upb|re2|cares|address_sorting|ssl|crypto|absl_[a-z0-9_]+)\.so[.0-9a-z]*' |
  sort -u |
  sed 's/^/called_from_lib:/'
