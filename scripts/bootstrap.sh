#!/usr/bin/env bash
# Set the project up on a fresh machine: .venv, filled from a lock file, with the project in it.
#
#   scripts/bootstrap.sh [ROLE]     ROLE is dev (the default), core, recorder, server or learning
#
# Rules
#
# * Only Python 3.11 to 3.13 is needed beforehand. System packages come through apt where this runs as
#   root; otherwise the one command to type is printed and nothing is changed.
# * Every package must match a hash in locks/ROLE.txt and arrives as a wheel. Built from source are only the
#   project itself and xcffib (plain Python, published without a wheel), offline, with locked tools. torch is
#   the one package without a hash (docs/adr/0001-address-free-locks.md).
# * Run again it does nothing, until a lock file, this script or the Python changes. A run that was
#   interrupted is simply done again.
#
# Environment
#
#   UNDERSTUDY_PYTHON        the Python to use, instead of looking for one
#   UNDERSTUDY_TORCH_INDEX   the package index to take torch from (role learning), instead of pip's own
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

ROLE="${1:-dev}"
LOCK="locks/$ROLE.txt"
VENV=".venv"
STAMP="$VENV/.understudy-$ROLE"

say() { printf 'understudy: %s\n' "$*" >&2; }
fail() {
  say "error: $1"
  [ $# -lt 2 ] || say "hint: $2"
  exit 1
}

[ -f "$LOCK" ] || fail "there is no role $ROLE" "the roles are: $(cd locks && printf '%s ' *.txt | sed 's/\.txt / /g; s/ $//')"

is_suitable() {
  "$1" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' >/dev/null 2>&1
}

# What the environment was made from. A moved checkout counts as changed: the project is installed by path.
fingerprint() {
  "$VENV/bin/python" -c '
import hashlib, pathlib, sys
state = hashlib.sha256(repr((sys.version, sys.prefix, str(pathlib.Path.cwd()))).encode())
for name in sys.argv[1:]:
    state.update(hashlib.sha256(pathlib.Path(name).read_bytes()).digest())
print(state.hexdigest())
' "$LOCK" pyproject.toml scripts/bootstrap.sh scripts/system-packages.txt
}

if [ -f "$STAMP" ] && is_suitable "$VENV/bin/python" && [ "$(cat "$STAMP")" = "$(fingerprint)" ]; then
  exit 0
fi

# A Python that can make virtual environments is preferred over one that first needs a system package.
find_python() {
  local candidate
  local candidates=(python3 python3.13 python3.12 python3.11)
  [ -z "${UNDERSTUDY_PYTHON:-}" ] || candidates=("$UNDERSTUDY_PYTHON")
  for candidate in "${candidates[@]}"; do
    if is_suitable "$candidate" && "$candidate" -c 'import ensurepip, venv' >/dev/null 2>&1; then
      command -v "$candidate"
      return
    fi
  done
  for candidate in "${candidates[@]}"; do
    if is_suitable "$candidate"; then
      command -v "$candidate"
      return
    fi
  done
}

PYTHON="$(find_python)"
if [ -z "$PYTHON" ]; then
  found="$("${UNDERSTUDY_PYTHON:-python3}" --version 2>/dev/null || echo 'not there')"
  fail "Python 3.11, 3.12 or 3.13 is needed, and ${UNDERSTUDY_PYTHON:-python3} is ${found%%$'\n'*}" \
    "install one of them, or name it: UNDERSTUDY_PYTHON=/path/to/python3.12 make setup"
fi
export PYTHON

install_system_packages() {
  local missing=() line package roles check reason
  while IFS= read -r line; do
    case "$line" in '' | '#'*) continue ;; esac
    # A check may hold a pipe, written \|.
    IFS='|' read -r package roles check reason <<<"${line//\\|/$'\x01'}"
    package="${package//[[:space:]]/}"
    case " $roles " in *" all "* | *" $ROLE "*) ;; *) continue ;; esac
    if ! bash -c "${check//$'\x01'/|}" >/dev/null 2>&1 </dev/null; then
      missing+=("$package")
      say "the system package $package is missing; it is for:$reason"
    fi
  done <scripts/system-packages.txt
  [ ${#missing[@]} -gt 0 ] || return 0
  if ! command -v apt-get >/dev/null; then
    fail "these system packages are missing: ${missing[*]}" "install them with the system's package manager, then run this again"
  fi
  if [ "$(id -u)" -ne 0 ]; then
    fail "these system packages are missing: ${missing[*]}" \
      "type: sudo apt-get update && sudo apt-get install -y --no-install-recommends ${missing[*]}"
  fi
  say "installing with apt: ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq </dev/null >&2
  apt-get install -y -qq --no-install-recommends "${missing[@]}" </dev/null >&2
}

install_system_packages

# A copied or moved environment still names its old place in the first line of every command.
is_at_home() { grep -qsF "$(pwd -P)/$VENV/bin/" "$VENV/bin/pip"; }

if ! is_suitable "$VENV/bin/python" || ! is_at_home; then
  say "making $VENV with $("$PYTHON" --version)"
  "$PYTHON" -m venv --clear "$VENV"
fi

install() {
  "$VENV/bin/python" -m pip install -qq --disable-pip-version-check --no-input "$@" </dev/null
}

# The build for processors names no CUDA version in torch/version.py. Importing torch to ask it would fail
# exactly where the answer is needed: a CUDA build without its libraries.
torch_is_cuda_build() {
  "$VENV/bin/python" -c '
import importlib.util, pathlib, runpy, sys
origin = importlib.util.find_spec("torch").origin
sys.exit(runpy.run_path(str(pathlib.Path(origin).with_name("version.py")))["cuda"] is None)
'
}

install_torch() {
  local torch index=()
  torch="$(grep -oE 'torch==[0-9.]+' pyproject.toml | head -n 1)"
  [ -z "${UNDERSTUDY_TORCH_INDEX:-}" ] || index=(--index-url "$UNDERSTUDY_TORCH_INDEX")
  say "installing $torch, pinned by version and not by hash"
  install --no-deps ${index[@]+"${index[@]}"} "$torch"
  if torch_is_cuda_build; then
    say "this torch is a CUDA build: installing the CUDA packages it needs too (gigabytes, not pinned by hash)"
    say "hint: UNDERSTUDY_TORCH_INDEX can name an index of processor-only builds"
    install ${index[@]+"${index[@]}"} "$torch"
  fi
}

say "installing the $(grep -c '==' "$LOCK") packages of $LOCK into $VENV; the first time this takes a minute or two"
# xcffib comes as source only, of plain Python: it is built without a network from the locked tools.
sources="$(mktemp)"
binaries="$(mktemp)"
trap 'rm -f "$sources" "$binaries"' EXIT
awk -v sources="$sources" -v binaries="$binaries" '
  /^[^ ]/ { file = /^xcffib==/ ? sources : binaries }
  { print > file }
' "$LOCK"
install --only-binary :all: --require-hashes -r "$binaries"
[ ! -s "$sources" ] || install --no-deps --no-build-isolation --no-binary :all: --require-hashes -r "$sources"
[ "$ROLE" != learning ] || install_torch
install --no-deps --no-index --no-build-isolation --editable .
fingerprint >"$STAMP"
say "ready: $VENV ($("$VENV/bin/python" --version), role $ROLE)"
