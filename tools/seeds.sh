#!/bin/sh
# Trains the lecture's classifier once for each of several seeds, and prints what it makes of the test images: accuracy and
# loss of each, then mean, standard deviation, least and most, beside the lecture's.
# usage: sh tools/seeds.sh [number of seeds [option of examples/mnist]...]     10 seeds unless told; --fashion for clothes
# Builds in ${WASHI_BUILD:-build}.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
build=${WASHI_BUILD:-$root/build}
seeds=10
case ${1-} in
'' | -*) ;;
*[!0-9]* | 0) echo "seeds: '$1' is not a number of seeds" >&2; exit 1 ;;
*) seeds=$1; shift ;;
esac
set_of_data=
for option; do if [ "$option" = --fashion ]; then set_of_data=--fashion; fi; done

sh "$root/tools/setup.sh" --run
[ -f "$build/build.ninja" ] || meson setup "$build" "$root"
meson compile -C "$build" mnist >/dev/null
data=$(sh "$root/tools/fetch-mnist.sh" $set_of_data)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

line() { printf '%-6s %-9s %s\n' "$@"; }
value() { sed -n "s/^test $1  *\([0-9.]*\).*/\1/p" "$work/out"; }
line seed accuracy loss
seed=1
while [ "$seed" -le "$seeds" ]; do
  "$build/examples/mnist" "$@" --data "$data" --out "$work" --seed "$seed" >"$work/out" 2>&1 || { cat "$work/out" >&2; exit 1; }
  line "$seed" "$(value accuracy)" "$(value loss)" | tee -a "$work/all"
  seed=$((seed + 1))
done

awk -v lecture="$set_of_data" '
  { n++; for (i = 2; i <= 3; i++) { x[n, i] = $i; sum[i] += $i; if (n == 1 || $i < least[i]) least[i] = $i; if (n == 1 || $i > most[i]) most[i] = $i } }
  END {
    for (i = 2; i <= 3; i++) { mean[i] = sum[i] / n; for (j = 1; j <= n; j++) square[i] += (x[j, i] - mean[i])^2 }
    line = "%-6s %-9.4f %.4f\n"
    printf line, "mean", mean[2], mean[3]
    if (n > 1) printf line, "sd", sqrt(square[2] / (n - 1)), sqrt(square[3] / (n - 1))
    printf line line, "least", least[2], least[3], "most", most[2], most[3]
    if (lecture == "") print "The lecture: accuracy 0.9297 to 0.9413, loss 0.2062 to 0.2370."
  }' "$work/all"
