#!/bin/sh
# Installs what is missing, builds, gets MNIST, trains the classifier, evaluates, predicts, draws.
# usage: sh tools/mnist.sh [--fashion] [option of examples/mnist]...     --help lists those
#        sh tools/mnist.sh [--fashion] --better [epochs [seed]]           a larger model, examples/better
# Builds in ${WASHI_BUILD:-build}.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
build=${WASHI_BUILD:-$root/build}

set_of_data= program=mnist
for option; do
  shift
  case $option in
  --fashion) set_of_data=--fashion ;;
  --better) program=better ;;
  *) set -- "$@" "$option" ;;
  esac
done

sh "$root/tools/setup.sh" --run
[ -f "$build/build.ninja" ] || meson setup "$build" "$root"
meson compile -C "$build" "$program"
data=$(sh "$root/tools/fetch-mnist.sh" $set_of_data)
echo "Data: $data"
if [ "$program" = better ]; then exec "$build/examples/better" "$data" "$@"; fi
# shellcheck disable=SC2086 # --fashion or nothing
exec "$build/examples/mnist" $set_of_data --data "$data" --out "$build/pictures" "$@"
