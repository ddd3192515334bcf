#!/bin/sh
# Runs the test programs under valgrind: no access outside a block, no value used before it is set, no block lost.
# Takes half an hour, so it is no part of tools/test.sh, whose second build has the compiler's own checks.
# usage: sh tools/test-valgrind.sh [test ...]     builds in ${WASHI_BUILD:-build}-gcc
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
build=${WASHI_BUILD:-$root/build}-gcc

sh "$root/tools/setup.sh" --valgrind
[ -f "$build/build.ninja" ] || CC=gcc meson setup "$build" "$root"
meson compile -C "$build"
# Fewer cases, in one process: valgrind is some fifty times slower, and does not follow a fork for nothing.
CK_FORK=no WASHI_LEAN=1 meson test -C "$build" --no-rebuild --print-errorlogs --timeout-multiplier 0 --suite check \
  --wrap 'valgrind -q --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=definite' "$@"
