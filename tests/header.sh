#!/bin/sh
# washi.h alone, from a folder with nothing else in it, compiles as C11 and as C++11 without a warning,
# also when it is included twice.
# usage: header.sh WASHI_H COMPILER...     compilers that are not there are skipped
set -eu
header=$1
shift
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp "$header" "$work/washi.h"
printf '%s\n' '#include "washi.h"' '#include <washi.h>' \
  'int main(void) { return washi_open == 0 || WASHI_OK != 0; }' >"$work/alone.c"

compiled=0
for compiler; do
  command -v "$compiler" >/dev/null || continue
  case $compiler in *++*) language='-x c++ -std=c++11' ;; *) language='-x c -std=c11' ;; esac
  echo "$compiler $language"
  # shellcheck disable=SC2086 # two options
  "$compiler" $language -I"$work" -Wall -Wextra -Wpedantic -Wno-address -Werror -c "$work/alone.c" \
    -o "$work/alone.o"
  compiled=$((compiled + 1))
done
[ "$compiled" -gt 0 ] || { echo "no compiler" >&2; exit 1; }
