#!/bin/sh
# docs/lecture.md has a row for every cell of the lecture, and what it names is there: functions in washi.h,
# example programs, pictures.
# usage: lecture_table.sh ROOT
set -eu
cd "$1"
page=docs/lecture.md

wrong=$(
  cell=2
  while [ "$cell" -le 49 ]; do
    # the lecture's text has no cell 13
    [ "$cell" = 13 ] || grep -qE "^\| ([0-9]+, )*$cell(, [0-9]+)* \|" "$page" || echo "no row for cell $cell"
    cell=$((cell + 1))
  done
  grep -o 'washi_[a-z0-9_]*' "$page" | sort -u | while read -r name; do
    grep -qw "$name" lib/washi.h || echo "washi.h has no $name"
  done
  grep -oE '`[a-z_]+\.c`' "$page" | tr -d '`' | sort -u | while read -r program; do
    [ -f "examples/$program" ] || echo "there is no examples/$program"
  done
  grep -oE '\(pictures/[a-z]+\.svg\)' "$page" | tr -d '()' | while read -r picture; do
    [ -f "docs/$picture" ] || echo "there is no docs/$picture"
  done
)
[ -z "$wrong" ] || { echo "$wrong" >&2; exit 1; }
