#!/bin/sh
# Runs the kernel tests, and a program that opens a context, on x86 CPUs that this machine is not, under qemu: one
# without fused multiply-add, which is refused with a sentence, and one whose best level is AVX2.
# usage: sh tools/test-cpus.sh     builds in ${WASHI_BUILD:-build}-gcc; exit 77: it cannot be done here
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
build=${WASHI_BUILD:-$root/build}-gcc
[ $# = 0 ] || { echo "test-cpus: '$1' is not an option" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

sh "$root/tools/setup.sh" --emulate || {
  echo "test-cpus: NOTHING WAS TESTED: the emulator cannot be installed here" >&2
  exit 77
}

[ -f "$build/build.ninja" ] || CC=gcc meson setup "$build" "$root"
ninja -C "$build" build.ninja >/dev/null # so that meson knows new targets
meson compile -C "$build" washi:shared_library test_simd test_simd_chain test_simd_levels test_simd_values
cat >"$work/open.c" <<'END'
#include <stdio.h>
#include "washi.h"
int main(void)
{
    washi *w;
    const washi_status status = washi_open(&w, NULL);
    printf("%s: %s\n", washi_status_name(status), status ? washi_message() : washi_cpu(w));
    washi_close(w);
    return 0;
}
END
gcc -I"$root/lib" "$work/open.c" -o "$work/open" -L"$build" -lwashi -Wl,-rpath,"$build"

failures=0
expect() { # what, wanted text, file with the output
  if grep -q "$2" "$3"; then
    echo "ok    $1: $(grep -m1 "$2" "$3")"
  else
    echo "FAIL  $1: no '$2' in:" && cat "$3"
    failures=$((failures + 1))
  fi
}
on() { # CPU, command...
  cpu=$1
  shift
  status=0
  WASHI_NO_GUARDS=1 qemu-x86_64 -cpu "$cpu" "$@" >"$work/out" 2>&1 || status=$?
  echo "exit $status" >>"$work/out"
}

on Nehalem "$work/open"
expect 'Nehalem, washi_open' '^unsupported: .*no fused multiply-add' "$work/out"
on Nehalem "$build/tests/test_simd"
expect 'Nehalem, kernel tests are skipped' '^exit 77$' "$work/out"
on Haswell "$work/open"
expect 'Haswell, washi_open' '^ok: avx2$' "$work/out"
on Haswell "$build/tests/test_simd_values"
expect 'Haswell, values' '^exit 0$' "$work/out"
on Haswell "$build/tests/test_simd_levels"
expect 'Haswell, how levels are found, big results' '^exit 0$' "$work/out"
on Haswell "$build/tests/test_simd_chain"
expect 'Haswell, chains' '^exit 0$' "$work/out"
on Haswell "$build/tests/test_simd"
expect 'Haswell, levels' '^exit 0$' "$work/out"
expect 'Haswell, AVX-512 is skipped' '^avx512 *skipped' "$work/out"
[ "$failures" = 0 ]
