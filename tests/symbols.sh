#!/bin/sh
# The shared library exports what washi.h declares, and not a symbol more.
# usage: symbols.sh WASHI_H LIBRARY COMPILER...
set -eu
header=$1 library=$2
shift 2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Each declaration is on a line of its own; its names stand last, before any parenthesis.
"$@" -E -P -DWASHI_API=@API "$header" | tr -s '\n' ' ' | tr ';' '\n' | sed -n 's/.*@API//p' | sed 's/(.*//' |
  tr ',' '\n' | sed 's/.*[ *]//' | sort >"$work/declared"
nm -D --defined-only "$library" | sed 's/.* //; s/@.*//' | sort >"$work/exported"

[ "$(wc -l <"$work/declared")" -gt 50 ] || { echo "declarations not found in $header" >&2; exit 1; }
! grep -v '^washi_' "$work/exported" || { echo "exported, and not ours" >&2; exit 1; }
diff "$work/declared" "$work/exported" || { echo "< declared, > exported" >&2; exit 1; }
