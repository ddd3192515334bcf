#!/bin/sh
# Draws the pictures of docs/lecture.md anew, from the example programs: into docs/pictures, as SVG.
# usage: sh tools/pictures.sh
# Needs gnuplot, and MNIST, which it gets when it is not there. Builds in ${WASHI_BUILD:-build}.
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
build=${WASHI_BUILD:-$root/build}
[ $# = 0 ] || { echo "pictures: '$1' is not an option" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

sh "$root/tools/setup.sh" --run
[ -f "$build/build.ninja" ] || meson setup "$build" "$root"
meson compile -C "$build" perceptron activations descent mnist
for program in perceptron activations descent; do "$build/examples/$program" "$work"; done
"$build/examples/mnist" --data "$(sh "$root/tools/fetch-mnist.sh")" --out "$work" >&2

mkdir -p "$root/docs/pictures"
for script in "$work"/*.gnuplot; do
  picture=${script%.gnuplot}.svg
  [ -s "$picture" ] || { echo "pictures: $picture was not drawn" >&2; exit 1; }
  cp "$picture" "$root/docs/pictures/"
done
ls "$root/docs/pictures"
