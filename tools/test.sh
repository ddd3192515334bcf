#!/bin/sh
# Installs what is missing, builds with gcc and with clang, every warning an error, and runs all tests on
# both builds.
# usage: sh tools/test.sh [--sanitize]
#   --sanitize: then once more under the address and undefined-behaviour sanitizers, which takes longer
# Builds in ${WASHI_BUILD:-build}-gcc, -clang and -sanitize.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
build=${WASHI_BUILD:-$root/build}

case ${1-} in
'' | --sanitize) ;;
*) echo "test: '$1' is not an option" >&2; exit 1 ;;
esac

say() { printf '\n== %s\n' "$*"; }

run() { # name, C compiler, C++ compiler, options of meson setup
  name=$1 folder=$build-$1 CC=$2 CXX=$3
  export CC CXX
  shift 3
  say "$name: build in $folder"
  [ -f "$folder/build.ninja" ] || meson setup "$folder" "$root" "$@"
  meson compile -C "$folder"
  say "$name: test"
  meson test -C "$folder" --no-rebuild --print-errorlogs --timeout-multiplier 4
}

say packages
sh "$root/tools/setup.sh"
run gcc gcc g++ -Dwerror=true
run clang clang clang++ -Dwerror=true
if [ "${1-}" = --sanitize ]; then
  export UBSAN_OPTIONS=halt_on_error=1:print_stacktrace=1
  run sanitize gcc g++ -Dbuildtype=debugoptimized -Db_sanitize=address,undefined
fi
say "all tests pass"
