#!/bin/sh
# Installs what is missing, builds with gcc as it is released and with clang under the address and
# undefined-behaviour sanitizers, every warning an error, and runs all tests on both builds; then the kernels, the
# ops and the golden training on CPUs that this machine is not. Where an emulator or arm64's packages cannot be had,
# that part is left out, and the last line says so; under CI that is a failure.
# usage: sh tools/test.sh     builds in ${WASHI_BUILD:-build}-gcc, -clang and -neon
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
build=${WASHI_BUILD:-$root/build}
export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
export CK_DEFAULT_TIMEOUT=120 # seconds; Check's own 4 are few on a busy machine

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

left_out=
emulated() { # a script
  say "$1"
  status=0
  sh "$root/tools/$1" || status=$?
  case $status in
  0) ;;
  77) left_out="$left_out $1" ;;
  *) exit "$status" ;;
  esac
}

say packages
sh "$root/tools/setup.sh"
run gcc g++
export WASHI_LEAN=1 # fewer lengths, now that it goes slowly
run clang clang++ -Dbuildtype=debugoptimized -Db_sanitize=address,undefined -Db_lundef=false
unset CC CXX # theirs are gcc and arm64's
emulated test-cpus.sh
emulated test-neon.sh
if [ -n "$left_out" ] && [ -n "${CI-}" ]; then
  echo "test: left out, which CI may not:$left_out" >&2
  exit 1
fi
say "all tests pass${left_out:+; LEFT OUT, as it cannot be done here:$left_out}"
