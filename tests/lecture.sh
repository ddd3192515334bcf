#!/bin/sh
# An example program's output, line by line, and its pictures: one of each kind for every script it writes,
# or one line that says why not.
# usage: lecture.sh PROGRAM EXPECTED
set -eu
program=$(realpath "$1") expected=$(realpath "$2")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
"$program" >said 2>errors || { cat said errors >&2; exit 1; }
grep -v '^drawn: ' said >numbers || true
diff -u "$expected" numbers >&2

for script in pictures/*.gnuplot; do
  [ -f "$script" ] || continue
  picture=${script%.gnuplot}
  if command -v gnuplot >/dev/null; then
    grep -q '</svg>' "$picture.svg"
    [ "$(head -c 4 "$picture.png" | tail -c 3)" = PNG ]
    grep -q "drawn: $picture.svg" said
  else
    grep -q "$script.*gnuplot is not installed" errors
  fi
done
! command -v gnuplot >/dev/null || [ ! -s errors ] || { cat errors >&2; exit 1; }
