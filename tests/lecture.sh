#!/bin/sh
# An example program's output, line by line, and its pictures: one of each kind for every script it writes; or,
# where gnuplot is missing, the same output and a line that says so.
# usage: lecture.sh PROGRAM EXPECTED
set -eu
program=$(realpath "$1") expected=$(realpath "$2")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"

run() { # what PATH is
  PATH=$1 "$program" >said 2>errors || { cat said errors >&2; exit 1; }
  grep -v '^drawn: ' said >numbers || true
  diff -u "$expected" numbers >&2
}

run /nowhere
for script in pictures/*.gnuplot; do
  [ ! -f "$script" ] || grep -q "^$script: not drawn, for gnuplot is not installed" errors
done
[ "$(find . -name '*.gnuplot' | wc -l)" = "$(wc -l <errors)" ] || { cat errors >&2; exit 1; }

command -v gnuplot >/dev/null || exit 0
run "$PATH"
[ ! -s errors ] || { cat errors >&2; exit 1; }
for script in pictures/*.gnuplot; do
  [ -f "$script" ] || continue
  picture=${script%.gnuplot}
  grep -q '</svg>' "$picture.svg"
  [ "$(head -c 4 "$picture.png" | tail -c 3)" = PNG ]
  grep -q "^drawn: $picture.svg" said
done
