#!/bin/sh
# Installs the Debian packages that Washi is built, tested and shown with, those that are missing.
# usage: sh tools/setup.sh [--run]     --run: only what building and the examples need
set -eu

run='gcc libc6-dev meson ninja-build pkgconf libsleef-dev libpthreadpool-dev librandom123-dev
  zlib1g-dev gnuplot-nox curl ca-certificates'
test='g++ clang check libbenchmark-dev'
case ${1-} in
'') wanted="$run $test" ;;
--run) wanted=$run ;;
*) echo "setup: '$1' is not an option" >&2; exit 1 ;;
esac

if ! command -v dpkg-query >/dev/null; then
  echo "setup: this is not Debian; install what these of its packages hold, and build with meson:" >&2
  echo "$wanted" >&2
  exit 1
fi

installed() { # a package by name, or what provides it, such as gnuplot-qt
  case $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) in installed*) return 0 ;; esac
  [ "$1" = gnuplot-nox ] && command -v gnuplot >/dev/null
}

missing=
for package in $wanted; do
  installed "$package" || missing="$missing $package"
done
[ -n "$missing" ] || { echo "setup: every package is there" >&2; exit 0; }

if [ "$(id -u)" = 0 ]; then
  as_root='env DEBIAN_FRONTEND=noninteractive'
elif command -v sudo >/dev/null && { [ -t 0 ] || sudo -n true 2>/dev/null; }; then
  as_root='sudo env DEBIAN_FRONTEND=noninteractive'
else
  echo "setup: these packages are missing, and installing them takes root:" >&2
  echo "  apt-get install$missing" >&2
  exit 1
fi

echo "setup: installing$missing" >&2
$as_root apt-get update -qq >&2
# shellcheck disable=SC2086 # a list of words
$as_root apt-get install -y -qq --no-install-recommends $missing >&2
