# What the checks of this folder share. Sourced, not run.
#
# Each check is an executable beside this file. It needs more than `cargo test` does: tools that it installs from
# their package registries, by name and pinned, below target/real/. Where one cannot be had it prints `SKIP: ` and
# why, and exits with 0; with BZC_NO_SKIP=1 that is a failure. Anything else that goes wrong is a failure.
# shellcheck shell=bash

set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
target=${CARGO_TARGET_DIR:-$root/target}
tools=$target/real
mkdir -p "$tools"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

say() { printf '%s\n' "$*"; }

fail() {
  printf 'FAIL: %s\n' "$*"
  exit 1
}

skip() {
  [ -z "${BZC_NO_SKIP:-}" ] || fail "$*"
  printf 'SKIP: %s\n' "$*"
  exit 0
}

# needs TOOL..: or there is nothing to do here.
needs() {
  local tool
  for tool in "$@"; do
    command -v "$tool" >/dev/null || skip "$tool is not installed"
  done
}

# apt_install PACKAGE..: Debian's packages by name, where root may and they are not there yet.
apt_install() {
  local package missing=()
  for package in "$@"; do
    dpkg-query --show --showformat='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing+=("$package")
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  needs apt-get
  [ "$(id -u)" = 0 ] || skip "it takes root to install ${missing[*]}"
  { quietly "$scratch/apt.log" timeout 120 apt-get update &&
    DEBIAN_FRONTEND=noninteractive quietly "$scratch/apt.log" timeout 300 \
      apt-get install --yes --no-install-recommends "${missing[@]}"; } || skip "apt-get cannot install ${missing[*]}"
}

# quietly LOG COMMAND..: what it prints is shown only where it fails.
quietly() {
  local log=$1
  shift
  "$@" >"$log" 2>&1 || {
    tail -n 20 "$log" >&2
    return 1
  }
}

# build_bzc: $bzc is the compiler of this tree.
build_bzc() {
  cargo build --quiet --manifest-path "$root/Cargo.toml"
  bzc=$target/debug/bzc
}

# pip_install PACKAGE==VERSION..: into a virtual environment of their own; $venv is its bin/.
pip_install() {
  needs python3
  venv=$tools/venv-${1%%==*}
  local stamp=$venv/installed
  if [ "$(cat "$stamp" 2>/dev/null)" != "$*" ]; then
    rm -rf "$venv"
    quietly "$scratch/pip.log" python3 -m venv "$venv" || skip "python3 cannot make a virtual environment"
    quietly "$scratch/pip.log" "$venv/bin/pip" install --quiet --disable-pip-version-check --retries 2 --timeout 30 "$@" ||
      skip "pip cannot install $*"
    printf '%s\n' "$*" >"$stamp"
  fi
  venv=$venv/bin
}

# go_build MODULE PACKAGE: $program is what go makes of the package in tests/real/go/MODULE.
go_build() {
  needs go
  program=$tools/$1
  (
    cd "$here/go/$1"
    export GOFLAGS=-mod=readonly
    quietly "$scratch/go.log" timeout 600 go list -deps -f '{{""}}' "$2" || exit 3
    go build -o "$program" "$2"
  ) || {
    [ $? -ne 3 ] || skip "go cannot download the modules of tests/real/go/$1"
    fail "tests/real/go/$1 does not compile"
  }
}

# programs: the examples and the programs beside this file, as `NAME FILE [ENV]` lines.
programs() {
  local file name
  for file in "$root"/examples/*/budget.bz "$here"/programs/*.bz; do
    [ -e "$file" ] || continue
    name=$(basename "$file" .bz)
    [ "$name" != budget ] || name=$(basename "$(dirname "$file")")
    printf '%s\t%s\t\n' "$name" "$file"
    sed -nE 's/^env[[:space:]]+([a-z0-9-]+)[[:space:]]*\{.*/\1/p' "$file" | while read -r env; do
      printf '%s-%s\t%s\t%s\n' "$name" "$env" "$file" "$env"
    done
  done
}

# build_all: compiles every program for every environment; $outputs are the folders.
build_all() {
  build_bzc
  outputs=()
  local name file env
  while IFS=$'\t' read -r name file env; do
    "$bzc" build "$file" ${env:+--env "$env"} --out "$scratch/out/$name" >"$scratch/bzc.log" 2>&1 || {
      cat "$scratch/bzc.log"
      fail "bzc does not compile $file ${env:+for $env}"
    }
    [ ! -e "$scratch/out/$name/report.json" ] || outputs+=("$scratch/out/$name")
  done < <(programs)
  [ ${#outputs[@]} -gt 0 ] || fail "there are no programs"
}
