#!/usr/bin/env bash
# Resolve pyproject.toml into locks/ROLE.txt: pinned, hashed, for Python 3.11 to 3.13, without addresses.
#
#   scripts/locks.sh [--upgrade]
#
# A maintainer's tool, and the only place that needs uv. Without --upgrade a version stays as it is as long
# as pyproject.toml allows it. Roles agree with each other: dev is resolved first and constrains the rest.
# Why these files look as they do: docs/adr/0001-address-free-locks.md.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

if ! command -v "${UV:-uv}" >/dev/null; then
  echo "understudy: error: uv is needed to resolve the lock files" >&2
  echo "understudy: hint: pip install uv, in an environment of your own; nothing else needs it" >&2
  exit 1
fi

pins="$(mktemp)"
trap 'rm -f "$pins"' EXIT

# --no-header, --no-annotate and the --no-emit options keep commands and addresses out of the files.
resolve() {
  local role="$1"
  shift
  echo "understudy: resolving locks/$role.txt" >&2
  "${UV:-uv}" pip compile pyproject.toml --no-config --quiet --group build --universal --python-version 3.11 \
    --only-binary :all: --no-binary xcffib --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links \
    --constraints "$pins" --output-file "locks/$role.txt" "$@" >/dev/null
}

resolve dev --extra recorder --extra server --extra dev "$@"
grep -oE '^[a-z0-9.-]+==[^ ]+( ; [^\\]+)?' locks/dev.txt >"$pins"
resolve core "$@"
resolve recorder --extra recorder "$@"
resolve server --extra server "$@"

# torch and what only a CUDA build of it needs stay out: bootstrap.sh installs torch by itself.
cuda=()
for package in $("${UV:-uv}" pip compile pyproject.toml --no-config --quiet --extra learning --universal \
  --python-version 3.11 --no-header --no-annotate --constraints "$pins" |
  grep -oE '^(torch|triton|cuda|nvidia)[a-z0-9-]*'); do
  cuda+=(--no-emit-package "$package")
done
resolve learning --extra learning "${cuda[@]}" "$@"
