#!/bin/sh
# The MNIST examples on files made here, random pixels plain and gzip, and their answers to mistakes: one
# line on stderr and exit 1.
# usage: example.sh MNIST BETTER
set -eu
mnist=$1 better=$2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
data="$work/a folder"
mkdir "$data"

images() { # how many: 200, in octal 310, of 28 x 28
  printf '\000\000\010\003\000\000\000\310\000\000\000\034\000\000\000\034'
  head -c 156800 /dev/urandom
}
labels() { # 0 to 9, over and over
  printf '\000\000\010\001\000\000\000\310'
  for ten in 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9; do
    : "$ten"
    printf '\000\001\002\003\004\005\006\007\010\011'
  done
}
images >"$data/train-images-idx3-ubyte"
labels | gzip >"$data/train-labels-idx1-ubyte.gz"
images | gzip >"$data/t10k-images-idx3-ubyte.gz"
labels >"$data/t10k-labels-idx1-ubyte"

"$mnist" --help | grep -q -- --epochs

out="$work/some pictures"
try() { "$mnist" --data "$data" --out "$out" --epochs 2 --threads "$1" --seed "$2"; }
numbers() { grep -E 'accuracy|loss|█' "$1" | grep -v /step; }
try 1 7 >"$work/one" 2>"$work/errors" || { cat "$work/one" "$work/errors" >&2; exit 1; }
try 2 7 >"$work/two" 2>/dev/null
try 1 8 >"$work/other" 2>/dev/null
grep -q '55,050' "$work/one"
[ "$(grep -c '^Digit' "$work/one")" = 4 ]
[ "$(numbers "$work/one")" = "$(numbers "$work/two")" ] || { echo "threads change results" >&2; exit 1; }
[ "$(numbers "$work/one")" != "$(numbers "$work/other")" ] || { echo "the seed changes nothing" >&2; exit 1; }
for picture in images loss predictions; do
  if command -v gnuplot >/dev/null; then
    grep -q '</svg>' "$out/$picture.svg"
  else
    grep -q "$picture.*gnuplot is not installed" "$work/errors"
  fi
done

# Weights saved, and loaded by another process: the same predictions, and the same file again.
"$mnist" --data "$data" --out "$out" --epochs 1 --seed 7 --save "$work/weights" >"$work/one"
"$mnist" --data "$data" --out "$out" --seed 7 --load "$work/weights" --save "$work/again" >"$work/two"
tested() { grep -E '^test|█' "$1"; }
[ "$(tested "$work/one")" = "$(tested "$work/two")" ] || { echo "loading changes results" >&2; exit 1; }
[ "$(tested "$work/two" | wc -l)" -gt 4 ]
cmp "$work/weights" "$work/again"

"$better" "$data" 2 7 >"$work/better" 2>"$work/errors" || { cat "$work/better" "$work/errors" >&2; exit 1; }
grep -q '669,706' "$work/better" # parameters
grep -q '^test accuracy   0\.' "$work/better"
better_refused() {
  if "$better" "$@" >/dev/null 2>"$work/errors" || [ "$(wc -l <"$work/errors")" != 1 ]; then
    echo "better $*: no line and exit 1" >&2
    exit 1
  fi
}
better_refused
better_refused "$work"
for number in 0 -1 x ''; do better_refused "$data" "$number"; done
better_refused "$data" 1 -1
better_refused "$data" 1 1 1

refused() { # a part of the line, options
  expected=$1
  shift
  if "$mnist" --out "$out" "$@" >"$work/said" 2>"$work/errors"; then
    echo "accepted: $*" >&2
    exit 1
  elif [ $? != 1 ] || [ "$(wc -l <"$work/errors")" != 1 ] || ! grep -q -- "$expected" "$work/errors"; then
    echo "$*: no line with '$expected' and exit 1:" >&2
    cat "$work/errors" >&2
    exit 1
  fi
}
refused 'No such file' --data "$work/nowhere"
for number in 0 -1 1.5 x '' 99999999999999999999; do refused "'$number'" --epochs "$number"; done
for number in 0 -1 x nan inf 0.1x ''; do refused "'$number'" --rate "$number"; done
refused "'0'" --batch 0
refused "'-1'" --threads -1
refused "'-1'" --seed -1
refused 'No such file' --data "$data" --load "$work/nowhere"
refused 'No such file' --data "$data" --save "$work/nowhere/file"
head -c 1000 "$work/weights" >"$work/cut"
refused 'cut: tensor' --data "$data" --load "$work/cut"
refused wrong --wrong
refused 'not an option' stray
refused 'a file' --data "$data" --out "$data/t10k-labels-idx1-ubyte/a file"

cp "$data/train-images-idx3-ubyte" "$work/kept"
head -c 100000 "$work/kept" >"$data/train-images-idx3-ubyte"
refused 'train-images-idx3-ubyte: too short' --data "$data"
cp "$data/t10k-labels-idx1-ubyte" "$data/train-images-idx3-ubyte"
refused '28 x 28' --data "$data"
mv "$work/kept" "$data/train-images-idx3-ubyte"
printf '\000\000\010\001\000\000\000\002\000\001' >"$data/t10k-labels-idx1-ubyte"
refused 'a byte for each image' --data "$data"
