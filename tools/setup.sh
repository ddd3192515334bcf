#!/bin/sh
# Installs the Debian packages that Washi is built, tested and shown with, those that are missing.
# usage: sh tools/setup.sh [--run | --emulate | --valgrind | --files | --bench]
#   --run      only what building and the examples need
#   --emulate  what tools/test-neon.sh and tools/test-cpus.sh need: a compiler for arm64, and emulators
#   --valgrind what tools/test-valgrind.sh needs
#   --files    what tools/test-files.sh needs; NumPy is left out when it cannot be had
#   --bench    what tools/bench.sh needs; libraries to compare with are left out when they cannot be had
set -eu

run='gcc libc6-dev meson ninja-build pkgconf libsleef-dev librandom123-dev
  libjsmn-dev zlib1g-dev gnuplot-nox curl ca-certificates'
test='g++ clang libclang-rt-dev check libbenchmark-dev'
emulate='check gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user'
peers='libopenblas-dev libblis-dev libdnnl-dev libxsmm-dev'
optional=
case ${1-} in
'') wanted="$run $test" ;;
--run) wanted=$run ;;
--emulate) wanted="$run $emulate" ;;
--valgrind) wanted="$run $test valgrind" ;;
--files) wanted="$run check" optional=python3-numpy ;;
--bench) wanted="$run g++ libbenchmark-dev" optional=$peers ;;
*) echo "setup: '$1' is not an option" >&2; exit 1 ;;
esac

if ! command -v dpkg-query >/dev/null; then
  echo "setup: this is not Debian; install what these of its packages hold, and build with meson:" >&2
  echo "$wanted $optional" >&2
  exit 1
fi

installed() { # a package by name, or what provides it, such as gnuplot-qt
  case $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null) in installed*) return 0 ;; esac
  [ "$1" = gnuplot-nox ] && command -v gnuplot >/dev/null
}

missing_of() {
  for package; do installed "$package" || printf ' %s' "$package"; done
}

# shellcheck disable=SC2086 # lists of words
missing=$(missing_of $wanted) missing_optional=$(missing_of $optional)
[ -n "$missing$missing_optional" ] || { echo "setup: every package is there" >&2; exit 0; }

if [ "$(id -u)" = 0 ]; then
  as_root='env DEBIAN_FRONTEND=noninteractive'
elif command -v sudo >/dev/null && { [ -t 0 ] || sudo -n true 2>/dev/null; }; then
  as_root='sudo env DEBIAN_FRONTEND=noninteractive'
elif [ -z "$missing" ]; then
  echo "setup: left out, as installing them takes root:$missing_optional" >&2
  exit 0
else
  echo "setup: these packages are missing, and installing them takes root:" >&2
  echo "  apt-get install$missing$missing_optional" >&2
  exit 1
fi

install() { $as_root apt-get install -y -qq --no-install-recommends "$@" >&2; }

$as_root apt-get update -qq >&2 || [ -z "$missing" ] # who has no network has what is optional or not
if [ -n "$missing" ]; then
  echo "setup: installing$missing" >&2
  # shellcheck disable=SC2086
  install $missing
fi
for package in $missing_optional; do
  echo "setup: installing $package" >&2
  install "$package" || echo "setup: left out, as it cannot be installed: $package" >&2
done
