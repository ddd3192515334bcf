#!/bin/sh
# Installs what is missing, builds with gcc as it is released and with clang under the address and
# undefined-behaviour sanitizers, every warning an error, and runs all tests on both builds. Emulated CPUs
# are apart: tools/test-cpus.sh, tools/test-neon.sh.
# usage: sh tools/test.sh     builds in ${WASHI_BUILD:-build}-gcc and -clang
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
build=${WASHI_BUILD:-$root/build}
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1

[ $# = 0 ] || { echo "test: '$1' is not an option" >&2; exit 1; }

say() { printf '\n== %s\n' "$*"; }

run() { # C compiler, C++ compiler, options of meson setup
  folder=$build-$1 CC=$1 CXX=$2
  export CC CXX
  shift 2
  say "$CC: build in $folder"
  [ -f "$folder/build.ninja" ] || meson setup "$folder" "$root" -Dwerror=true "$@"
  meson compile -C "$folder"
  say "$CC: test"
  meson test -C "$folder" --no-rebuild --print-errorlogs --timeout-multiplier 4
}

say packages
sh "$root/tools/setup.sh"
run gcc g++
run clang clang++ -Dbuildtype=debugoptimized -Db_sanitize=address,undefined -Db_lundef=false
say "all tests pass"
