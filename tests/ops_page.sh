#!/bin/sh
# Whether docs/ops.md is what the program prints now. usage: ops_page.sh PROGRAM washi.h ops.md
set -eu
page=$(mktemp)
trap 'rm -f "$page"' EXIT
"$1" "$2" >"$page"
cmp "$page" "$3" || { diff "$page" "$3" | head -20; echo "run: build/tests/ops_page lib/washi.h > docs/ops.md"; exit 1; }
